cimport cython

from matching_engine.pools cimport WORD

# The class Year, by `make records`.
cdef struct YearRow:
    unsigned long long turnover_low
    unsigned long long turnover_high
    unsigned int year
    unsigned int unused

@cython.final
cdef class Turnover:
    cdef readonly int count
    cdef YearRow[::1] rows

    cpdef int reserve(self, Py_ssize_t years) except -1
    cpdef void add(self, unsigned int year, long long amount_fen) noexcept nogil
