"""The server below the application: uvicorn with limits on sockets, request heads, WebSocket frames and unsent data."""
