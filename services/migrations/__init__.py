"""The tables of journal and read database: `rex migrate`.

The journal is the truth: alembic takes its PostgreSQL tables from revision to revision, and the data stay. The read database is
derived: one of another format is made anew, from the journal.

postgres.py      both in a PostgreSQL database, in one transaction; the history of the journal's tables
env.py           alembic runs it for each migration
journal/         the revisions of the journal's tables
read_tables.py   the tables of the read database there: what is found, and made anew
folder.py        the formats of a data folder
outcome.py       what a migration did, or why it was refused

A revision spells its tables out, in SQL: it stays as it is when `services/journal/postgres/tables.py` changes. Such a change
needs the next revision, and a test compares the tables of both.
"""
