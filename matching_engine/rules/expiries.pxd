cimport cython

from matching_engine.book.order_book cimport Book
from matching_engine.pools cimport NIL

# The class Expiry, by `make records`.
cdef struct ExpiryRow:
    unsigned long long order_id
    unsigned int time_s
    unsigned int unused

@cython.final
cdef class Expiries:
    cdef Book book
    cdef readonly Py_ssize_t count
    cdef ExpiryRow[::1] rows

    cpdef int reserve(self, Py_ssize_t commands) except -1
    @cython.locals(i=Py_ssize_t)
    cdef void add(self, unsigned long long order_id, unsigned int time_s) noexcept nogil
    cdef int first(self) noexcept nogil
    @cython.locals(i=Py_ssize_t, last=Py_ssize_t, child=Py_ssize_t)
    cdef void drop_first(self) noexcept nogil
    cdef bint _before(self, unsigned long long order_id, unsigned int time_s, Py_ssize_t row) noexcept nogil
    cdef void _copy(self, Py_ssize_t row, Py_ssize_t to) noexcept nogil
    @cython.locals(row=Py_ssize_t, before=Py_ssize_t)
    cdef void _drop_ended(self) noexcept nogil
