cimport cython

from matching_engine.ledger.accounts cimport Accounts, account_at
from matching_engine.ledger.instruments cimport SECOND_NS, Instruments, instrument_at
from matching_engine.limits cimport MAX_DAY_AMOUNT_FEN, MAX_OPEN_ORDERS
from matching_engine.book.order_book cimport Book
from matching_engine.rules.order_terms cimport OrderTerms, may_rest
from matching_engine.book.orders cimport refills_of
from matching_engine.rules.price_limits cimport anchor_of, outside_collar
from matching_engine.records cimport (
    MAX_AMOUNT_FEN,
    MAX_PRICE_TICKS,
    MAX_SLICES,
    CommandRow,
    Flag,
    OrderType,
    Reason,
    SelfTrade,
    Side,
    TimeInForce,
)

cdef enum:
    CHANGES = 30

@cython.locals(expiry=cython.longlong, rests=cython.bint, shows=cython.bint)
cdef int unreadable(const CommandRow *command, Instruments instruments) noexcept nogil
cdef int unreadable_prices(const CommandRow *command) noexcept nogil
cdef int unreadable_amend(const CommandRow *command, OrderTerms terms, Instruments instruments, bint shown,
                          bint display_changes) noexcept nogil
cdef bint has_unflagged(const CommandRow *command) noexcept nogil
cdef bint display_fits(long long display_lots, long long quantity_lots) noexcept nogil
cdef int shut(OrderTerms terms, Instruments instruments, Accounts ledger) noexcept nogil
@cython.locals(others=cython.longlong)
cdef int declined(OrderTerms terms, Instruments instruments, Accounts ledger, Book book) noexcept nogil
@cython.locals(priced=cython.bint, stop=cython.bint)
cdef int out_of_range(OrderTerms terms, Instruments instruments, Book book) noexcept nogil
cdef bint adds_one(OrderTerms terms) noexcept nogil
@cython.locals(per_lot=cython.longlong)
cdef int unaffordable(OrderTerms terms, Instruments instruments, Accounts ledger, Book book) noexcept nogil
