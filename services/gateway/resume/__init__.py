"""What a client missed of its private streams, read again: fills and busts from the read database, orders by the journal.

missed.py         pages of what changed between two sequence numbers, for one account or all
journal_rows.py   the orders that rows of the journal name, and the phases that they set
"""
