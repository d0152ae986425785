"""The C structs of the rows in `orders.py`. The structs of commands and events are in `records.pxd`."""

from matching_engine.records cimport BookCommandRow, BookEventRow, OrderType

# The class Order, by `make records`.
cdef struct OrderRow:
    unsigned long long order_id
    long long price_ticks
    unsigned int shown_lots
    unsigned int hidden_lots
    unsigned int display_lots
    unsigned int filled_lots
    unsigned int account
    unsigned int owner
    int level
    int prev
    int next
    unsigned int time_s
    unsigned short instrument
    unsigned char side
    unsigned char order_type
    unsigned char time_in_force
    unsigned char self_trade
    unsigned char flags
    unsigned char waiting

# The class Last, by `make records`.
cdef struct LastRow:
    long long price_ticks
    int traded
    int collecting

cdef extern from *:
    # The address of a row: `order_at(self.orders[slot])` is &self.orders[slot]. The index is checked like any other.
    OrderRow *order_at "&"(OrderRow row) noexcept nogil
    BookEventRow *event_at "&"(BookEventRow row) noexcept nogil
    const BookCommandRow *command_at "&"(const BookCommandRow row) noexcept nogil

cdef long long refills_of(long long hidden_lots, long long display_lots) noexcept nogil
cdef void release(OrderRow *order) noexcept nogil
