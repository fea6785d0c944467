"""What systems of organisations are told of the bank, and whether they forgot what they had to."""
