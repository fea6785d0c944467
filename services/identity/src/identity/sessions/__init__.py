"""Sign-in, refresh, sign-out, and the end of sessions."""
