cimport cython

from matching_engine.faults cimport Fault
from matching_engine.limits cimport MAX_DAY_AMOUNT_FEN, MAX_INSTRUMENTS
from matching_engine.pools cimport WORD, lowest_bit
from matching_engine.records cimport VENUE

cdef extern from *:
    """
    #define REX_ACCOUNTS_GOLDEN 0x9E3779B97F4A7C15ull
    """
    const unsigned long long GOLDEN "REX_ACCOUNTS_GOLDEN"

# The class Account, by `make records`.
cdef struct AccountRow:
    long long cash_fen
    long long reserved_fen
    long long day_fen
    long long max_order_lots
    long long max_order_fen
    long long max_day_fen
    unsigned int owner
    unsigned int open_orders
    unsigned short max_open_orders
    unsigned char account_class
    unsigned char kill_switch
    unsigned int unused

# The class Holding, by `make records`.
cdef struct HoldingRow:
    unsigned long long key
    long long lots
    long long reserved_lots

cdef extern from *:
    # The address of a row: see `orders.order_at`.
    AccountRow *account_at "&"(AccountRow row) noexcept nogil

@cython.final
cdef class Accounts:
    cdef readonly unsigned int count
    cdef readonly int fault
    cdef readonly long long cash_fen
    cdef readonly long long deposited_fen
    cdef AccountRow[::1] rows
    cdef HoldingRow[::1] holdings
    cdef long long[::1] lots
    cdef long long[::1] received_lots
    cdef Py_ssize_t _held
    cdef int _shift

    cpdef int reserve(self, Py_ssize_t commands) except -1
    cpdef unsigned int open_account(self, unsigned int owner, int account_class) noexcept nogil
    cpdef bint knows(self, unsigned int account) noexcept nogil
    cdef Py_ssize_t holding_row(self, unsigned long long account, int instrument) noexcept nogil
    cdef Py_ssize_t open_holding(self, unsigned long long account, int instrument) noexcept nogil
    cpdef void move_cash(self, unsigned int account, long long amount_fen) noexcept nogil
    cpdef void move_lots(self, unsigned int account, int instrument, long long quantity_lots) noexcept nogil
    cpdef void change_cash(self, unsigned int account, long long amount_fen) noexcept nogil
    cpdef void change_lots(self, unsigned int account, int instrument, long long quantity_lots) noexcept nogil
    cpdef void reserve_cash(self, unsigned int account, long long amount_fen) noexcept nogil
    cpdef void reserve_lots(self, unsigned int account, int instrument, long long quantity_lots) noexcept nogil
    cpdef void settle_trade(self, int instrument, unsigned int buyer, unsigned int seller, long long quantity_lots,
                      long long amount_fen, long long buyer_fee_fen, long long seller_fee_fen,
                      long long released_fen) noexcept nogil
    cpdef void count_traded(self, unsigned int account, long long amount_fen) noexcept nogil
    cpdef void begin_day(self) noexcept nogil
    cdef long long free_fen(self, unsigned int account) noexcept nogil
    cdef long long free_lots(self, unsigned int account, int instrument) noexcept nogil
    cpdef int broken_law(self, int instruments) noexcept nogil
    cdef void _check_cash(self, unsigned int account) noexcept nogil
    cdef void _check_lots(self, Py_ssize_t row) noexcept nogil
    @cython.locals(mask=Py_ssize_t, i=Py_ssize_t)
    cdef inline Py_ssize_t _locate(self, unsigned long long key) noexcept nogil
