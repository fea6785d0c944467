"""What a candidate may not write into a text: a BSN, or words of special categories of data (R9, R11)."""
