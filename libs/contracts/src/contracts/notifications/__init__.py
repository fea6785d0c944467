"""The events that notifications writes, one module per topic."""
