"""How a person becomes a member of an organisation: by a mail and their own word."""
