"""The events that identity writes, one module per topic."""
