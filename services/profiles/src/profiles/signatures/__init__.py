"""The keys that sign the access log's blocks."""
