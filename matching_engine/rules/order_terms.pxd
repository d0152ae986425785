cimport cython

from matching_engine.records cimport OrderType, TimeInForce

cdef inline bint may_rest(int order_type, int time_in_force) noexcept nogil:
    return order_type != OrderType.MARKET and time_in_force != TimeInForce.IOC and time_in_force != TimeInForce.FOK

@cython.final
cdef class OrderTerms:
    cdef unsigned int account
    cdef int instrument, side, order_type, time_in_force, flags
    cdef long long price_ticks, trigger_ticks, quantity_lots, open_lots, display_lots
    cdef long long lot_value_fen, lot_reserve_fen
    cdef long long own_orders, own_refills, own_lots, own_fen
    cdef bint rests, moves_price
