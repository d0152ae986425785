from matching_engine.ledger.instruments cimport Instruments, highest_ticks, lowest_ticks
from matching_engine.book.order_book cimport Book
from matching_engine.records cimport MAX_PRICE_TICKS, Side

cdef long long anchor_of(int instrument, Instruments instruments, Book book) noexcept nogil
cdef bint outside_collar(int instrument, int side, long long price_ticks, long long anchor,
                         Instruments instruments) noexcept nogil
cdef long long protection_of(int instrument, int side, long long anchor, Instruments instruments) noexcept nogil
cdef long long worst_ticks(int instrument, int side, Instruments instruments, Book book) noexcept nogil
