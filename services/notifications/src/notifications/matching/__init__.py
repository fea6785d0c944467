"""Which saved searches a vacancy fits."""
