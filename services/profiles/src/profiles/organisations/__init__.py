"""What profiles knows of the organisations: their name, state, access to the bank and members (from identity's events)."""
