cimport cython

from matching_engine.accounts cimport Accounts, fee_fen
from matching_engine.event_log cimport EventLog
from matching_engine.instruments cimport Instruments
from matching_engine.order_book cimport OrderBook
from matching_engine.pools cimport NIL
from matching_engine.records cimport CommandRow, EventKind, Reason, Side, TimeInForce

@cython.final
cdef class Execution:
    cdef OrderBook book
    cdef Accounts ledger
    cdef Instruments listed
    cdef EventLog log
    cdef unsigned int maker_rate_ppm, taker_rate_ppm

    cdef void accept(self, const CommandRow *c, long long lot_reserve) noexcept nogil
    cdef void cancel(self, unsigned long long seq, int slot) noexcept nogil
    cdef void end_of_day(self, unsigned long long seq, int instrument, int side) noexcept nogil
    cdef void end_of_day_levels(self, unsigned long long seq, Py_ssize_t first) noexcept nogil
    cdef void _say_accepted(self, const CommandRow *c, long long reserve_fen) noexcept nogil
    cdef void _trade(self, const CommandRow *c, Py_ssize_t j, long long lot_reserve, long long leaves_lots) noexcept nogil
    cdef void _end(self, unsigned long long seq, Py_ssize_t j, int kind) noexcept nogil
    cdef void _level(self, unsigned long long seq, int instrument, int side, long long price_ticks) noexcept nogil
    cdef bint _outside_band(self, int instrument, long long price_ticks) noexcept nogil
