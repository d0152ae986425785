cimport cython

cdef enum:
    MILLION = 1000000
    CLASSES = 256

# The class FeeRates, by `make records`.
cdef struct FeeRatesRow:
    unsigned int maker_rate_ppm
    unsigned int taker_rate_ppm

cpdef long long fee_fen(long long amount_fen, long long rate_ppm) noexcept nogil
cpdef long long lot_reserve_fen(long long lot_value_fen, long long rate_ppm) noexcept nogil

@cython.final
cdef class Fees:
    cdef FeeRatesRow[::1] rows

    cdef void set(self, int account_class, unsigned int maker_rate_ppm, unsigned int taker_rate_ppm) noexcept nogil
    cdef long long maker_fee(self, int account_class, long long amount_fen) noexcept nogil
    cdef long long taker_fee(self, int account_class, long long amount_fen) noexcept nogil
    cdef long long lot_reserve(self, int account_class, long long lot_value_fen) noexcept nogil
