"""The year of a profile: active, asked, renewed or gone (R15 to R18)."""
