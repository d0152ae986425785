"""The tables of journal and read database as a history of revisions: `rex migrate`.

Scaled mode: alembic takes the tables of a PostgreSQL database from revision to revision. Embedded mode: the two SQLite files
have a format each, and the venue makes them (folder.py).

postgres.py      upgrade and downgrade of a database, each in one transaction
histories.py     the two histories, and alembic's steps on a connection
env.py           alembic runs it for each migration
journal/         the revisions of the journal's tables
read_database/   the revisions of the read database's tables
transaction.py   the transaction of a migration, or what is wrong with server or database
folder.py        the formats of a data folder
outcome.py       what a migration did, or why it was refused

A revision spells its tables out, in SQL: it stays as it is when the tables of `services/journal/postgres` and
`services/read_database` change. Such a change needs the next revision, and a test compares the tables of both.
"""
