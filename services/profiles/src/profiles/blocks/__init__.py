"""The chain of signed blocks over the access log: what was written down cannot be changed unseen (R33)."""
