"""What the foundation costs: each mechanism beside the least that could do its work, in one run (`make bench`)."""
