"""Snapshots: the whole state of an engine as canonical bytes, its checks, and the engine restored from it."""
