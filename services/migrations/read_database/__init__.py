"""The revisions of the read database's tables."""
