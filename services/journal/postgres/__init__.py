"""The journal of the scaled mode, in PostgreSQL: one statement appends a batch as a row and checks who writes.

writer_row.py    the single row of `journal_writer`: who writes, in which epoch, and where the chain ends
"""
