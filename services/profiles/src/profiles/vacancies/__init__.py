"""Vacancies as organisations publish, change and close them: schema.org JobPosting (R20)."""
