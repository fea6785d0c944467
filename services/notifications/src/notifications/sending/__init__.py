"""From the queue to the mail server: rendering, trying again, and what became of each mail."""
