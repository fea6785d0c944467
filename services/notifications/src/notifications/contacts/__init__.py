"""Where a person can be mailed, kept encrypted under their own key."""
