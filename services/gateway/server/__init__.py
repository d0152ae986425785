"""The server below the application: uvicorn with limits on sockets, heads, frames and what is unsent."""
