"""E-mail addresses: encrypted under their owner's data key, found by keyed hash."""
