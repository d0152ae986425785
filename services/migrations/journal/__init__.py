"""The revisions of the journal's tables."""
