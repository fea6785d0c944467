"""The part of profiles in erasing a person: their profile, and all that hangs on it (R31)."""
