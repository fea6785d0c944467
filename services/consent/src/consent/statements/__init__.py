"""The privacy statement: its versions, readable for ever, and the one in force."""
