cimport cython

from matching_engine.book.orders cimport OrderRow, order_at
from matching_engine.pools cimport NIL, WORD, lowest_bit, prefetch

cdef extern from *:
    """
    #define rex_order_id_hash(id) (((id) ^ (id) >> 32) * 0x9E3779B97F4A7C15ull)
    """
    unsigned long long hash_of "rex_order_id_hash"(unsigned long long order_id) noexcept nogil
    int *entry_at "&"(int row) noexcept nogil

cdef enum:
    AHEAD = 64

@cython.final
cdef class OrderIds:
    cdef readonly Py_ssize_t count
    cdef OrderRow[::1] orders
    cdef int[::1] _table
    cdef int _shift
    cdef unsigned long long _sought
    cdef Py_ssize_t _entry

    @cython.locals(i=Py_ssize_t, mask=Py_ssize_t)
    cpdef int find(self, unsigned long long order_id) noexcept nogil
    cdef void expect(self, unsigned long long order_id) noexcept nogil
    cpdef void insert(self, unsigned long long order_id, int slot) noexcept nogil
    @cython.locals(home=Py_ssize_t, hole=Py_ssize_t, i=Py_ssize_t, mask=Py_ssize_t)
    cpdef int erase(self, unsigned long long order_id) noexcept nogil
    @cython.locals(size=Py_ssize_t, i=Py_ssize_t)
    cpdef int reserve(self, Py_ssize_t count) except -1
    cdef inline Py_ssize_t _entry_of(self, unsigned long long order_id) noexcept nogil
