"""The part of notifications in erasing a person: first what it keeps of them, and after the last mail where to mail to (R31)."""
