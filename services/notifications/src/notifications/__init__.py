"""E-mail, saved searches and job alerts."""
