cimport cython

from matching_engine.ledger.accounts cimport Accounts
from matching_engine.ledger.client_ids cimport ClientIds
from matching_engine.ledger.day_trades cimport DayTrades
from matching_engine.rules.expiries cimport Expiries
from matching_engine.ledger.fees cimport Fees
from matching_engine.ledger.instruments cimport Instruments
from matching_engine.book.order_book cimport Book
from matching_engine.records cimport Side, TimeInForce
from matching_engine.ledger.turnover cimport Turnover

cdef enum:
    CHUNK = 256

cpdef restore_fees(Fees fees, rows)
cpdef restore_turnover(Turnover turnover, rows)
cpdef restore_instruments(Instruments listed, Book book, rows)
cpdef restore_accounts(Accounts ledger, accounts, holdings, orders)
@cython.locals(slot=int)
cpdef restore_orders(Book book, Expiries expiries, orders, accounts)
cpdef restore_trades(DayTrades day_trades, trades)
cpdef restore_client_ids(ClientIds client_ids, rows)
