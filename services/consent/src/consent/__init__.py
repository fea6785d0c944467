"""The privacy statement and what people agreed to."""
