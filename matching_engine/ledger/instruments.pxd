cimport cython

from matching_engine.limits cimport MAX_INSTRUMENTS
from matching_engine.ledger.phases cimport PhaseRuleRow
from matching_engine.records cimport (
    MAX_PRICE_TICKS,
    STANDING_QUOTES_NS,
    VWAP_LOTS,
    Phase,
    Reason,
    SettlementSource,
)

cdef extern from *:
    """
    #define REX_MILLION 1000000ll
    #define REX_SECOND_NS 1000000000ll
    #define REX_LAST_NS 0x7FFFFFFFFFFFFFFFll
    #define REX_FIRST_NS (-0x7FFFFFFFFFFFFFFFll - 1)
    """
    const long long MILLION "REX_MILLION"
    const long long SECOND_NS "REX_SECOND_NS"
    const long long LAST_NS "REX_LAST_NS"
    const long long FIRST_NS "REX_FIRST_NS"

# The class Instrument, by `make records`.
cdef struct InstrumentRow:
    unsigned char phase
    unsigned char halted
    unsigned char in_auction
    unsigned char phase_before
    unsigned char in_force
    unsigned char refusal
    unsigned char trades
    unsigned char source
    long long tick_value_fen
    long long low_ticks
    long long high_ticks
    long long max_quantity_lots
    long long best_buy_ticks
    long long best_sell_ticks
    unsigned int collar_ppm
    unsigned int volatility_ppm
    long long day_lots
    long long day_amount_fen
    long long reference_ticks
    long long quotes_since_ns
    long long quotes_until_ns
    unsigned long long closing_seq
    long long closing_ticks
    long long auction_ends_ns
    unsigned long long touched_seq
    unsigned int band_ppm
    unsigned int auction_s

cdef extern from *:
    # The address of a row: see `orders.order_at`.
    InstrumentRow *instrument_at "&"(InstrumentRow row) noexcept nogil

cpdef long long highest_ticks(long long anchor_ticks, long long rate_ppm) noexcept nogil
cpdef long long lowest_ticks(long long anchor_ticks, long long rate_ppm) noexcept nogil

@cython.final
cdef class Instruments:
    cdef readonly int count
    cdef readonly int venue_phase
    cdef readonly int venue_halted
    cdef PhaseRuleRow[::1] rules
    cdef InstrumentRow[::1] rows

    cpdef int add(self, long long tick_value_fen, long long reference_ticks, unsigned int band_ppm,
                  long long max_quantity_lots) noexcept nogil
    cdef void set_band(self, int instrument, unsigned int band_ppm) noexcept nogil
    cdef int refusal(self, int instrument) noexcept nogil
    cdef bint is_delisted(self, int instrument) noexcept nogil
    cdef void delist(self, int instrument) noexcept nogil
    cpdef int phase(self, int instrument) noexcept nogil
    cpdef int initial_phase(self) noexcept nogil
    cdef void note_phases(self) noexcept nogil
    cpdef void set_phase(self, int instrument, int phase) noexcept nogil
    cpdef void set_all_phases(self, int phase) noexcept nogil
    cpdef void set_halted(self, int instrument, bint halted) noexcept nogil
    cpdef void set_all_halted(self, bint halted) noexcept nogil
    @cython.locals(length_ns=cython.longlong)
    cpdef void begin_auction(self, int instrument, long long time_ns) noexcept nogil
    cpdef void end_auction(self, int instrument) noexcept nogil
    cpdef void enforce(self, int instrument) noexcept nogil
    cdef void begin_quotes(self, int instrument, long long time_ns) noexcept nogil
    cdef void end_quotes(self, int instrument, long long time_ns) noexcept nogil
    cpdef long long end_day(self, int instrument, long long time_ns) noexcept nogil
    cdef void _begin_day(self, int instrument, long long time_ns) noexcept nogil
    cdef long long _day_vwap(self, int instrument) noexcept nogil
    cdef bint _quotes_stood(self, int instrument) noexcept nogil
    cdef void set_reference(self, int instrument, long long reference_ticks) noexcept nogil
