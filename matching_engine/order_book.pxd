"""The C face of the book, for the engine that keeps accounts on top of it.

    book.reserve(n)          once before n calls of `place`: grows every pool, may raise MemoryError, changes nothing else
    book.size = 0            events of a call stand in book.out[0 : book.size]
    book.place(...)          validated input only; appends ACCEPTED, TRADE*, CANCELED | PREVENTED
    book.find(order_id)      a slot, or NIL; the order is book.orders[slot]
    book.cancel(id, reason)  appends CANCELED; check with find first. `cancel_slot` when the slot is known
    book.fault               not 0: stop, raise EngineFault(book.fault, seq); out is not complete

Levels best to worst, orders in queue order:

    side_number = 2 * instrument + side
    level = book.levels.best(side_number)
    while level != NIL:                       # book.levels.rows[level]: head, tail, quantity_lots, orders
        slot = book.levels.rows[level].head   # book.levels.price(side_number, level)
        while slot != NIL:
            slot = book.orders[slot].next
        level = book.levels.next(level)

Read `next` before canceling the order or emptying the level it is read from.
"""

cimport cython

from matching_engine.faults cimport Fault
from matching_engine.order_ids cimport OrderIds
from matching_engine.pools cimport NIL, WORD
from matching_engine.price_levels cimport PriceLevels
from matching_engine.records cimport (
    MAX_BOOK_PRICE_TICKS,
    MAX_QUANTITY_LOTS,
    BookCommandRow,
    BookEventRow,
    CommandKind,
    EventKind,
    OrderType,
    Reason,
    SelfTrade,
    Side,
    TimeInForce,
)

cdef enum:
    CHUNK = 256

cdef struct OrderRow:
    unsigned long long order_id
    long long quantity_lots
    long long tag
    unsigned int account
    unsigned int owner
    int level
    int prev
    int next
    unsigned short instrument
    unsigned char side
    unsigned char time_in_force

@cython.final
cdef class OrderBook:
    cdef readonly int instruments
    cdef readonly int fault
    cdef readonly OrderIds ids
    cdef readonly PriceLevels levels
    cdef OrderRow[::1] orders
    cdef BookEventRow[::1] out
    cdef Py_ssize_t size
    cdef int _free, _used

    # For the engine
    cpdef int reserve(self, Py_ssize_t commands) except -1
    cdef void place(self, int instrument, int side, int order_type, int time_in_force, int self_trade,
                    unsigned int account, unsigned int owner, unsigned long long order_id, long long price_ticks,
                    long long quantity_lots, long long tag) noexcept nogil
    cdef void cancel(self, unsigned long long order_id, int reason) noexcept nogil
    cdef void cancel_slot(self, int slot, int reason) noexcept nogil
    cdef int find(self, unsigned long long order_id) noexcept nogil
    cdef long long order_price(self, int slot) noexcept nogil
    cdef long long level_lots(self, int instrument, int side, long long price_ticks) noexcept nogil
    cdef int level_orders(self, int instrument, int side, long long price_ticks) noexcept nogil

    # Within the book
    cpdef list submit(self, unsigned char kind, unsigned long long order_id, unsigned short instrument=*,
                      unsigned char side=*, long long price_ticks=*, long long quantity_lots=*,
                      unsigned char order_type=*, unsigned char time_in_force=*, unsigned char self_trade=*,
                      unsigned char flags=*, unsigned int account=*, unsigned int owner=*, long long tag=*)
    cdef int _reserve_events(self, Py_ssize_t commands) except -1
    cdef int _apply_all(self, const BookCommandRow[::1] commands) except -1
    cdef list _take(self)
    cdef object _resting(self, int slot)
    cdef int _side_number(self, int instrument, int side) except -1
    cdef int _stop_at_fault(self, Py_ssize_t seq) except -1
    cdef void _apply(self, unsigned long long order_id, long long price_ticks, long long quantity_lots, long long tag,
                     unsigned int account, unsigned int owner, int instrument, int kind, int side, int order_type,
                     int time_in_force, int self_trade, int flags) noexcept nogil
    cdef int _refusal(self, int instrument, int side, int order_type, int time_in_force, int self_trade, int flags,
                      int slot, long long price_ticks, long long quantity_lots) noexcept nogil
    cdef void _rest(self, int instrument, int side, int time_in_force, unsigned int account, unsigned int owner,
                    unsigned long long order_id, long long price_ticks, long long quantity_lots,
                    long long tag) noexcept nogil
    cdef void _remove(self, int slot) noexcept nogil
    cdef inline void _emit(self, int kind, int reason, int instrument, int side, unsigned int account,
                           unsigned int maker_account, unsigned long long order_id, unsigned long long maker_order_id,
                           long long price_ticks, long long quantity_lots, long long tag) noexcept nogil
