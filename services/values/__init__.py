"""Text and sides of values: exact decimals, times, cursors of lists, buyer and seller."""
