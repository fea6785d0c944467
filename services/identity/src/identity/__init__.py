"""Accounts, sign-in, organisations and their members, machine clients."""
