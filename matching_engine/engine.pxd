cimport cython

from matching_engine.ledger.accounts cimport Accounts
from matching_engine.rules.operator_commands cimport OperatorCommands
from matching_engine.ledger.client_ids cimport ClientIds, is_empty
from matching_engine.ledger.day_trades cimport DayTrades
from matching_engine.event_log cimport EventLog
from matching_engine.rules.execution cimport Execution
from matching_engine.faults cimport Fault
from matching_engine.ledger.fees cimport Fees
from matching_engine.ledger.instruments cimport Instruments
from matching_engine.limits cimport MAX_INSTRUMENTS
from matching_engine.one_command cimport OneCommand, events_of
from matching_engine.book.order_book cimport Book
from matching_engine.rules.member_commands cimport MemberCommands
from matching_engine.rules.order_walk cimport OrderWalk
from matching_engine.pools cimport NIL, prefetch
from matching_engine.rules.price_limits cimport anchor_of, protection_of
from matching_engine.records cimport MAX_SLICES, CommandKind, CommandRow, EventKind, Phase, Reason
from matching_engine.rules.session_commands cimport SessionCommands
from matching_engine.rules.settlement cimport Settlement

cdef enum:
    CHUNK = 256
    NEAR = 2
    FAR = 8
    AHEAD = 4096

@cython.final
cdef class Engine:
    cdef readonly Book book
    cdef readonly Accounts ledger
    cdef readonly Instruments listed
    cdef readonly ClientIds client_ids
    cdef readonly DayTrades day_trades
    cdef readonly unsigned long long last_seq
    cdef Fees fees
    cdef EventLog log
    cdef Settlement settlement
    cdef Execution execution
    cdef MemberCommands member_commands
    cdef SessionCommands session_commands
    cdef OperatorCommands operator_commands
    cdef OneCommand _one
    cdef Py_ssize_t _room
    cdef int _fault
    cdef unsigned long long _fault_seq

    cdef int _run_bytes(self, const unsigned char[::1] data, Py_ssize_t count) except -1
    cdef int _run(self, const CommandRow *commands, Py_ssize_t count) except -1
    cdef int _reserve(self, Py_ssize_t commands) except -1
    cdef int _stop_at_fault(self) except -1
    cdef int _checked(self, long long instrument) except -1
    @cython.locals(walk=OrderWalk)
    cdef tuple _open_orders(self)
    cdef void _set_fault(self, int fault, unsigned long long seq) noexcept nogil
    cdef void _look_ahead(self, const CommandRow *command, const CommandRow *later) noexcept nogil
    cdef void _note_fault(self, unsigned long long seq) noexcept nogil
    cdef void _apply(self, const CommandRow *command) noexcept nogil
    cdef void _apply_to_account(self, const CommandRow *command) noexcept nogil
    cdef void _apply_to_venue(self, const CommandRow *command) noexcept nogil
