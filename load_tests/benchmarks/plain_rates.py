"""The rates of book and engine as plain Python: an installation without a compiler.

They are measured in a separate process, on a copy of the source without native code:
`python -m load_tests.benchmarks.plain_rates MESSAGES SEED` prints the rates as JSON.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

from load_tests.benchmarks.batches import batches_of, processing
from load_tests.benchmarks.engine_rates import opened_engine
from load_tests.benchmarks.measurement import Effort, Measurement, median_seconds
from load_tests.flows.book_flows import book_records, standard
from load_tests.flows.engine_flow import engine_records
from matching_engine import OrderBook, is_native

ROOT = Path(__file__).parents[2]
MESSAGES = 50_000
_AT_LEAST = {"OrderBook": "0.2 M/s"}


def plain_measurements(effort: Effort) -> list[Measurement]:
    """Messages a second of `OrderBook` and `Engine`, uncompiled."""
    with tempfile.TemporaryDirectory(prefix="rex-plain-") as folder:
        for package in ("matching_engine", "load_tests"):
            ignore = shutil.ignore_patterns("*.so", "*.c", "__pycache__", "results", "*.csv")
            shutil.copytree(ROOT / package, Path(folder) / package, ignore=ignore)
        command = [sys.executable, "-m", __name__, str(effort.messages(MESSAGES)), str(effort.seed)]
        environment = {**os.environ, "PYTHONPATH": folder}
        result = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True)
    rates: dict[str, float] = json.loads(result.stdout)
    return [
        Measurement(f"{name}, plain Python, 1 instrument", rate, "messages/s", at_least=_AT_LEAST.get(name, ""))
        for name, rate in rates.items()
    ]


def rates(count: int, seed: int) -> dict[str, float]:
    """Messages a second of `OrderBook` and `Engine` in this process."""
    if is_native():
        raise RuntimeError("native code found in what should be a copy without any")
    flow = standard(count, 1, seed)
    opening, commands = engine_records(flow)
    book = processing(partial(OrderBook, 1), batches_of(book_records(flow)))
    engine = processing(partial(opened_engine, opening), batches_of(commands))
    return dict(zip(("OrderBook", "Engine"), (count / s for s in median_seconds(3, book, engine)), strict=True))


if __name__ == "__main__":
    print(json.dumps(rates(int(sys.argv[1]), int(sys.argv[2]))))
