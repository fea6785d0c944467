"""What every service needs and none writes again."""
