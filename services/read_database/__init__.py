"""Reader 2 of the journal: the read database, which every query reads. Derived from the journal, never the truth."""
