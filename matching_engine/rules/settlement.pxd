cimport cython

from matching_engine.ledger.accounts cimport Accounts
from matching_engine.ledger.day_trades cimport DayTrades, trade_at
from matching_engine.event_log cimport EventLog
from matching_engine.ledger.fees cimport Fees
from matching_engine.ledger.instruments cimport Instruments, instrument_at
from matching_engine.book.order_book cimport Book
from matching_engine.book.orders cimport event_at
from matching_engine.records cimport EventKind, EventRow, Phase, Reason, Side

@cython.final
cdef class Settlement:
    cdef Book book
    cdef Accounts ledger
    cdef Fees fees
    cdef Instruments instruments
    cdef DayTrades day_trades
    cdef EventLog log
    cdef unsigned int trades

    @cython.locals(lots=cython.longlong, amount=cython.longlong, fee=cython.longlong, maker_fee=cython.longlong,
                   released=cython.longlong)
    cdef void settle_trade(self, Py_ssize_t index, long long buy_reserve, int phase) noexcept nogil
    @cython.locals(lots=cython.longlong, released=cython.longlong)
    cdef void settle_end(self, Py_ssize_t index) noexcept nogil
    cdef long long _taker_fee(self, unsigned int account, long long amount_fen, int phase) noexcept nogil
    cdef void _keep_for_the_day(self, const EventRow *event) noexcept nogil
