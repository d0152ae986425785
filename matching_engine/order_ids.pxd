cimport cython

from matching_engine.pools cimport NIL, WORD, lowest_bit

cdef extern from *:
    """
    #define REX_GOLDEN 0x9E3779B97F4A7C15ull
    #define rex_prefetch(address) __builtin_prefetch(address, 1)
    """
    const unsigned long long GOLDEN "REX_GOLDEN"
    void prefetch "rex_prefetch"(void *address) noexcept nogil

cdef struct EntryRow:
    unsigned long long order_id
    int slot
    unsigned int unused

@cython.final
cdef class OrderIds:
    cdef readonly Py_ssize_t count
    cdef EntryRow[::1] _table
    cdef int _shift

    cpdef int find(self, unsigned long long order_id) noexcept nogil
    cdef void expect(self, unsigned long long order_id) noexcept nogil
    cpdef void insert(self, unsigned long long order_id, int slot) noexcept nogil
    cpdef int erase(self, unsigned long long order_id) noexcept nogil
    cpdef int reserve(self, Py_ssize_t orders) except -1
    cdef inline Py_ssize_t _home(self, unsigned long long order_id) noexcept nogil
    cdef inline Py_ssize_t _locate(self, unsigned long long order_id) noexcept nogil
