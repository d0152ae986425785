"""The order book: prices, queues and matching, without accounts or money."""
