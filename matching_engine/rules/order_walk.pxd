cimport cython

from matching_engine.book.order_book cimport Book
from matching_engine.pools cimport NIL

@cython.final
cdef class OrderWalk:
    cdef Book book
    cdef int _level, _slot, _waiting_side

    cdef void begin(self, int instrument, int side) noexcept nogil
    cdef int next(self) noexcept nogil
    cdef void _enter_level(self, int level) noexcept nogil
