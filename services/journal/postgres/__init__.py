"""The journal of the scaled mode, in PostgreSQL: one statement appends a batch as a row and checks who writes.

journal.py         PostgresJournal: open, look, claim, append, read, watch. It stands on:
  batch_writer.py    claims, appends, and finds out what became of an append without an answer
  batch_reader.py    reads batches and the writer row; checks the chain and its end
  lag.py             how far a reader is behind the end
  seen.py            the highest end of the chain that this process has found, and that is confirmed
  session.py         a connection that is made again after it was lost
  connections.py     connects to the database, or says what is wrong with it
  statements.py      the SQL
writer_row.py      the single row of `journal_writer`: who writes, in which epoch, and where the chain ends
tables.py          the two tables, and a new journal in them
"""
