cimport cython

from matching_engine.faults cimport Fault
from matching_engine.record_copies cimport clear
from matching_engine.records cimport CommandRow, EventKind, EventRow

cdef extern from *:
    # The address of a row: see `orders.order_at`.
    EventRow *record_at "&"(EventRow row) noexcept nogil

@cython.final
cdef class EventLog:
    cdef Py_ssize_t size
    cdef unsigned long long seq
    cdef readonly int fault
    cdef EventRow[::1] rows
    cdef object _loan, _spare
    cdef bint _lent

    cpdef int begin(self) except -1
    cpdef int reserve(self, Py_ssize_t events) except -1
    cdef EventRow *add(self, int kind, int reason) noexcept nogil
    cdef void reject(self, const CommandRow *command, int reason, unsigned long long order_id) noexcept nogil
