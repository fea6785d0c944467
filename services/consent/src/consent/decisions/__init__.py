"""What people were shown, agreed to and withdrew; and what they had agreed to on a day."""
