cimport cython

from matching_engine.pools cimport WORD
from matching_engine.records cimport CommandRow

cdef extern from *:
    """
    #include <string.h>
    #define REX_CLIENT_IDS_GOLDEN 0x9E3779B97F4A7C15ull
    #define REX_ROW_BITS 0xFFFFFFFFull
    /* Word `number` of a client order id of 36 bytes: words 0 to 3 hold eight bytes each, word 4 the last four. */
    static inline unsigned long long rex_id_word(const char *text, int number) {
        unsigned long long word = 0;
        memcpy(&word, text + 8 * number, number < 4 ? 8 : 4);
        return word;
    }
    #define rex_prefetch(address) __builtin_prefetch(address, 1)
    static inline unsigned long long rex_mix(unsigned long long digest, unsigned long long word) {
        digest = (digest ^ word) * REX_CLIENT_IDS_GOLDEN;
        return digest ^ digest >> 32;
    }
    """
    const unsigned long long GOLDEN "REX_CLIENT_IDS_GOLDEN"
    const unsigned long long ROW_BITS "REX_ROW_BITS"
    unsigned long long id_word "rex_id_word"(const char *text, int number) noexcept nogil
    void prefetch "rex_prefetch"(void *address) noexcept nogil
    unsigned long long mix "rex_mix"(unsigned long long digest, unsigned long long word) noexcept nogil

cdef enum:
    STEP = 65536

# The class ClientId, by `make records`.
cdef struct ClientIdRow:
    unsigned long long order_id
    unsigned long long body_digest
    unsigned long long word0
    unsigned long long word1
    unsigned long long word2
    unsigned long long word3
    unsigned int word4
    unsigned int account
    unsigned int day
    unsigned int hash

cdef inline bint is_empty(const char *text) noexcept nogil:
    return (id_word(text, 0) | id_word(text, 1) | id_word(text, 2) | id_word(text, 3) | id_word(text, 4)) == 0

cdef unsigned long long body_digest(const CommandRow *command) noexcept nogil

@cython.final
cdef class ClientIds:
    cdef readonly Py_ssize_t count
    cdef public unsigned int day
    cdef ClientIdRow[::1] rows
    cdef unsigned long long[::1] _table, _next
    cdef Py_ssize_t _moved, _entered

    cpdef int reserve(self, Py_ssize_t commands) except -1
    @cython.locals(free=Py_ssize_t)
    cpdef int make_room(self, Py_ssize_t commands) except -1
    @cython.locals(size=Py_ssize_t)
    cdef int _begin_growth(self, Py_ssize_t commands) except -1
    @cython.locals(i=Py_ssize_t, row=Py_ssize_t, stop=Py_ssize_t, last=Py_ssize_t)
    cdef int _grow(self, Py_ssize_t steps) except -1
    cdef void expect(self, unsigned int account, const char *text) noexcept nogil
    cpdef Py_ssize_t find(self, unsigned int account, const char *text) noexcept nogil
    @cython.locals(i=Py_ssize_t, row=Py_ssize_t)
    cpdef Py_ssize_t remember(self, unsigned int account, const char *text, unsigned long long order_id,
                              unsigned long long body_digest) noexcept nogil
    @cython.locals(mask=Py_ssize_t, i=Py_ssize_t, row=Py_ssize_t)
    cdef Py_ssize_t _locate(self, unsigned int account, const char *text, unsigned long long sought) noexcept nogil
    @cython.locals(row=Py_ssize_t, kept=Py_ssize_t, i=Py_ssize_t)
    cpdef void forget_before(self, long long day) noexcept nogil
    cdef void _move(self, Py_ssize_t row, Py_ssize_t to) noexcept nogil
    cdef unsigned long long _hash(self, unsigned int account, const char *text) noexcept nogil
    @cython.locals(mask=Py_ssize_t, i=Py_ssize_t)
    cdef inline void _enter(self, unsigned long long[::1] table, unsigned long long word) noexcept nogil
