"""Whether the access log is still what was sealed."""
