"""The WebSocket API: one endpoint for market data, own orders and order entry."""
