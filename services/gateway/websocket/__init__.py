"""The WebSocket face: one endpoint for market data, own orders and order entry."""
