"""Slows down whoever guesses passwords."""
