"""What a search would find and send, shown while it is being written; nothing of it is kept."""
