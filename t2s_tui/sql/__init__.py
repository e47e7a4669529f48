"""SQL as text and as trees: cutting, parsing, normalising, diffing, guarding. Pure functions."""
