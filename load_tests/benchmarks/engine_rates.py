"""The matching engine in this process: the bare book and the whole engine, beside copying the same records.

Also run as a program of its own, from a copy of the source without native code: `python -m …engine_rates` prints the plain
Python rates as JSON.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter_ns
from typing import Any

from load_tests.benchmarks.figure import Effort, Figure, best_rates
from load_tests.book_flows import Records, book_records, standard
from load_tests.engine_flow import engine_records
from matching_engine import Engine, OrderBook, is_native
from matching_engine.records import unpack_commands

BATCH = 4_096
ROOT = Path(__file__).parents[2]
PLAIN_MESSAGES = 50_000


def batches_of(records: Records) -> list[Records]:
    """The records in batches as the sequencer would hand them over."""
    return [records[start : start + BATCH] for start in range(0, len(records), BATCH)]


def do_nothing(batches: list[Records], events: list[Records]) -> Callable[[], None]:
    """Copies the same commands in and the same events out, and nothing else: the limit of any engine with these records."""
    words = [(batch.view("u8"), output.view("u8")) for batch, output in zip(batches, events, strict=True)]

    def run() -> None:
        for batch, output in words:
            batch.copy()
            output.copy()

    return run


def book_figures(effort: Effort) -> list[Figure]:
    """The bare `OrderBook`, native, in batches and one by one; then as plain Python."""
    count = effort.messages(1_000_000)
    kind = "native" if is_native() else "plain Python"
    figures = []
    for instruments in (1, 64):
        batches = batches_of(book_flow(count, instruments, effort.seed))
        warm = OrderBook(instruments)
        events = [warm.process(batch) for batch in batches]

        def process(batches: list[Records] = batches, instruments: int = instruments) -> None:
            book = OrderBook(instruments)
            for batch in batches:
                book.process(batch)

        rate, limit = best_rates(count, effort.runs, process, do_nothing(batches, events))
        figures.append(
            Figure(
                f"OrderBook, {kind}, {_instruments(instruments)}, batches of {BATCH}",
                rate,
                "messages/s",
                "copying the same records",
                limit,
                "≥ 20 M/s",
                f"{sum(map(len, events)) / count:.2f} events a message",
            )
        )
    figures.append(_single_calls(effort))
    return figures


def _instruments(count: int) -> str:
    return "1 instrument" if count == 1 else f"{count} instruments"


def _single_calls(effort: Effort) -> Figure:
    records = book_flow(effort.messages(200_000), 1, effort.seed)
    names = ("kind", "order_id", "instrument", "side", "price_ticks", "quantity_lots", "order_type", "time_in_force",
             "self_trade", "flags", "account", "owner", "tag")  # fmt: skip
    calls = list(zip(*[records[name].tolist() for name in names], strict=True))
    best_ns = None
    for _ in range(effort.runs):
        submit = OrderBook(1).submit
        start = perf_counter_ns()
        for call in calls:
            submit(*call)
        taken = perf_counter_ns() - start
        best_ns = taken if best_ns is None else min(best_ns, taken)
    return Figure("OrderBook.submit, one call a message", (best_ns or 0) / len(calls), "ns a message")


def whole_engine_figures(effort: Effort) -> list[Figure]:
    """`Engine` with accounts, fees, reserves and client order ids."""
    count = effort.messages(1_000_000)
    kind = "native" if is_native() else "plain Python"
    figures = []
    for instruments in (1, 64):
        opening, records = engine_flow(count, instruments, effort.seed)
        batches = batches_of(records)
        warm = _opened(opening)
        events = [warm.process(batch) for batch in batches]
        # The opening is set up outside of what is timed, once for each run.
        ready = [_opened(opening) for _ in range(effort.runs)]

        def process(ready: list[Any] = ready, batches: list[Records] = batches) -> None:
            engine = ready.pop()
            for batch in batches:
                engine.process(batch)

        rate, limit = best_rates(count, effort.runs, process, do_nothing(batches, events))
        figures.append(
            Figure(
                f"Engine, {kind}, {_instruments(instruments)}, batches of {BATCH}",
                rate,
                "messages/s",
                "copying the same records",
                limit,
                "≥ 5 M/s",
                f"{sum(map(len, events)) / count:.2f} events a message",
            )
        )
    return [*figures, _single_commands(effort)]


def _opened(opening: Records) -> Any:
    engine = Engine()
    engine.process(opening)
    return engine


def _single_commands(effort: Effort) -> Figure:
    opening, records = engine_flow(effort.messages(100_000), 1, effort.seed)
    commands = list(unpack_commands(records.tobytes()))
    best_ns = None
    for _ in range(effort.runs):
        submit = _opened(opening).submit
        start = perf_counter_ns()
        for command in commands:
            submit(command)
        taken = perf_counter_ns() - start
        best_ns = taken if best_ns is None else min(best_ns, taken)
    return Figure("Engine.submit, one call a command", (best_ns or 0) / len(commands), "ns a command")


def plain_python_figures(effort: Effort) -> list[Figure]:
    """The same source without a compiler: what an installation gets where there is none."""
    with tempfile.TemporaryDirectory(prefix="rex-plain-") as folder:
        for package in ("matching_engine", "load_tests"):
            ignore = shutil.ignore_patterns("*.so", "*.c", "__pycache__", "results", "flows")
            shutil.copytree(ROOT / package, Path(folder) / package, ignore=ignore)
        command = [sys.executable, "-m", __name__, str(effort.messages(PLAIN_MESSAGES)), str(effort.seed)]
        environment = {**os.environ, "PYTHONPATH": folder}
        result = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True)
    rates = json.loads(result.stdout)
    return [Figure(f"{name}, plain Python, 1 instrument", rate, "messages/s") for name, rate in rates.items()]


def _plain_python_rates(count: int, seed: int) -> dict[str, float]:
    if is_native():
        raise RuntimeError("native code found in what should be a copy without any")
    batches = batches_of(book_flow(count, 1, seed))
    opening, records = engine_flow(count, 1, seed)
    commands = batches_of(records)
    engines = [_opened(opening) for _ in range(2)]

    def book() -> None:
        one = OrderBook(1)
        for batch in batches:
            one.process(batch)

    def engine() -> None:
        one = engines.pop()
        for batch in commands:
            one.process(batch)

    return dict(zip(("OrderBook", "Engine"), best_rates(count, 2, book, engine), strict=True))


if __name__ == "__main__":
    print(json.dumps(_plain_python_rates(int(sys.argv[1]), int(sys.argv[2]))))
