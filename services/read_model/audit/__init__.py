"""Compares the read database with an engine that has executed the journal, and with the journal's batches."""
