"""The memory of a book's resting orders, measured as the growth of the process that holds the book.

It is measured in a separate process: in this one the book would reuse memory that making the flow has freed. `python -m
load_tests.benchmarks.book_memory FILE` runs the commands of an .npy file and prints, as JSON, the bytes and the number of
resting orders.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from load_tests.benchmarks.batches import batches_of
from load_tests.benchmarks.measurement import Measurement
from load_tests.flows.book_flows import Records
from matching_engine import OrderBook

STATM = Path("/proc/self/statm")
PAGE_BYTES = 4_096


def memory_measurements(commands: Records) -> list[Measurement]:
    """Bytes of each resting order at the end of the flow, when most orders rest. Empty where there is no /proc."""
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
        Measurement(
            "OrderBook, memory, 1 instrument", gained / resting, "bytes a resting order", at_least="≤ 128", note=note
        )
    ]


def _private_bytes() -> int:
    """The memory of this process alone, in bytes, without mapped files such as the commands."""
    _, resident, shared, *_ = map(int, STATM.read_text().split())
    return (resident - shared) * PAGE_BYTES


def _measure(path: str) -> tuple[int, int]:
    batches = batches_of(np.load(path, mmap_mode="r"))
    OrderBook(1).process(np.array(batches[0][:1]))  # Code loaded at first use does not count as the book's memory.
    before = _private_bytes()
    book = OrderBook(1)
    for batch in batches:
        book.process(batch)
    return _private_bytes() - before, len(book)


if __name__ == "__main__":
    print(json.dumps(_measure(sys.argv[1])))
