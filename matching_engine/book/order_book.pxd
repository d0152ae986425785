"""The C interface of the book, for the engine that keeps accounts on top of it and for the library's `OrderBook`.

The methods are final, so that calls within the module are direct, and `inline`: otherwise Cython would call them through the
table of virtual methods.

    book.reserve(n)          once before n commands: grows every pool, may raise MemoryError, changes nothing else
    book.size = 0            the events of a call are in book.out[0 : book.size]; if book.tagged is set, book.tags[i] is the tag
                             (book.order_tags[slot]) of the order whose reserve event i changes, and book.maker_leaves[i] the
                             open lots of a TRADE's maker after the trade
    slot = book.new_slot()   a blank order: fill all fields except level, prev, next and waiting; shown_lots is its quantity
    book.enter(slot, worst)  validated orders only; appends TRADE, SELF_TRADE_PREVENTED, CANCELED; the book owns the slot from then on
    book.find(order_id)      a slot, or NIL; the order is book.orders[slot]
    book.fault               if not 0, stop and raise EngineFault(book.fault, seq); `out` is then incomplete

`find` knows an order while it rests or waits for its trigger, but not while it is withdrawn or in the line of triggered stops.
Levels from best to worst, orders in queue order:

    side_number = 2 * instrument + side                             # of the book
    side_number = 2 * (instruments + instrument) + 1 - side         # of the waiting stops, first to be triggered first
    level = book.levels.best(side_number)
    while level != NIL:                       # book.levels.rows[level]: head, tail, quantity_lots, orders
        slot = book.levels.rows[level].head   # book.levels.price(side_number, level)
        while slot != NIL:
            slot = book.orders[slot].next
        level = book.levels.next(level)

Read an order's `next` before you end the order, and the next level before you empty a level.
"""

cimport cython

from matching_engine.book.auction cimport find_auction
from matching_engine.book.fill_or_kill cimport fillable
from matching_engine.book.order_ids cimport OrderIds
from matching_engine.book.orders cimport LastRow, OrderRow, event_at, order_at, refills_of, release
from matching_engine.book.price_levels cimport PriceLevels, key_of, level_at, side_at
from matching_engine.faults cimport Fault
from matching_engine.pools cimport NIL, WORD
from matching_engine.records cimport (
    MAX_SLICES,
    BookEventRow,
    EventKind,
    OrderType,
    Reason,
    SelfTrade,
    Side,
    TimeInForce,
)

cdef class Book:
    cdef readonly int instruments
    cdef readonly int fault
    cdef readonly OrderIds ids
    cdef readonly PriceLevels levels
    cdef readonly long long refills        # sum over resting icebergs of ceil(hidden / display)
    cdef readonly long long stops          # the number of stops that wait for their triggers
    cdef OrderRow[::1] orders
    cdef LastRow[::1] last                 # per instrument: the last price; valid while `traded` is set, see forget_last
    cdef BookEventRow[::1] out
    cdef long long[::1] tags
    cdef long long[::1] order_tags         # per slot: the engine's tag of the order
    cdef bint tagged                       # whether `tags` and `maker_leaves` are written
    cdef unsigned int[::1] maker_leaves    # per event: the open lots of a TRADE's maker after the trade
    cdef Py_ssize_t size
    cdef bint bounded                      # the latest enter() stopped at worst_ticks; the order's own price allows more
    cdef bint traded                       # the latest enter() or uncross() made trades
    cdef long long low_ticks, high_ticks   # the lowest and the highest price of those trades
    cdef readonly long long auction_ticks, auction_lots, auction_imbalance
    cdef int _free, _used, _first_triggered, _last_triggered

    cpdef int reserve(self, Py_ssize_t commands) except -1
    @cython.final
    cdef inline int new_slot(self) noexcept nogil
    @cython.final
    @cython.locals(may_rest=cython.bint)
    cdef inline void enter(self, int slot, long long worst_ticks) noexcept nogil
    @cython.final
    @cython.locals(again=cython.bint)
    cdef inline void collect(self, int slot) noexcept nogil
    @cython.final
    cdef inline void hold(self, int slot, long long trigger_ticks) noexcept nogil
    @cython.final
    cdef inline void resume(self, int slot, long long trigger_ticks) noexcept nogil
    @cython.final
    cdef inline bint reached(self, int instrument, int side, long long trigger_ticks) noexcept nogil
    @cython.final
    cdef inline void trigger(self, int instrument, long long low_ticks, long long high_ticks) noexcept nogil
    @cython.final
    cdef inline int next_triggered(self) noexcept nogil
    @cython.final
    cdef inline void end(self, int slot, int kind, int reason) noexcept nogil
    @cython.final
    cdef inline void reduce(self, int slot, unsigned int leaves_lots) noexcept nogil
    @cython.final
    cdef inline void withdraw(self, int slot) noexcept nogil
    @cython.final
    cdef inline bint crosses(self, int instrument, int side, long long price_ticks) noexcept nogil
    @cython.final
    cdef inline void auction(self, int instrument, long long reference_ticks) noexcept nogil
    @cython.final
    cdef inline void uncross(self, int instrument) noexcept nogil
    @cython.final
    cdef inline void forget_last(self, int instrument) noexcept nogil
    @cython.final
    cdef inline int find(self, unsigned long long order_id) noexcept nogil
    @cython.final
    cdef inline long long trigger_ticks(self, int slot) noexcept nogil
    @cython.final
    @cython.locals(ended=cython.bint)
    cdef inline bint _match(self, int slot, int makers, unsigned long long limit) noexcept nogil
    @cython.final
    cdef inline void _fill(self, int slot, unsigned int traded) noexcept nogil
    @cython.final
    cdef inline void _decrement(self, int slot, unsigned int lots) noexcept nogil
    @cython.final
    cdef inline void _to_the_end(self, int slot) noexcept nogil
    @cython.final
    cdef inline bint _prevent(self, int slot, int maker_slot) noexcept nogil
    @cython.final
    cdef inline void _rest(self, int slot) noexcept nogil
    @cython.final
    cdef inline void _link(self, int slot, int queue_number, long long price_ticks) noexcept nogil
    @cython.final
    cdef inline void _unlink(self, int slot) noexcept nogil
    @cython.final
    cdef inline void _leave(self, const OrderRow *order) noexcept nogil
    @cython.final
    cdef inline void _remove(self, int slot) noexcept nogil
    @cython.final
    cdef inline void _release_slot(self, int slot) noexcept nogil
    @cython.final
    cdef inline int _queue_number(self, const OrderRow *order) noexcept nogil
    @cython.final
    cdef inline int _stops_number(self, int instrument, int side) noexcept nogil
    @cython.final
    cdef inline void _trigger_side(self, int number, long long price_ticks) noexcept nogil
    @cython.final
    cdef inline void _emit(self, int kind, int reason, int slot, int order_type, unsigned int quantity_lots,
                           unsigned int leaves_lots, unsigned long long maker_order_id) noexcept nogil
    @cython.final
    cdef inline void _emit_trade(self, int slot, int maker_slot, long long price_ticks,
                                 unsigned int traded, unsigned int leaves_lots) noexcept nogil
    @cython.final
    cdef inline Py_ssize_t _reserve_events(self, Py_ssize_t commands) except -1
    @cython.final
    cdef inline int _side_number(self, int instrument, int side) except -1
