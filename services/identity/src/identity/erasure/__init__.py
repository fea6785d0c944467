"""Identity's part of erasing a person: after every other service, until when the account shows that it is closed (R31)."""
