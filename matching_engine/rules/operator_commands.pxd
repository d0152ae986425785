cimport cython

from matching_engine.ledger.accounts cimport Accounts
from matching_engine.ledger.day_trades cimport DayTrades
from matching_engine.event_log cimport EventLog
from matching_engine.ledger.fees cimport Fees
from matching_engine.ledger.instruments cimport Instruments
from matching_engine.limits cimport (
    MAX_ACCOUNTS,
    MAX_AUCTION_S,
    MAX_DAY_AMOUNT_FEN,
    MAX_HELD_LOTS,
    MAX_INSTRUMENTS,
    MAX_TICK_VALUE_FEN,
)
from matching_engine.pools cimport NIL
from matching_engine.records cimport (
    MAX_AMOUNT_FEN,
    MAX_PRICE_TICKS,
    MAX_QUANTITY_LOTS,
    MAX_RATE_PPM,
    VENUE,
    CommandKind,
    CommandRow,
    EventKind,
    EventRow,
    Flag,
    Phase,
    Reason,
    Side,
)
from matching_engine.rules.session_commands cimport SessionCommands

cdef enum:
    TERMS = 100

@cython.final
cdef class OperatorCommands:
    cdef Accounts ledger
    cdef Fees fees
    cdef Instruments instruments
    cdef DayTrades day_trades
    cdef SessionCommands session_commands
    cdef EventLog log

    cdef void open_account(self, const CommandRow *command) noexcept nogil
    cdef void change_cash(self, const CommandRow *command) noexcept nogil
    cdef void change_lots(self, const CommandRow *command) noexcept nogil
    @cython.locals(reason=int)
    cdef void set_order_limits(self, const CommandRow *command) noexcept nogil
    @cython.locals(reason=int)
    cdef void set_turnover_limit(self, const CommandRow *command) noexcept nogil
    @cython.locals(on=cython.bint)
    cdef void set_kill_switch(self, const CommandRow *command) noexcept nogil
    cdef void list_instrument(self, const CommandRow *command) noexcept nogil
    cdef void change_instrument(self, const CommandRow *command) noexcept nogil
    cdef void delist_instrument(self, const CommandRow *command) noexcept nogil
    @cython.locals(reason=int)
    cdef void set_collar(self, const CommandRow *command) noexcept nogil
    @cython.locals(reason=int)
    cdef void set_volatility_band(self, const CommandRow *command) noexcept nogil
    cdef void set_fees(self, const CommandRow *command) noexcept nogil
    @cython.locals(maker_buys=cython.bint)
    cdef void bust_trade(self, const CommandRow *command) noexcept nogil

    cdef int _cash_refusal(self, const CommandRow *command) noexcept nogil
    cdef int _lots_refusal(self, const CommandRow *command) noexcept nogil
    cdef int _listing_refusal(self, const CommandRow *command) noexcept nogil
    @cython.locals(reason=int)
    cdef int _change_refusal(self, const CommandRow *command) noexcept nogil
    cdef EventRow *_emit_account(self, int kind, unsigned int account) noexcept nogil
    cdef void _emit_instrument(self, int kind, int instrument) noexcept nogil
    cdef int _bust_refusal(self, Py_ssize_t row, unsigned int buyer, long long account_fen,
                           long long maker_fen) noexcept nogil
    cdef void _give_back_lots(self, Py_ssize_t row, unsigned int buyer, unsigned int seller) noexcept nogil
    cdef void _emit_busted(self, Py_ssize_t row) noexcept nogil
