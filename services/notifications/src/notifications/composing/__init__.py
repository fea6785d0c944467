"""From a queued mail to a letter: whether it may still go, where to, and its words."""
