"""Text and sides of values: exact decimals, times, buyer and seller."""
