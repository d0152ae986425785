"""The read database of the scaled mode, in PostgreSQL, with the tables of `services/read_model/tables.py`.

connecting.py     a connection, and the errors of PostgreSQL as those of the read database
copying.py        a copy as a SQLite file, for the audit
database.py       opens it for queries
read_witness.py   its position as evidence about the journal
tables.py         its tables: found, made and dropped
writer.py         PostgresWriter: what the projector needs of it
"""
