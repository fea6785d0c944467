"""Participating organisations and their members."""
