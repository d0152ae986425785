"""The figure: the year's turnover, its progress against the target, and its proof."""
