"""What identity says of tokens: the keys that sign them, and sessions that ended before they did."""
