"""Reader 2 of the journal: the read database, which every query reads. It is derived: the journal decides."""
