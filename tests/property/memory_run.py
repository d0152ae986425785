"""Hostile flows for a memory checker (`make memcheck`): through the engine command by command, in batches of several sizes
and across a restored state, and through the bare order book.

Each pool of the engine is an mmap: a checker does not know where its rows end within the last page, nor to which of two
neighbouring mappings an address belongs. Here the pools are on the heap, where an access past the end, or to a freed pool,
is an error.
"""

from __future__ import annotations

import sys
from collections import deque
from typing import Any

import numpy as np

from matching_engine import Engine, OrderBook, is_native, pools
from matching_engine.records import Side, unpack_commands
from tests.property.engine_flow import array, flow
from tests.property.test_book_builds import flow as book_flow

SEEDS = (0, 3)
COMMANDS = 2000
BATCHES = (1, 7, 256, 4096)


def on_the_heap(count: int, dtype: np.dtype[Any], most: int = 0) -> Any:
    return np.zeros(count, dtype)


def engines(commands: Any) -> list[str]:
    """The state hashes after the same commands, given to each engine in another way."""
    hashes = [single(commands), restored(commands)]
    for size in BATCHES:
        engine = Engine()
        held: deque[Any] = deque(maxlen=size % 4)  # The events of some batches are held while later ones run.
        for first in range(0, len(commands), size):
            held.append(engine.process(commands[first : first + size]))
        hashes.append(engine.state_hash())
    return hashes


def single(commands: Any) -> str:
    engine = Engine()
    for command in unpack_commands(commands.tobytes()):
        engine.submit(command)
    return engine.state_hash()


def restored(commands: Any) -> str:
    engine = Engine()
    for first in range(0, len(commands), 500):
        engine.process(commands[first : first + 500])
        engine = Engine.from_state(engine.state())
    return engine.state_hash()


def books(commands: Any) -> list[list[Any]]:
    """The views of an order book after the same commands, in batches of each size."""
    seen = []
    for size in BATCHES:
        book = OrderBook(4)
        for first in range(0, len(commands), size):
            book.process(commands[first : first + size])
        seen.append([book.depth(instrument, side) for instrument in range(4) for side in Side])
    return seen


def main() -> int:
    if not is_native():
        sys.exit("memory_run: the engine isn't native")
    pools.blank = on_the_heap
    pools.FIRST_ORDERS = pools.FIRST_PAGES = 1  # so that they grow, and end near where they are used
    results: list[list[Any]] = [engines(array(flow(seed, COMMANDS))) for seed in SEEDS]
    results.append(books(book_flow()))
    if any(found != ways[0] for ways in results for found in ways):
        sys.exit("memory_run: the same commands end differently")
    ways, batches = len(results[0]), len(results[-1])
    sys.stdout.write(f"memory_run: {len(SEEDS)} flows of the engine in {ways} ways, one of the book in {batches}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
