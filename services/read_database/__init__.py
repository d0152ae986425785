"""The read database: what the projector writes and every query reads. Derived from the journal, never the truth."""
