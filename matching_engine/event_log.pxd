cimport cython

from matching_engine.faults cimport Fault
from matching_engine.records cimport CommandRow, EventKind, EventRow

cdef extern from "string.h":
    void *memset(void *target, int value, size_t size) noexcept nogil

@cython.final
cdef class EventLog:
    cdef Py_ssize_t size
    cdef unsigned long long seq
    cdef readonly int fault
    cdef EventRow[::1] rows
    cdef object _words

    cpdef int reserve(self, Py_ssize_t events) except -1
    cdef Py_ssize_t add(self, int kind, int reason) noexcept nogil
    cdef void reject(self, const CommandRow *c, int reason, unsigned long long order_id) noexcept nogil
