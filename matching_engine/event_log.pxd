cimport cython

from matching_engine.faults cimport Fault
from matching_engine.records cimport CommandRow, EventKind, EventRow

cdef extern from *:
    """
    /* Zeros for the thirteen words of an event, written two by two: gcc would clear them with `rep stos`, which begins slowly. */
    static inline void rex_thirteen_words(void *row) {
        typedef long long pair __attribute__((vector_size(16), aligned(8), may_alias));
        typedef long long word __attribute__((may_alias));
        pair *pairs = (pair *) row, zeros = {0, 0};
        pairs[0] = zeros;
        pairs[1] = zeros;
        pairs[2] = zeros;
        pairs[3] = zeros;
        pairs[4] = zeros;
        pairs[5] = zeros;
        ((word *) row)[12] = 0;
    }
    /* An event of another size doesn't compile. */
    #define rex_blank(row) (rex_thirteen_words(row), (void) sizeof(char[sizeof(*(row)) == 13 * 8 ? 1 : -1]))
    """
    void clear "rex_blank"(EventRow *row) noexcept nogil
    # The address of a row, as `orders.order_at`.
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
    cdef void reject(self, const CommandRow *c, int reason, unsigned long long order_id) noexcept nogil
