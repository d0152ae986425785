"""The gateway: the HTTP and WebSocket face of the venue."""
