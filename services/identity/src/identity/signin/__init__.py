"""Signing in and staying signed in: who acts in which role, for how long."""
