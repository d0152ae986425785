"""Reporting: the projector that keeps the read database, the year's turnover and its defence."""
