"""The HTTP face: the door, the routes, their documentation and counters."""
