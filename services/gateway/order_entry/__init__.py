"""Order entry: a request becomes a command, waits for its journal batch, and gets its answer."""
