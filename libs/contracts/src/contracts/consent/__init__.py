"""The events that consent writes, one module per topic."""
