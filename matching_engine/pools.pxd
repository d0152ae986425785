"""C names of what `pools.py` defines for the uncompiled engine."""

cdef extern from *:
    """
    #define lowest_bit(bits) __builtin_ctzll(bits)
    #define REX_ONE 1ull
    #define REX_WORD 0xFFFFFFFFFFFFFFFFull
    """
    int lowest_bit(unsigned long long bits) noexcept nogil
    const unsigned long long ONE "REX_ONE"
    const unsigned long long WORD "REX_WORD"

cdef enum:
    NIL = 0

cdef extern from *:
    """
    /* Whether a value is an int or can be used as one. A float is not: it would be truncated. */
    #define rex_is_integer(value) (PyLong_CheckExact(value) || PyIndex_Check(value))
    """
    bint is_integer "rex_is_integer"(object value)

cdef extern from *:
    # Prefetches the cache line at an address.
    void prefetch "__builtin_prefetch"(const void *address) noexcept nogil
