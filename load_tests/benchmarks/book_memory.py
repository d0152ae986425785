"""How much memory a book's resting orders take, seen from outside: what the process that holds it gained.

Measured by a program of its own, or memory that making the flow gave back would be used again unseen:
`python -m …book_memory FILE` runs the commands in an .npy file and prints the bytes and the number of resting orders as JSON.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from load_tests.benchmarks.batches import batches_of
from load_tests.benchmarks.figure import Figure
from load_tests.flows.book_flows import Records
from matching_engine import OrderBook

STATM = Path("/proc/self/statm")
PAGE_BYTES = 4_096


def memory_figures(commands: Records) -> list[Figure]:
    """The memory when the flow ends, which is when most orders rest. None where there is no /proc."""
    if not STATM.exists():
        return []
    with tempfile.TemporaryDirectory(prefix="rex-memory-") as folder:
        path = Path(folder) / "commands.npy"
        np.save(path, commands)
        run = [sys.executable, "-m", __name__, str(path)]
        result = subprocess.run(run, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2])
    gained, resting = json.loads(result.stdout)
    note = f"{gained:,} bytes in use, {resting:,} orders rest"
    return [
        Figure(
            "OrderBook, memory, 1 instrument", gained / resting, "bytes a resting order", at_least="≤ 128", note=note
        )
    ]


def _private_bytes() -> int:
    """Memory of this process alone: mapped files, such as the commands, are shared."""
    _, resident, shared, *_ = map(int, STATM.read_text().split())
    return (resident - shared) * PAGE_BYTES


def _measure(path: str) -> tuple[int, int]:
    batches = batches_of(np.load(path, mmap_mode="r"))
    OrderBook(1).process(np.array(batches[0][:1]))  # What is loaded at first use is not the book's.
    before = _private_bytes()
    book = OrderBook(1)
    for batch in batches:
        book.process(batch)
    return _private_bytes() - before, len(book)


if __name__ == "__main__":
    print(json.dumps(_measure(sys.argv[1])))
