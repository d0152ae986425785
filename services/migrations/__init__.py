"""The tables of journal and read database as a history of changes, for `rex migrate` (alembic)."""
