cimport cython

from matching_engine.pools cimport WORD, lowest_bit

cdef extern from *:
    """
    #define REX_TOUCHED_GOLDEN 0x9E3779B97F4A7C15ull
    """
    const unsigned long long GOLDEN "REX_TOUCHED_GOLDEN"

# The class Touched, by `make records`.
cdef struct TouchedRow:
    long long price_ticks
    long long side_number

cdef enum:
    FEW = 4

cdef extern from *:
    # The address of a row: see `orders.order_at`.
    TouchedRow *touched_at "&"(TouchedRow row) noexcept nogil

# The class TableCell, by `make records`.
cdef struct TableCellRow:
    unsigned long long stamp
    long long entry

@cython.final
cdef class TouchedLevels:
    cdef readonly Py_ssize_t count
    cdef TouchedRow[::1] rows
    cdef TableCellRow[::1] _table
    cdef int _shift
    cdef unsigned long long _stamp

    cpdef int reserve(self, Py_ssize_t levels) except -1
    cpdef void clear(self) noexcept nogil
    @cython.locals(n=Py_ssize_t)
    cpdef void touch(self, long long side_number, long long price_ticks) noexcept nogil
    @cython.locals(mask=Py_ssize_t, i=Py_ssize_t)
    cdef bint _is_new(self, Py_ssize_t count) noexcept nogil
