cimport cython

from matching_engine.accounts cimport Accounts, lot_reserve_fen
from matching_engine.client_ids cimport ClientIds, is_empty, mix
from matching_engine.event_log cimport EventLog
from matching_engine.execution cimport Execution
from matching_engine.faults cimport Fault
from matching_engine.instruments cimport Instruments
from matching_engine.limits cimport CLIENT_ID_TRADING_DAYS, MAX_ACCOUNTS, MAX_INSTRUMENTS
from matching_engine.order_book cimport OrderBook
from matching_engine.pools cimport NIL, WORD
from matching_engine.records cimport (
    ALL_INSTRUMENTS,
    MAX_RATE_PPM,
    CommandKind,
    CommandRow,
    EventKind,
    OrderType,
    Phase,
    Reason,
    Side,
)
from matching_engine.refusals cimport (
    cash_refusal,
    declined,
    is_date,
    listing_refusal,
    lots_refusal,
    phase_refusal,
    unaffordable,
    unreadable,
)
from matching_engine.turnover cimport Turnover

cdef enum:
    CHUNK = 256

@cython.final
cdef class Engine:
    cdef readonly OrderBook book
    cdef readonly Accounts ledger
    cdef readonly ClientIds client_ids
    cdef readonly Instruments listed
    cdef readonly Turnover turnover
    cdef readonly unsigned long long last_seq
    cdef readonly unsigned int trading_date, trading_day
    cdef EventLog log
    cdef Execution execution
    cdef int _fault
    cdef unsigned long long _fault_seq

    cdef int _run_bytes(self, const unsigned char[::1] data, Py_ssize_t count) except -1
    cdef int _run(self, const CommandRow *commands, Py_ssize_t count) except -1
    cdef int _reserve(self, Py_ssize_t commands) except -1
    cdef int _stop_at_fault(self) except -1
    cdef void _set_fault(self, int fault, unsigned long long seq) noexcept nogil
    cdef void _apply(self, const CommandRow *c) noexcept nogil
    cdef void _reject(self, const CommandRow *c, int reason, unsigned long long order_id) noexcept nogil

    cdef void _new_order(self, const CommandRow *c) noexcept nogil
    cdef unsigned long long _body_digest(self, const CommandRow *c) noexcept nogil
    cdef bint _is_repeat(self, const CommandRow *c) noexcept nogil
    cdef long long _lot_value(self, const CommandRow *c) noexcept nogil
    cdef void _cancel(self, const CommandRow *c) noexcept nogil

    cdef void _open_account(self, const CommandRow *c) noexcept nogil
    cdef void _change_cash(self, const CommandRow *c) noexcept nogil
    cdef void _change_lots(self, const CommandRow *c) noexcept nogil

    cdef void _list_instrument(self, const CommandRow *c) noexcept nogil
    cdef void _set_fees(self, const CommandRow *c) noexcept nogil
    cdef void _change_phase(self, const CommandRow *c) noexcept nogil
    cdef void _phase_changed(self, int instrument, int phase) noexcept nogil

    cdef void _day_roll(self, const CommandRow *c) noexcept nogil
    cdef void _settle(self, int instrument, unsigned int year) noexcept nogil
    cdef void _forget_client_ids(self) noexcept nogil
