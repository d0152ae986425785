"""The rate of the whole `Engine` in this process, beside copying the same records."""

from __future__ import annotations

from functools import partial
from statistics import median
from typing import Any, NamedTuple

from load_tests.benchmarks.batches import BATCH, batches_of, copying, kind_of_build, processing
from load_tests.benchmarks.measurement import Effort, Measurement, call_nanoseconds, median_seconds, no_op
from load_tests.flows.book_flows import WIDE, Records, standard, surveyed
from load_tests.flows.engine_flow import engine_records
from matching_engine import Engine
from matching_engine.records import unpack_commands

MESSAGES = 1_000_000
SINGLE_CALLS = 100_000


class EngineFlow(NamedTuple):
    """One flow, ready to run: the commands that open the venue, then the measured ones."""

    name: str
    opening: Records
    commands: Records


def engine_measurements(effort: Effort) -> list[Measurement]:
    """`Engine` with accounts, fees, reserves, self-trade prevention, bands and level updates; once also with client order
    ids."""
    count, seed = effort.messages(MESSAGES), effort.seed
    measured = [
        EngineFlow("1 instrument", *engine_records(standard(count, 1, seed))),
        EngineFlow("64 instruments", *engine_records(standard(count, 64, seed))),
        EngineFlow("wide price walk", *engine_records(surveyed(count, 1, seed), WIDE)),
        EngineFlow(
            "1 instrument, a new client order id each", *engine_records(standard(count, 1, seed), client_ids=True)
        ),
    ]
    works, limits, events = [], [], []
    for flow in measured:
        batches, engine = batches_of(flow.commands), opened_engine(flow.opening)
        outcome = [engine.process(batch) for batch in batches]
        works.append(processing(partial(opened_engine, flow.opening), batches))
        limits.append(copying(batches, outcome))
        events.append(sum(map(len, outcome)))
    seconds = median_seconds(effort.short_runs, *works, *limits)
    measurements = [
        Measurement(
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
    return [*measurements, _single_commands(effort)]


def opened_engine(opening: Records) -> Any:
    """An engine with listed instruments and funded accounts."""
    engine = Engine()
    engine.process(opening)
    return engine


def _single_commands(effort: Effort) -> Measurement:
    opening, records = engine_records(standard(effort.messages(SINGLE_CALLS), 1, effort.seed))
    calls = [(command,) for command in unpack_commands(records.tobytes())]
    taken, nothing = [], []
    for _ in range(effort.runs):
        taken.append(call_nanoseconds(opened_engine(opening).submit, calls))
        nothing.append(call_nanoseconds(no_op, calls))
    return Measurement("Engine.submit, one call a command, p50", median(taken), "ns", "an empty call",
                  median(nothing), "≤ 600 ns")  # fmt: skip
