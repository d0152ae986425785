"""The price levels of every side of every instrument, found by price and walked from the best to the worst.

A price has a *key* such that the best price of a side has the lowest key: the distance from the side's first price (its
origin), negated for buys. A *page* holds 64 neighbouring keys: a bitmap of the levels in use and 64 level rows. Pages are the
leaves of a 64-ary radix tree of bitmaps; the height of the tree follows the range of the pages in use. The first price is in
the middle of its page, and that page in the middle of its node (MIDDLE), so prices within 2,048 ticks of the origin need one
node, within 131,072 ticks two, and the whole range of ±2^62 ticks ten. Empty pages and nodes go back to free lists: memory
use follows the number of prices in use, whatever their range.

Each side caches its best level, and the last page looked up, which is nearly always the next one needed.
"""

from __future__ import annotations

from dataclasses import dataclass

import cython

from matching_engine.pools import grown, rows, words
from matching_engine.records import I32, I64, U32, U64

if not cython.compiled:  # when compiled, these stand in the .pxd
    from matching_engine.pools import NIL, ONE, WORD, lowest_bit

    MIDDLE = 0x8820_8208_2082_0820  # the origin's key: every 6-bit digit is in the middle of its range
    FAR_PRICE = 2**61  # an origin is nearer to 0 than this, so that every distance between prices fits in 64 bits
    NODES_PER_LEVEL = 20  # one level may grow the tree from one node to ten, and add ten more on its path

    def key_of(row: SideOfBook, side: int, price_ticks: int) -> int:
        """The key of a price: the better the price, the lower. x ^ -1 is -x - 1, which negates a buy's distance."""
        return MIDDLE + ((price_ticks - row.origin) ^ ((side & 1) - 1))

    def level_at(row: Level) -> Level:
        """A row of a pool for reading and writing: its address in C, the row itself here."""
        return row

    def side_at(row: SideOfBook) -> SideOfBook:
        """The same for a side of a book."""
        return row


MOST_PAGES = 2**17
MOST_NODES = 2**20
"""Address space is reserved for this many pages and nodes: up to these numbers the arrays grow without being copied."""


@dataclass(slots=True)
class Level:
    """The queue of orders at one price: slots of the first and the last order, the sums of their shown and hidden lots, and
    their number."""

    head: I32 = 0
    tail: I32 = 0
    quantity_lots: I64 = 0
    hidden_lots: I64 = 0
    orders: I32 = 0
    unused: U32 = 0


@dataclass(slots=True)
class Page:
    """64 neighbouring levels with key // 64 = `number`; bit n of `bits` is set while level n is in use."""

    bits: U64 = 0
    number: U64 = 0
    parent: I32 = 0
    unused: U32 = 0


@dataclass(slots=True)
class Node:
    """64 children: nodes, or pages in the lowest nodes. `parent` links the free list while the node is not in use."""

    bits: U64 = 0
    parent: I32 = 0
    unused: U32 = 0


@dataclass(slots=True)
class SideOfBook:
    """One side of one instrument. The root covers every page with number >> (6 * `height`) = `prefix`."""

    origin: I64 = 0
    best_key: U64 = 0
    last_number: U64 = 0
    prefix: U64 = 0
    best: I32 = 0
    last_page: I32 = 0
    root: I32 = 0
    height: I32 = 0


class PriceLevels:
    """The levels of `sides` sides. The best price of an even side is the highest (buys), of an odd side the lowest (sells). A
    level is named by its row number. A new object has room for `pages` pages."""

    def __init__(self, sides: int, pages: int = 1) -> None:
        self.sides = rows(SideOfBook, sides)
        for side in range(sides):
            self.sides[side].best_key = self.sides[side].last_number = WORD
        self.rows = rows(Level, 64 * pages, 64 * MOST_PAGES)
        self._pages = rows(Page, pages, MOST_PAGES)
        self._nodes = rows(Node, 1, MOST_NODES)
        self._children = words(64, "i4", 64 * MOST_NODES)
        self._free_page = self._free_node = NIL
        self._used_pages = self._used_nodes = 1
        self.spare_pages = pages - 1
        self.spare_nodes = 0

    def best(self, side: int) -> int:
        """The best level in use of a side, or NIL."""
        return self.sides[side].best

    def next(self, level: int) -> int:
        """The next worse level in use of the same side, or NIL."""
        page = level >> 6
        above = self._pages[page].bits >> (level & 63) >> 1
        if above != 0:
            return level + 1 + lowest_bit(above)
        node = self._pages[page].parent
        number = self._pages[page].number
        height = 0
        while node != NIL:
            digit = (number >> (6 * height)) & 63
            above = self._nodes[node].bits >> digit >> 1
            if above != 0:
                return self._first_level(self._children[node * 64 + digit + 1 + lowest_bit(above)], height)
            node = self._nodes[node].parent
            height += 1
        return NIL

    def find(self, side: int, price_ticks: int) -> int:
        """The level of a price, or NIL if no order rests there."""
        key = self.key(side, price_ticks)
        page = self._find_page(side, key >> 6)
        if page == NIL or (self._pages[page].bits >> (key & 63)) & 1 == 0:
            return NIL
        return page * 64 + (key & 63)

    def open(self, side: int, price_ticks: int) -> int:
        """The level of a price, in use from now on; NIL if `reserve` did not make room for it."""
        row = side_at(self.sides[side])
        key = key_of(row, side, price_ticks)
        page = row.last_page
        if row.last_number != key >> 6:
            if row.root == NIL:
                row.origin = 0
                if price_ticks >= -FAR_PRICE and price_ticks < FAR_PRICE:
                    row.origin = price_ticks
                key = key_of(row, side, price_ticks)
            page = self._make_page(side, key >> 6)
            if page == NIL:
                return NIL
            row.last_number = key >> 6
            row.last_page = page
        level = page * 64 + (key & 63)
        if (self._pages[page].bits >> (key & 63)) & 1 == 0:
            self._pages[page].bits |= ONE << (key & 63)
            # Written without being read: a level that was not used for long is not in the cache, and a write need not wait.
            opened = level_at(self.rows[level])
            opened.head = opened.tail = NIL
            opened.quantity_lots = opened.hidden_lots = 0
            opened.orders = 0
        if key < row.best_key:
            row.best_key = key
            row.best = level
        return level

    def close(self, side: int, level: int) -> None:
        """Takes a level out of use. Its row keeps its values until the level is opened again."""
        page = level >> 6
        self._pages[page].bits ^= ONE << (level & 63)
        if self._pages[page].bits == 0:
            self._drop_page(side, page)
        if level != self.sides[side].best:
            return
        if self._pages[page].bits != 0:
            best = page * 64 + lowest_bit(self._pages[page].bits)
        elif self.sides[side].root != NIL:
            best = self._first_level(self.sides[side].root, self.sides[side].height)
        else:
            self.sides[side].best = NIL
            self.sides[side].best_key = WORD
            return
        self.sides[side].best = best
        self.sides[side].best_key = self._pages[best >> 6].number * 64 + (best & 63)

    def price(self, side: int, level: int) -> int:
        """The price of a level in use, in ticks."""
        distance = (self._pages[level >> 6].number * 64 + (level & 63)) - MIDDLE
        return self.sides[side].origin + (distance ^ ((side & 1) - 1))

    def key(self, side: int, price_ticks: int) -> int:
        """The key of a price: the better the price, the lower."""
        return key_of(side_at(self.sides[side]), side, price_ticks)

    def reserve(self, levels: int) -> int:
        """Makes room to open `levels` more levels and returns the number of rows. Raises MemoryError, nothing changed."""
        pages = len(self._pages)
        while pages - len(self._pages) + self.spare_pages < levels:
            pages *= 2
        nodes = len(self._nodes)
        while nodes - len(self._nodes) + self.spare_nodes < levels * NODES_PER_LEVEL:
            nodes *= 2
        if pages > 2**25 or nodes > 2**25:
            raise MemoryError("more price levels than 32-bit links can tell apart")
        if pages > len(self._pages):
            more_rows = grown(self.rows, self._used_pages * 64, pages * 64)
            more_pages = grown(self._pages, self._used_pages, pages)
            self.spare_pages += pages - len(self._pages)
            self.rows, self._pages = more_rows, more_pages
        if nodes > len(self._nodes):
            more_children = grown(self._children, self._used_nodes * 64, nodes * 64)
            more_nodes = grown(self._nodes, self._used_nodes, nodes)
            self.spare_nodes += nodes - len(self._nodes)
            self._children, self._nodes = more_children, more_nodes
        return len(self.rows)

    # The tree

    def _find_page(self, side: int, number: int) -> int:
        if self.sides[side].last_number == number:
            return self.sides[side].last_page
        node = self.sides[side].root
        height = self.sides[side].height
        if node == NIL or number >> (6 * height) != self.sides[side].prefix:
            return NIL
        while height > 0 and node != NIL:
            height -= 1
            node = self._children[node * 64 + ((number >> (6 * height)) & 63)]
        return node

    def _make_page(self, side: int, number: int) -> int:
        node = self.sides[side].root
        height = self.sides[side].height
        if node == NIL:
            node = self._new_node(NIL)
            height = 1
            self.sides[side].prefix = number >> 6
        while number >> (6 * height) != self.sides[side].prefix:
            digit = self.sides[side].prefix & 63
            child = node
            node = self._new_node(NIL)
            self._nodes[child].parent = node
            self._nodes[node].bits = ONE << digit
            self._children[node * 64 + digit] = child
            self.sides[side].prefix >>= 6
            height += 1
        self.sides[side].root = node
        self.sides[side].height = height
        while height > 0:
            if node == NIL:
                return NIL
            height -= 1
            digit = (number >> (6 * height)) & 63
            child = self._children[node * 64 + digit]
            if child == NIL:
                child = self._new_node(node) if height > 0 else self._new_page(number, node)
                self._children[node * 64 + digit] = child
                self._nodes[node].bits |= ONE << digit
            node = child
        return node

    def _drop_page(self, side: int, page: int) -> None:
        number = self._pages[page].number
        node = self._pages[page].parent
        self._pages[page].parent = self._free_page
        self._free_page = page
        self.spare_pages += 1
        self.sides[side].last_number = WORD
        height = 0
        while node != NIL:
            digit = (number >> (6 * height)) & 63
            self._children[node * 64 + digit] = NIL
            self._nodes[node].bits ^= ONE << digit
            if self._nodes[node].bits != 0:
                self._shrink(side)
                return
            parent = self._nodes[node].parent
            self._free_the_node(node)
            node = parent
            height += 1
        self.sides[side].root = NIL

    def _shrink(self, side: int) -> None:
        """Replaces a root that has a single child by that child: one far price must not slow later look-ups for ever."""
        root = self.sides[side].root
        while self.sides[side].height > 1 and self._nodes[root].bits & (self._nodes[root].bits - 1) == 0:
            digit = lowest_bit(self._nodes[root].bits)
            child = self._children[root * 64 + digit]
            self._children[root * 64 + digit] = NIL
            self._nodes[root].bits = 0
            self._free_the_node(root)
            self._nodes[child].parent = NIL
            self.sides[side].prefix = self.sides[side].prefix * 64 + digit
            self.sides[side].height -= 1
            root = child
        self.sides[side].root = root

    def _first_level(self, node: int, height: int) -> int:
        """The best level below a node of the given height; height 0 means that `node` is a page."""
        while height > 0:
            node = self._children[node * 64 + lowest_bit(self._nodes[node].bits)]
            height -= 1
        return node * 64 + lowest_bit(self._pages[node].bits)

    def _new_page(self, number: int, parent: int) -> int:
        if self.spare_pages == 0:
            return NIL
        self.spare_pages -= 1
        page = self._free_page
        if page == NIL:
            page = self._used_pages
            self._used_pages += 1
        else:
            self._free_page = self._pages[page].parent
        self._pages[page].number = number
        self._pages[page].parent = parent
        return page

    def _new_node(self, parent: int) -> int:
        if self.spare_nodes == 0:
            return NIL
        self.spare_nodes -= 1
        node = self._free_node
        if node == NIL:
            node = self._used_nodes
            self._used_nodes += 1
        else:
            self._free_node = self._nodes[node].parent
        self._nodes[node].parent = parent
        return node

    def _free_the_node(self, node: int) -> None:
        self._nodes[node].parent = self._free_node
        self._free_node = node
        self.spare_nodes += 1
