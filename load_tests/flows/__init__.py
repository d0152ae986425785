"""Order flows: made from a seed, read from files, counted."""
