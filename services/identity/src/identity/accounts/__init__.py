"""Accounts: registered, confirmed, and what their owner sees of them."""
