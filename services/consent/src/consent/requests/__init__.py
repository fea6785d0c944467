"""Requests of data subjects: opened, asked of every service in turn, watched until their term, closed (R31)."""
