cimport cython

from matching_engine.book.orders cimport OrderRow
from matching_engine.records cimport (
    MAX_BOOK_PRICE_TICKS,
    MAX_QUANTITY_LOTS,
    MAX_SLICES,
    BookCommandRow,
    Flag,
    OrderType,
    Reason,
    SelfTrade,
    Side,
    TimeInForce,
)

cdef int order_refusal(const BookCommandRow *command, int instruments) noexcept nogil
@cython.locals(total=cython.longlong, display=cython.longlong)
cdef int amend_refusal(const BookCommandRow *command, const OrderRow *order, bint display_counts) noexcept nogil
cdef bint names_too_much(const BookCommandRow *command) noexcept nogil
cdef bint rests(const BookCommandRow *command) noexcept nogil
cdef bint is_price(long long price_ticks) noexcept nogil
cdef bint is_quantity(long long quantity_lots) noexcept nogil
cdef bint is_display(long long display_lots, long long quantity_lots) noexcept nogil
