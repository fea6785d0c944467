"""The keys under which other services seal what notifications must be told, and opening what they sealed."""
