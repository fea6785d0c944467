"""How passwords are judged, hashed and compared."""
