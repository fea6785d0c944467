"""A mail about a new vacancy to each person whose saved search it fits."""
