"""What identity lets notifications know and mail: contacts and mail requests, sealed."""
