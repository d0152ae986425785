"""Answers as JSON: orders, fills and market data."""
