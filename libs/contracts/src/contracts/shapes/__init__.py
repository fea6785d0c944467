"""Forms that the streams of several services share: each service has a topic of its own with the same body."""
