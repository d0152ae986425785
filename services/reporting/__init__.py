"""The figure: the year's turnover, its target and its defence."""
