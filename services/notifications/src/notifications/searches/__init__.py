"""Saved searches of candidates: what they want to hear about."""
