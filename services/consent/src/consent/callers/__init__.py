"""What consent must know of those who call: signing keys, ended sessions, closed accounts. All of it comes by event."""
