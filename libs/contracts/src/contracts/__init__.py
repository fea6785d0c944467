"""The events: all that services know of each other."""
