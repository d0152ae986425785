"""Order flows: generated from a seed, read from files, and their mix counted."""
