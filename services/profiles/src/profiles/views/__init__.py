"""Who looked at whom, when, for which purpose: the access log of profiles, and what of it a candidate sees (R19)."""
