"""What a client missed of its private streams, read again: fills and busts from the read database, orders by the journal.

missed.py    pages of what changed between two sequence numbers, for one account or all
phases.py    the phases that rows of the journal set
queries.py   the queries
"""
