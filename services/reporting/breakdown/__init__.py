"""What the year's turnover is made of: the ladder, splits, concentration, effects, months, fees, what the wash screen flagged,
progress of all targets."""
