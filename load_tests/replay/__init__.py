"""The replay of a flow through a venue's public API, and the verdict on it."""
