"""What the venue answers, as JSON: orders, fills and market data."""
