"""The whole `Engine` in this process, beside copying the same records."""

from __future__ import annotations

from functools import partial
from statistics import median
from typing import Any, NamedTuple

from load_tests.benchmarks.batches import BATCH, batches_of, copying, kind_of_build, processing
from load_tests.benchmarks.figure import Effort, Figure, call_nanoseconds, call_of_nothing, median_seconds
from load_tests.flows.book_flows import WIDE, Records, standard, surveyed
from load_tests.flows.engine_flow import engine_records
from matching_engine import Engine
from matching_engine.records import unpack_commands

MESSAGES = 1_000_000
SINGLE_CALLS = 100_000


class Flow(NamedTuple):
    """One flow ready to run: what opens the venue, then the commands."""

    name: str
    opening: Records
    commands: Records


def engine_figures(effort: Effort) -> list[Figure]:
    """`Engine` with accounts, fees, reserves, self-trade prevention, bands and level updates; once with client ids too."""
    count, seed = effort.messages(MESSAGES), effort.seed
    measured = [
        Flow("1 instrument", *engine_records(standard(count, 1, seed))),
        Flow("64 instruments", *engine_records(standard(count, 64, seed))),
        Flow("wide price walk", *engine_records(surveyed(count, 1, seed), WIDE)),
        Flow("1 instrument, a new client order id each", *engine_records(standard(count, 1, seed), client_ids=True)),
    ]
    works, limits, events = [], [], []
    for flow in measured:
        batches, engine = batches_of(flow.commands), opened(flow.opening)
        outcome = [engine.process(batch) for batch in batches]
        works.append(processing(partial(opened, flow.opening), batches))
        limits.append(copying(batches, outcome))
        events.append(sum(map(len, outcome)))
    seconds = median_seconds(effort.short_runs, *works, *limits)
    figures = [
        Figure(
            f"Engine, {kind_of_build()}, {flow.name}, batches of {BATCH}",
            count / seconds[number],
            "commands/s",
            "copying the same records",
            count / seconds[len(measured) + number],
            "8 M/s",
            "15 M/s",
            f"{1e9 * seconds[number] / count:.0f} ns, {events[number] / count:.2f} events a command",
        )
        for number, flow in enumerate(measured)
    ]
    return [*figures, _single_commands(effort)]


def opened(opening: Records) -> Any:
    """An engine whose instruments are listed and whose accounts are funded."""
    engine = Engine()
    engine.process(opening)
    return engine


def _single_commands(effort: Effort) -> Figure:
    opening, records = engine_records(standard(effort.messages(SINGLE_CALLS), 1, effort.seed))
    calls = [(command,) for command in unpack_commands(records.tobytes())]
    taken, nothing = [], []
    for _ in range(effort.runs):
        taken.append(call_nanoseconds(opened(opening).submit, calls))
        nothing.append(call_nanoseconds(call_of_nothing, calls))
    return Figure("Engine.submit, one call a command, p50", median(taken), "ns", "a call of nothing",
                  median(nothing), "≤ 600 ns")  # fmt: skip
