cimport cython

from matching_engine.book.orders cimport OrderRow, order_at
from matching_engine.pools cimport NIL
from matching_engine.book.price_levels cimport PriceLevels
from matching_engine.records cimport SelfTrade

@cython.locals(wanted=cython.longlong)
cdef bint fillable(PriceLevels levels, OrderRow[::1] orders, int slot, unsigned long long limit) noexcept nogil
cdef bint enough(PriceLevels levels, int makers, unsigned long long limit, long long wanted) noexcept nogil
