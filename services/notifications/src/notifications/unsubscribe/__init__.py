"""Ending a saved search's mails from the mail itself (RFC 8058), without signing in."""
