"""What a candidate tells about themselves: read and changed by them at any time (R8, R9, R12)."""
