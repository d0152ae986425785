cimport cython

from matching_engine.limits cimport MAX_INSTRUMENTS
from matching_engine.records cimport MAX_PRICE_TICKS, Phase

cdef struct InstrumentRow:
    long long tick_value_fen
    long long reference_ticks
    long long low_ticks
    long long high_ticks
    long long max_quantity_lots
    long long day_lots
    long long day_amount_fen
    unsigned int band_ppm
    unsigned char phase
    unsigned char halted
    unsigned short unused

@cython.final
cdef class Instruments:
    cdef readonly int count
    cdef readonly int venue_phase
    cdef readonly int venue_halted
    cdef InstrumentRow[::1] rows

    cpdef int add(self, long long tick_value_fen, long long reference_ticks, unsigned int band_ppm,
                  long long max_quantity_lots) noexcept nogil
    cpdef int phase(self, int instrument) noexcept nogil
    cpdef int venue(self) noexcept nogil
    cpdef void set_phase(self, int instrument, int phase) noexcept nogil
    cpdef void set_all_phases(self, int phase) noexcept nogil
    cpdef void set_halted(self, int instrument, bint halted) noexcept nogil
    cpdef void set_all_halted(self, bint halted) noexcept nogil
    cpdef long long settle(self, int instrument) noexcept nogil
    cdef void _set_reference(self, int instrument, long long reference_ticks) noexcept nogil
