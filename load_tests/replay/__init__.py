"""Replays a flow through a venue's public API, and gives a verdict."""
