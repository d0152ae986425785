cimport cython

from matching_engine.accounts cimport Accounts, fee_fen, lot_reserve_fen
from matching_engine.client_ids cimport ClientIds, is_empty, mix
from matching_engine.event_log cimport EventLog
from matching_engine.faults cimport Fault
from matching_engine.instruments cimport Instruments
from matching_engine.limits cimport (
    CLIENT_ID_TRADING_DAYS,
    MAX_ACCOUNTS,
    MAX_DAY_AMOUNT_FEN,
    MAX_HELD_LOTS,
    MAX_INSTRUMENTS,
    MAX_OPEN_ORDERS,
    MAX_TICK_VALUE_FEN,
)
from matching_engine.order_book cimport OrderBook
from matching_engine.pools cimport NIL, WORD
from matching_engine.records cimport (
    ALL_INSTRUMENTS,
    MAX_AMOUNT_FEN,
    MAX_PRICE_TICKS,
    MAX_QUANTITY_LOTS,
    MAX_RATE_PPM,
    CommandKind,
    CommandRow,
    EventKind,
    OrderType,
    Phase,
    Reason,
    SelfTrade,
    Side,
    TimeInForce,
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
    cdef readonly unsigned int trading_date, trading_day, maker_rate_ppm, taker_rate_ppm
    cdef EventLog log
    cdef int _fault
    cdef unsigned long long _fault_seq

    cdef int _run(self, const CommandRow[::1] commands) except -1
    cdef int _reserve(self, Py_ssize_t commands) except -1
    cdef int _stop_at_fault(self) except -1
    cdef void _set_fault(self, int fault, unsigned long long seq) noexcept nogil
    cdef void _apply(self, const CommandRow *c) noexcept nogil
    cdef void _reject(self, const CommandRow *c, int reason, unsigned long long order_id) noexcept nogil

    cdef void _new_order(self, const CommandRow *c) noexcept nogil
    cdef unsigned long long _body_digest(self, const CommandRow *c) noexcept nogil
    cdef bint _is_repeat(self, const CommandRow *c) noexcept nogil
    cdef int _unreadable(self, const CommandRow *c) noexcept nogil
    cdef int _declined(self, const CommandRow *c) noexcept nogil
    cdef int _unaffordable(self, const CommandRow *c, long long lot_value_fen, long long lot_reserve) noexcept nogil
    cdef long long _lot_value(self, const CommandRow *c) noexcept nogil
    cdef void _accept(self, const CommandRow *c, long long lot_reserve) noexcept nogil
    cdef void _trade(self, const CommandRow *c, Py_ssize_t j, long long lot_reserve, long long leaves_lots) noexcept nogil
    cdef void _end(self, Py_ssize_t j, int kind) noexcept nogil
    cdef void _level(self, int instrument, int side, long long price_ticks) noexcept nogil
    cdef void _cancel(self, const CommandRow *c) noexcept nogil

    cdef void _open_account(self, const CommandRow *c) noexcept nogil
    cdef void _change_cash(self, const CommandRow *c) noexcept nogil
    cdef int _cash_refusal(self, const CommandRow *c) noexcept nogil
    cdef void _change_lots(self, const CommandRow *c) noexcept nogil
    cdef int _lots_refusal(self, const CommandRow *c) noexcept nogil

    cdef void _list_instrument(self, const CommandRow *c) noexcept nogil
    cdef int _listing_refusal(self, const CommandRow *c) noexcept nogil
    cdef void _set_fees(self, const CommandRow *c) noexcept nogil
    cdef void _change_phase(self, const CommandRow *c) noexcept nogil
    cdef int _phase_refusal(self, const CommandRow *c) noexcept nogil
    cdef void _phase_changed(self, int instrument, int phase) noexcept nogil

    cdef void _day_roll(self, const CommandRow *c) noexcept nogil
    cdef bint _is_date(self, unsigned int date) noexcept nogil
    cdef bint _outside_band(self, int instrument, long long price_ticks) noexcept nogil
    cdef void _settle(self, int instrument, unsigned int year) noexcept nogil
    cdef void _end_of_day(self, int instrument, int side) noexcept nogil
    cdef void _end_of_day_levels(self, Py_ssize_t first) noexcept nogil
    cdef void _forget_client_ids(self) noexcept nogil
