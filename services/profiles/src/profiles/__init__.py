"""Profiles, the candidate bank, vacancies."""
