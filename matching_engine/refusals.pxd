from matching_engine.accounts cimport Accounts
from matching_engine.instruments cimport Instruments
from matching_engine.limits cimport (
    MAX_DAY_AMOUNT_FEN,
    MAX_HELD_LOTS,
    MAX_INSTRUMENTS,
    MAX_OPEN_ORDERS,
    MAX_TICK_VALUE_FEN,
)
from matching_engine.records cimport (
    ALL_INSTRUMENTS,
    MAX_AMOUNT_FEN,
    MAX_PRICE_TICKS,
    MAX_QUANTITY_LOTS,
    MAX_RATE_PPM,
    CommandKind,
    CommandRow,
    OrderType,
    Phase,
    Reason,
    SelfTrade,
    Side,
    TimeInForce,
)

cdef int unreadable(const CommandRow *c, Instruments listed) noexcept nogil
cdef int declined(const CommandRow *c, Instruments listed, Py_ssize_t open_orders) noexcept nogil
cdef int unaffordable(const CommandRow *c, Instruments listed, Accounts ledger, long long lot_value_fen,
                      long long lot_reserve) noexcept nogil
cdef int cash_refusal(const CommandRow *c, Accounts ledger) noexcept nogil
cdef int lots_refusal(const CommandRow *c, Instruments listed, Accounts ledger) noexcept nogil
cdef int listing_refusal(const CommandRow *c, Instruments listed) noexcept nogil
cdef int phase_refusal(const CommandRow *c, Instruments listed) noexcept nogil
cdef bint is_date(unsigned int date) noexcept nogil
