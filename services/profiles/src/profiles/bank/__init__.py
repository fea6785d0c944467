"""What recruiters can search: a projection of the profiles that are in the bank."""
