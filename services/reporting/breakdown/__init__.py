"""What the year's turnover is made of: the bridge, splits, concentration, variance, months, fees, what the wash screen flagged,
progress of all targets. A figure is a file: its documents, how it is read, and pure functions over the rows (reading.py)."""
