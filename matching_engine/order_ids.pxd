cimport cython

from matching_engine.orders cimport OrderRow
from matching_engine.pools cimport NIL, WORD, lowest_bit, prefetch

cdef struct EntryRow:
    int slot
    unsigned int mark

cdef extern from *:
    """
    #define rex_mark(id) ((unsigned int) ((((id) ^ (id) >> 32) * 0x9E3779B97F4A7C15ull) >> 32))
    """
    EntryRow *entry_at "&"(EntryRow row) noexcept nogil
    unsigned int mark_of "rex_mark"(unsigned long long order_id) noexcept nogil

@cython.final
cdef class OrderIds:
    cdef readonly Py_ssize_t count
    cdef OrderRow[::1] orders
    cdef EntryRow[::1] _table
    cdef int _shift
    cdef unsigned long long _sought
    cdef Py_ssize_t _place

    cpdef int find(self, unsigned long long order_id) noexcept nogil
    cdef void expect(self, unsigned long long order_id) noexcept nogil
    cpdef void insert(self, unsigned long long order_id, int slot) noexcept nogil
    @cython.locals(home=Py_ssize_t, hole=Py_ssize_t, i=Py_ssize_t, mask=Py_ssize_t)
    cpdef int erase(self, unsigned long long order_id) noexcept nogil
    @cython.locals(i=Py_ssize_t, place=Py_ssize_t, size=Py_ssize_t)
    cpdef int reserve(self, Py_ssize_t count) except -1
    @cython.locals(known=Py_ssize_t)
    cdef inline Py_ssize_t _place_of(self, unsigned long long order_id) noexcept nogil
    @cython.locals(i=Py_ssize_t, mask=Py_ssize_t)
    cdef inline Py_ssize_t _locate(self, unsigned long long order_id) noexcept nogil
