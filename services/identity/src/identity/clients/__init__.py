"""Machine clients of organisations (OAuth 2 client credentials)."""
