"""The events that profiles writes, one module per topic."""
