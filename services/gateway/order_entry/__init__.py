"""Order entry: turns a request into a command, waits for its journal batch, and makes the answer."""
