cimport cython

from matching_engine.pools cimport NIL
from matching_engine.book.price_levels cimport PriceLevels, level_at

cdef struct Auction:
    long long price_ticks
    long long lots
    long long imbalance

@cython.locals(lots=cython.longlong, low=cython.longlong, high=cython.longlong)
cdef Auction find_auction(PriceLevels levels, int instrument, long long reference_ticks) noexcept nogil
@cython.locals(first=cython.longlong, last=cython.longlong, bid_ticks=cython.longlong, ask_ticks=cython.longlong,
               buys_left=cython.bint, sells_left=cython.bint)
cdef Auction choose_price(PriceLevels levels, int bids, int bid, int ask, long long bid_lots, long long ask_lots,
                          long long lots, long long low, long long high, long long reference_ticks) noexcept nogil
cdef long long total_lots(PriceLevels levels, int level) noexcept nogil
