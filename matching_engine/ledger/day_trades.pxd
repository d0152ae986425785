cimport cython

from matching_engine.pools cimport NIL

# The class DayTrade, by `make records`.
cdef struct DayTradeRow:
    unsigned long long trade_id
    long long price_ticks
    long long quantity_lots
    long long amount_fen
    long long fee_fen
    long long maker_fee_fen
    unsigned int account
    unsigned int maker_account
    unsigned short instrument
    unsigned char side
    unsigned char busted
    unsigned int unused

cdef extern from *:
    # The address of a row: see `orders.order_at`.
    DayTradeRow *trade_at "&"(DayTradeRow row) noexcept nogil

@cython.final
cdef class DayTrades:
    cdef readonly Py_ssize_t count
    cdef DayTradeRow[::1] rows

    cpdef int reserve(self, Py_ssize_t trades) except -1
    cpdef Py_ssize_t add(self, unsigned long long trade_id) noexcept nogil
    @cython.locals(low=Py_ssize_t, high=Py_ssize_t, middle=Py_ssize_t)
    cpdef Py_ssize_t find(self, unsigned long long trade_id) noexcept nogil
    cpdef void clear(self) noexcept nogil
