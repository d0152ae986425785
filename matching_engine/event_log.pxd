cimport cython

from matching_engine.records cimport EventRow

cdef extern from "string.h":
    void *memset(void *target, int value, size_t size) noexcept nogil

@cython.final
cdef class EventLog:
    cdef Py_ssize_t size
    cdef EventRow[::1] rows
    cdef object _words

    cpdef int reserve(self, Py_ssize_t events) except -1
    cdef Py_ssize_t add(self, unsigned long long seq, int kind, int reason) noexcept nogil
