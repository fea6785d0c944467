"""Real parts for tests, a portal to act through, a clock to turn, a worker to kill."""
