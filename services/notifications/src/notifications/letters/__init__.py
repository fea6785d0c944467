"""The bytes of a letter."""
