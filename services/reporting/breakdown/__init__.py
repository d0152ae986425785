"""What the year's turnover is made of: the ladder, splits, concentration, effects, months, fees, progress of all targets."""
