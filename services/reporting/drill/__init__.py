"""From a figure to its days, its trades, their orders, and the journal row that holds each command. The days are
for everybody, the others for operators.

links.py        the addresses, relative to the host: every answer has them in `links`
filters.py      which trades: the query parameters, as numbers of the read database
trade_pages.py  the queries: a page of trades, and the sum of all of them
year_days.py    the days of a year
schemas.py      the documents; documents.py makes them of trades, orders and what they refer to
journal_row.py  the row of a sequence number, with its command and events by name
in_time.py      a connection whose queries end after some seconds
routes.py       the routes below /v1/reports
"""
