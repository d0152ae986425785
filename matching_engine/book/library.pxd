"""The C interface of the library's `OrderBook`. The engine does not use it."""

cimport cython
from libc.string cimport memcpy

from matching_engine.book.book_refusals cimport amend_refusal, order_refusal
from matching_engine.book.order_book cimport Book
from matching_engine.book.order_ids cimport entry_at, hash_of
from matching_engine.book.orders cimport OrderRow, command_at, event_at, order_at, release
from matching_engine.faults cimport Fault
from matching_engine.pools cimport NIL, is_integer, prefetch
from matching_engine.records cimport (
    MAX_BOOK_PRICE_TICKS,
    MAX_QUANTITY_LOTS,
    BookCommandRow,
    BookEventRow,
    CommandKind,
    EventKind,
    Flag,
    OrderType,
    Reason,
    SelfTrade,
    Side,
    TimeInForce,
)

cdef enum:
    FEW_EVENTS = 64
    WORDS = sizeof(BookEventRow) // 8
    CHUNK = 256
    AHEAD = 8

@cython.final
cdef class OrderBook(Book):
    cdef BookCommandRow[::1] _command
    cdef unsigned long long[::1] _batch    # the events process() returns, as words: numpy would copy records field by field
    cdef Py_ssize_t _batch_words

    cpdef list collecting(self, int instrument, bint on, long long reference_ticks=*)
    cdef int _apply_all(self, const BookCommandRow[::1] commands) except -1
    cdef int _add_to_batch(self) except -1
    cdef inline void _look_ahead(self, unsigned long long order_id, unsigned long long later_id) noexcept nogil
    cdef void _apply(self, const BookCommandRow *command) noexcept nogil
    @cython.locals(plain=cython.bint)
    cdef inline int _new_order(self, const BookCommandRow *command) noexcept nogil
    cdef inline bint _is_plain(self, const BookCommandRow *command) noexcept nogil
    @cython.locals(same=cython.bint)
    cdef int _amend(self, const BookCommandRow *command) noexcept nogil
    cdef void _wait(self, int slot, long long trigger_ticks) noexcept nogil
    cdef inline void _run(self, int slot) noexcept nogil
    cdef void _run_triggered(self) noexcept nogil
    cdef void _emit_state(self, int kind, int slot) noexcept nogil
    @cython.locals(accepted=cython.bint)
    cdef inline void _answer(self, const BookCommandRow *command, int kind, int reason) noexcept nogil
    cdef list _take(self)
    cdef inline tuple _event(self, Py_ssize_t i)
    cdef list _queue(self, int level)
    cdef object _open_order(self, int slot)
    cdef int _stop_at_fault(self, Py_ssize_t seq) except -1
