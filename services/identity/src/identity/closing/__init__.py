"""Closing an account for good: its person asks to be erased, and everything is blocked at once (R6, R31)."""
