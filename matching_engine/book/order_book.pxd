"""The C face of the book, for the engine that keeps accounts on top of it.

    book.reserve(n)          once before n commands: grows every pool, may raise MemoryError, changes nothing else
    book.size = 0            events of a call stand in book.out[0 : book.size]; where book.tagged is set, book.tags[i] is the tag
                             (book.order_tags[slot]) whose reserve event i moves, and book.maker_leaves[i] what is open of a
                             TRADE's maker from then on
    slot = book.new_slot()   a blank order: fill its fields, all but level, prev, next and waiting; shown_lots is all of it
    book.enter(slot, worst)  validated orders only; appends TRADE, PREVENTED, CANCELED. The slot is the book's from then on
    book.find(order_id)      a slot, or NIL; the order is book.orders[slot]
    book.fault               not 0: stop, raise EngineFault(book.fault, seq); out is not complete

An order's id is known (find) while it rests or waits for its trigger; not while it is withdrawn or in the line of triggered
stops. Levels best to worst, orders in queue order:

    side_number = 2 * instrument + side                             # of the book
    side_number = 2 * (instruments + instrument) + 1 - side         # of the waiting stops: first to be triggered first
    level = book.levels.best(side_number)
    while level != NIL:                       # book.levels.rows[level]: head, tail, quantity_lots, orders
        slot = book.levels.rows[level].head   # book.levels.price(side_number, level)
        while slot != NIL:
            slot = book.orders[slot].next
        level = book.levels.next(level)

Read `next` before ending the order or emptying the level it is read from.
"""

cimport cython
from libc.string cimport memcpy

from matching_engine.book.auction cimport find_auction
from matching_engine.book.book_refusals cimport amend_refusal, order_refusal
from matching_engine.faults cimport Fault
from matching_engine.book.fill_or_kill cimport fillable
from matching_engine.book.order_ids cimport OrderIds, entry_at, hash_of
from matching_engine.book.orders cimport LastRow, OrderRow, command_at, event_at, order_at, refills_of, release
from matching_engine.pools cimport NIL, WORD, is_integer, prefetch
from matching_engine.book.price_levels cimport PriceLevels, key_of, level_at, side_at
from matching_engine.records cimport (
    MAX_BOOK_PRICE_TICKS,
    MAX_QUANTITY_LOTS,
    MAX_SLICES,
    BookCommandRow,
    BookEventRow,
    CommandKind,
    EventKind,
    Flag,
    OrderType,
    Reason,
    SelfTrade,
    Side,
    TimeInForce,
)

cdef enum:
    FEW_EVENTS = 64
    WORDS = sizeof(BookEventRow) // 8
    CHUNK = 256
    AHEAD = 8

@cython.final
cdef class OrderBook:
    cdef readonly int instruments
    cdef readonly int fault
    cdef readonly OrderIds ids
    cdef readonly PriceLevels levels
    cdef readonly long long refills        # sum over resting icebergs of ceil(hidden / display)
    cdef readonly long long stops          # waiting for their triggers
    cdef OrderRow[::1] orders
    cdef LastRow[::1] last                 # by instrument: the last price, if any order `traded` since forget_last
    cdef BookEventRow[::1] out
    cdef long long[::1] tags
    cdef long long[::1] order_tags         # by slot, the engine's
    cdef bint tagged                       # whether `tags` and `maker_leaves` are written
    cdef unsigned int[::1] maker_leaves    # by event, of a TRADE: what is open of the maker from then on
    cdef Py_ssize_t size
    cdef bint bounded                      # the latest enter() stopped at worst_ticks, where its own price would go on
    cdef bint traded                       # the latest enter() or uncross() had trades: their lowest and highest price
    cdef long long low_ticks, high_ticks
    cdef readonly long long auction_ticks, auction_lots, auction_imbalance
    cdef int _free, _used, _first_triggered, _last_triggered
    cdef BookCommandRow[::1] _command
    cdef unsigned long long[::1] _batch    # events that process() will return, as words: numpy copies records field by field
    cdef Py_ssize_t _batch_words

    # For the engine
    cpdef int reserve(self, Py_ssize_t commands) except -1
    cdef int new_slot(self) noexcept nogil
    @cython.locals(may_rest=cython.bint)
    cdef void enter(self, int slot, long long worst_ticks) noexcept nogil
    @cython.locals(again=cython.bint)
    cdef void collect(self, int slot) noexcept nogil
    cdef void hold(self, int slot, long long trigger_ticks) noexcept nogil
    cdef void resume(self, int slot, long long trigger_ticks) noexcept nogil
    cdef bint reached(self, int instrument, int side, long long trigger_ticks) noexcept nogil
    cdef void trigger(self, int instrument, long long low_ticks, long long high_ticks) noexcept nogil
    cdef int next_triggered(self) noexcept nogil
    cdef void end(self, int slot, int kind, int reason) noexcept nogil
    cdef void reduce(self, int slot, unsigned int leaves_lots) noexcept nogil
    cdef void withdraw(self, int slot) noexcept nogil
    cdef bint crosses(self, int instrument, int side, long long price_ticks) noexcept nogil
    cdef void auction(self, int instrument, long long reference_ticks) noexcept nogil
    cdef void uncross(self, int instrument) noexcept nogil
    cdef void forget_last(self, int instrument) noexcept nogil
    cdef int find(self, unsigned long long order_id) noexcept nogil
    cdef long long trigger_ticks(self, int slot) noexcept nogil

    # Within the book
    cpdef list collecting(self, int instrument, bint on, long long reference_ticks=*)
    cdef int _apply_all(self, const BookCommandRow[::1] commands) except -1
    cdef int _add_to_batch(self) except -1
    cdef inline void _look_ahead(self, unsigned long long order_id, unsigned long long later_id) noexcept nogil
    cdef void _apply(self, const BookCommandRow *c) noexcept nogil
    @cython.locals(plain=cython.bint)
    cdef inline int _new_order(self, const BookCommandRow *c) noexcept nogil
    cdef inline bint _is_plain(self, const BookCommandRow *c) noexcept nogil
    @cython.locals(same=cython.bint)
    cdef int _amend(self, const BookCommandRow *c) noexcept nogil
    cdef void _wait(self, int slot, long long trigger_ticks) noexcept nogil
    cdef inline void _run(self, int slot) noexcept nogil
    cdef void _run_triggered(self) noexcept nogil
    @cython.locals(ended=cython.bint)
    cdef bint _match(self, int slot, int makers, unsigned long long limit) noexcept nogil
    cdef inline void _fill(self, int slot, unsigned int traded) noexcept nogil
    cdef void _lessen(self, int slot, unsigned int lots) noexcept nogil
    cdef void _to_the_end(self, int slot) noexcept nogil
    cdef bint _prevent(self, int slot, int maker_slot) noexcept nogil
    cdef inline void _rest(self, int slot) noexcept nogil
    cdef inline void _link(self, int slot, int queue_number, long long price_ticks) noexcept nogil
    cdef inline void _unlink(self, int slot) noexcept nogil
    cdef inline void _leave(self, const OrderRow *order) noexcept nogil
    cdef inline void _remove(self, int slot) noexcept nogil
    cdef inline void _release_slot(self, int slot) noexcept nogil
    cdef inline int _queue_number(self, const OrderRow *order) noexcept nogil
    cdef inline int _stops_number(self, int instrument, int side) noexcept nogil
    cdef void _trigger_side(self, int number, long long price_ticks) noexcept nogil
    cdef void _emit_state(self, int kind, int slot) noexcept nogil
    cdef inline void _emit(self, int kind, int reason, int slot, int order_type, unsigned int quantity_lots,
                           unsigned int leaves_lots, unsigned long long maker_order_id) noexcept nogil
    cdef inline void _emit_trade(self, int slot, int maker_slot, long long price_ticks,
                                 unsigned int traded, unsigned int leaves_lots) noexcept nogil
    cdef void _reject(self, const BookCommandRow *c, int reason) noexcept nogil
    cdef Py_ssize_t _reserve_events(self, Py_ssize_t commands) except -1
    cdef list _take(self)
    cdef inline tuple _event(self, Py_ssize_t i)
    cdef list _queue(self, int level)
    cdef object _open_order(self, int slot)
    cdef int _side_number(self, int instrument, int side) except -1
    cdef int _stop_at_fault(self, Py_ssize_t seq) except -1
