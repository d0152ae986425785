"""From a figure to its days, its trades, their orders, and the journal row that holds each command. The days are
for everybody, the others for operators.

links.py        the addresses, relative to the host: every answer has them in `links`
filters.py      which trades: the query parameters, as numbers of the read database, and where a page begins
findings.py     the trades of a finding of the wash screen
trade_pages.py  the queries: a page of trades, and the sum of all of them
trades.py       the documents of trades and orders, made of rows and what they refer to
days.py         the days of a year, and a sum of trades
journal_row.py  the row of a sequence number, with its command and events by name
routes.py       the routes below /v1/reports
"""
