"""The C layout of the rows in `orders.py`."""

cdef struct OrderRow:
    unsigned long long order_id
    long long price_ticks
    long long tag
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

cdef struct LastRow:
    long long price_ticks
    long long traded

cdef extern from *:
    # The address of a row of a pool: `order_at(self.orders[slot])` is &self.orders[slot], bounds checked as any index is.
    OrderRow *order_at "&"(OrderRow row) noexcept nogil

cdef long long refills_of(long long quantity_lots, long long display_lots) noexcept nogil
