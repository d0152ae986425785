cimport cython

from matching_engine.ledger.accounts cimport Accounts
from matching_engine.event_log cimport EventLog
from matching_engine.ledger.instruments cimport InstrumentRow, Instruments, instrument_at
from matching_engine.limits cimport MAX_INSTRUMENTS
from matching_engine.book.order_book cimport Book
from matching_engine.book.orders cimport event_at, order_at, release
from matching_engine.pools cimport NIL
from matching_engine.book.price_levels cimport level_at
from matching_engine.rules.price_limits cimport worst_ticks
from matching_engine.records cimport EventKind, OrderType, Phase, Reason, Side
from matching_engine.rules.settlement cimport Settlement
from matching_engine.rules.touched_levels cimport TouchedLevels

@cython.final
cdef class Execution:
    cdef Book book
    cdef Accounts ledger
    cdef Instruments instruments
    cdef Settlement settlement
    cdef EventLog log
    cdef TouchedLevels touched
    cdef int first_indicated, last_indicated
    cdef long long time_ns

    cdef void run_or_hold(self, int slot, long long trigger_ticks) noexcept nogil
    cdef void cascade(self) noexcept nogil
    cdef void end(self, int slot, int kind, int reason) noexcept nogil
    cdef void uncross(self, int instrument) noexcept nogil
    cdef void touch(self, int slot) noexcept nogil
    cdef void indicate(self, int instrument) noexcept nogil
    cdef void note_best(self, int side_number) noexcept nogil

    @cython.locals(left=cython.longlong)
    cdef void _run(self, int slot) noexcept nogil
    cdef void _settle_book_events(self, unsigned long long order_id, long long tag, long long left, unsigned int account,
                      int instrument, int side, long long price_ticks) noexcept nogil
    cdef void _emit_triggered(self, int slot) noexcept nogil
    cdef void _begin_auction(self, int instrument) noexcept nogil
    @cython.locals(bought=cython.longlong, sold=cython.longlong, trading=cython.longlong)
    cdef void _touch_crossed(self, int instrument, long long lots) noexcept nogil
    cdef long long _all_lots(self, int level) noexcept nogil
    @cython.locals(number=cython.longlong, price=cython.longlong)
    cdef void emit_levels(self) noexcept nogil
    cdef int _emit_level(self, int side_number, long long price_ticks) noexcept nogil
    cdef inline void _note_touched(self, InstrumentRow *row, int side_number, long long price_ticks, int orders) noexcept nogil
    cdef inline void _note_indicated(self, int instrument) noexcept nogil
    cdef void _emit_indicatives(self) noexcept nogil
    cdef void _emit_indicative(self, int instrument) noexcept nogil
