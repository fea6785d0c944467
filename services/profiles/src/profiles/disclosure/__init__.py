"""What others see of a profile: field by field, anonymous, permanently anonymous (R13, R14)."""
