cimport cython

from matching_engine.ledger.accounts cimport Accounts
from matching_engine.ledger.client_ids cimport ClientIds
from matching_engine.ledger.day_trades cimport DayTrades, trade_at
from matching_engine.event_log cimport EventLog
from matching_engine.rules.execution cimport Execution
from matching_engine.rules.expiries cimport Expiries
from matching_engine.ledger.instruments cimport SECOND_NS, Instruments, instrument_at
from matching_engine.limits cimport CLIENT_ID_TRADING_DAYS
from matching_engine.book.order_book cimport Book
from matching_engine.rules.order_walk cimport OrderWalk
from matching_engine.pools cimport NIL
from matching_engine.records cimport (
    ALL_INSTRUMENTS,
    INSTRUMENT_DELISTED_REASON,
    CommandKind,
    CommandRow,
    EventKind,
    OrderType,
    Phase,
    Reason,
    TimeInForce,
)
from matching_engine.ledger.turnover cimport Turnover

cdef bint is_date(unsigned int date) noexcept nogil

@cython.final
cdef class SessionCommands:
    cdef Book book
    cdef Accounts ledger
    cdef Instruments instruments
    cdef ClientIds client_ids
    cdef DayTrades day_trades
    cdef Expiries expiries
    cdef Execution execution
    cdef EventLog log
    cdef Turnover turnover
    cdef OrderWalk walk
    cdef unsigned int trading_date

    cdef void change_phase(self, const CommandRow *command) noexcept nogil
    cdef void pass_time(self, const CommandRow *command) noexcept nogil
    cdef void roll_day(self, const CommandRow *command) noexcept nogil
    cdef void emit_phase(self, int instrument, int phase) noexcept nogil
    cdef long long next_deadline_ns(self) noexcept nogil

    cdef int delist(self, int instrument) noexcept nogil
    cdef void end_outside_band(self, int instrument) noexcept nogil

    cdef int _end_side(self, int instrument, int side) noexcept nogil
    @cython.locals(reason=int)
    cdef int _phase_refusal(self, const CommandRow *command) noexcept nogil
    cdef void _enter_phases(self) noexcept nogil
    cdef void _enter_phase(self, int instrument) noexcept nogil
    cdef long long _expiry_ns(self, int slot) noexcept nogil
    cdef void _begin_trading(self, int instrument) noexcept nogil
    cdef void _find_closing_prices(self) noexcept nogil
    cdef void _end_day_of(self, int instrument, unsigned int year) noexcept nogil
    cdef void _end_orders(self, int instrument, int side, bint ends_day) noexcept nogil
    cdef bint _outside_band(self, int instrument, int slot) noexcept nogil
    cdef void _forget_client_ids(self) noexcept nogil
