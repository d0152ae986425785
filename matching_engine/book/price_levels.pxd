cimport cython

from matching_engine.pools cimport NIL, ONE, WORD, lowest_bit

cdef extern from *:
    """
    #define REX_MIDDLE 0x8820820820820820ull
    #define REX_FAR_PRICE 0x2000000000000000ll
    """
    const unsigned long long MIDDLE "REX_MIDDLE"
    const long long FAR_PRICE "REX_FAR_PRICE"

cdef enum:
    NODES_PER_LEVEL = 20

# The class Level, by `make records`.
cdef struct LevelRow:
    int head
    int tail
    long long quantity_lots
    long long hidden_lots
    int orders
    unsigned int unused

# The class Page, by `make records`.
cdef struct PageRow:
    unsigned long long bits
    unsigned long long number
    int parent
    unsigned int unused

# The class Node, by `make records`.
cdef struct NodeRow:
    unsigned long long bits
    int parent
    unsigned int unused

# The class SideOfBook, by `make records`.
cdef struct SideOfBookRow:
    long long origin
    unsigned long long best_key
    unsigned long long last_number
    unsigned long long prefix
    int best
    int last_page
    int root
    int height

cdef extern from *:
    """
    /* `row` points to a SideOfBookRow. This is a macro because Cython chooses the C name of that struct. */
    #define rex_key_of(row, side, price_ticks) \\
        (REX_MIDDLE + (unsigned long long) (((price_ticks) - (row)->origin) ^ (long long) (((side) & 1) - 1)))
    """
    unsigned long long key_of "rex_key_of"(const SideOfBookRow *row, int side, long long price_ticks) noexcept nogil
    # The address of a row: see `orders.order_at`.
    LevelRow *level_at "&"(LevelRow row) noexcept nogil
    SideOfBookRow *side_at "&"(SideOfBookRow row) noexcept nogil

@cython.final
cdef class PriceLevels:
    # Each array holds the rows of all sides. Row 0 of each is NIL: no level, no page, no node.
    cdef LevelRow[::1] rows
    cdef SideOfBookRow[::1] sides
    cdef PageRow[::1] _pages
    cdef NodeRow[::1] _nodes
    cdef int[::1] _children
    cdef int _free_page, _free_node, _used_pages, _used_nodes
    cdef readonly Py_ssize_t spare_pages, spare_nodes

    cpdef int best(self, int side) noexcept nogil
    cpdef int next(self, int level) noexcept nogil
    cpdef int find(self, int side, long long price_ticks) noexcept nogil
    cpdef int open(self, int side, long long price_ticks) noexcept nogil
    cpdef void close(self, int side, int level) noexcept nogil
    cpdef long long price(self, int side, int level) noexcept nogil
    cpdef unsigned long long key(self, int side, long long price_ticks) noexcept nogil
    cpdef int reserve(self, Py_ssize_t levels) except -1
    cdef inline int _find_page(self, int side, unsigned long long number) noexcept nogil
    cdef int _make_page(self, int side, unsigned long long number) noexcept nogil
    cdef void _drop_page(self, int side, int page) noexcept nogil
    cdef void _shrink(self, int side) noexcept nogil
    cdef int _first_level(self, int node, int height) noexcept nogil
    cdef int _new_page(self, unsigned long long number, int parent) noexcept nogil
    cdef int _new_node(self, int parent) noexcept nogil
    cdef void _free_the_node(self, int node) noexcept nogil
