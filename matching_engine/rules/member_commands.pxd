cimport cython

from matching_engine.ledger.accounts cimport Accounts
from matching_engine.ledger.client_ids cimport ClientIds, body_digest, is_empty
from matching_engine.event_log cimport EventLog
from matching_engine.rules.execution cimport Execution
from matching_engine.rules.expiries cimport Expiries
from matching_engine.ledger.fees cimport Fees
from matching_engine.ledger.instruments cimport Instruments
from matching_engine.book.order_book cimport Book
from matching_engine.rules.order_terms cimport OrderTerms, may_rest
from matching_engine.rules.order_walk cimport OrderWalk
from matching_engine.book.orders cimport order_at, refills_of
from matching_engine.pools cimport NIL
from matching_engine.rules.price_limits cimport anchor_of, protection_of
from matching_engine.records cimport (
    ALL_INSTRUMENTS,
    BOTH_SIDES,
    MASS_CANCEL_REASON,
    CommandKind,
    CommandRow,
    EventKind,
    Flag,
    OrderType,
    Reason,
    Side,
    TimeInForce,
)
from matching_engine.rules.refusals cimport declined, shut, unaffordable, unreadable, unreadable_amend

@cython.final
cdef class MemberCommands:
    cdef Book book
    cdef Accounts ledger
    cdef Fees fees
    cdef Instruments instruments
    cdef ClientIds client_ids
    cdef Execution execution
    cdef EventLog log
    cdef Expiries expiries
    cdef OrderTerms terms
    cdef OrderWalk walk

    cdef void new(self, const CommandRow *command) noexcept nogil
    @cython.locals(display_changes=cython.bint)
    cdef void amend(self, const CommandRow *command) noexcept nogil
    cdef void cancel(self, const CommandRow *command) noexcept nogil
    cdef void mass_cancel(self, const CommandRow *command) noexcept nogil

    cdef bint _is_repeat(self, const CommandRow *command) noexcept nogil
    cdef void _read_terms(self, const CommandRow *command) noexcept nogil
    cdef void _price_terms(self) noexcept nogil
    cdef void _accept(self, const CommandRow *command) noexcept nogil
    cdef void _fill_slot(self, const CommandRow *command, int slot) noexcept nogil
    cdef int _own_order(self, const CommandRow *command) noexcept nogil
    cdef long long _open_lots(self, int slot) noexcept nogil
    @cython.locals(filled=cython.longlong)
    cdef void _read_amend(self, const CommandRow *command, int slot) noexcept nogil
    cdef bint _keeps_place(self, int slot, long long quantity_lots) noexcept nogil
    cdef void _reduce(self, int slot) noexcept nogil
    cdef void _reenter(self, const CommandRow *command, int slot) noexcept nogil
    cdef void _emit_replaced(self, int slot, long long change_lots, long long change_fen) noexcept nogil
    cdef int _mass_refusal(self, const CommandRow *command) noexcept nogil
    cdef int _cancel_side(self, unsigned int account, int instrument, int side) noexcept nogil
