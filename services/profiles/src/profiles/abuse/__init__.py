"""When the bank was carried away: an operator says so, and everybody who was seen is told, once (R40; GDPR, article 34)."""
