"""The rate of the bare `OrderBook` in this process, on easy and hard flows, beside copying the same records."""

from __future__ import annotations

from statistics import median
from typing import NamedTuple

import numpy as np

from load_tests.benchmarks.batches import BATCH, batches_of, copying, kind_of_build, processing
from load_tests.benchmarks.book_memory import memory_measurements
from load_tests.benchmarks.measurement import Effort, Measurement, call_nanoseconds, median_seconds, no_op
from load_tests.flows import book_flows
from load_tests.flows.book_flows import Records, book_records, colliding_ids, standard
from load_tests.flows.flow_mix import Mix, mix_of
from matching_engine import OrderBook

MESSAGES = 1_000_000
COLLIDING_MESSAGES = 50_000
SINGLE_CALLS = 200_000
STRETCH = 13
"""The first flow's prices lie within about ±3 % of NARROW's reference; stretched by this they reach ±40 %."""
SAME_MIX = "the same mix, narrow walk"
NARROW_SWING = 0.0015
"""The swing, as a fraction, that gives as many ticks either way as the first flow walks."""
CALL_FIELDS = ("kind", "order_id", "instrument", "side", "price_ticks", "quantity_lots", "order_type", "time_in_force",
               "self_trade", "flags", "account", "owner")  # fmt: skip
"""The first parameters of `OrderBook.submit`; these flows leave the others at their defaults."""


class BookFlow(NamedTuple):
    """One flow, ready to run in a book."""

    name: str
    commands: Records
    at_least: str = ""
    aim: str = ""
    beside: str = ""
    """The name of another flow of the same run that this one is compared with, besides the first."""

    def book(self) -> OrderBook:
        """An empty book with the flow's instruments."""
        return OrderBook(int(self.commands["instrument"].max()) + 1)


def flows(effort: Effort) -> list[BookFlow]:
    """The flows that the book is measured on."""
    count, seed = effort.messages(MESSAGES), effort.seed
    narrow = book_flows.standard(effort.messages(COLLIDING_MESSAGES), 1, seed)
    first = standard(count, 1, seed)
    return [
        BookFlow("1 instrument", book_records(first), "30 M/s", "45 M/s"),
        BookFlow("1 instrument, prices stretched to ±40 %", book_records(book_flows.stretched(first, STRETCH))),
        BookFlow("64 instruments", book_records(standard(count, 64, seed)), "17 M/s", "25 M/s"),
        BookFlow("wide price walk", book_records(book_flows.surveyed(count, 1, seed)), beside=SAME_MIX),
        BookFlow(SAME_MIX, book_records(book_flows.surveyed(count, 1, seed, swing=NARROW_SWING))),
        BookFlow("one deep level", book_records(book_flows.deep(count, 1, seed))),
        BookFlow("far prices", book_records(book_flows.far(count, 1, seed))),
        BookFlow("ids that collide", book_records(narrow, colliding_ids(len(narrow)))),
    ]


def book_measurements(effort: Effort) -> list[Measurement]:
    """The book's rate in batches, the time of a single call, and the memory of a resting order."""
    measured = flows(effort)
    outcomes = [_events(flow) for flow in measured]
    works = [processing(flow.book, batches_of(flow.commands)) for flow in measured]
    limits = [copying(batches_of(flow.commands), events) for flow, events in zip(measured, outcomes, strict=True)]
    seconds = median_seconds(effort.short_runs, *works, *limits)
    each = {flow.name: time / len(flow.commands) for flow, time in zip(measured, seconds, strict=False)}
    measurements = []
    for number, (flow, events) in enumerate(zip(measured, outcomes, strict=True)):
        count = len(flow.commands)
        mix = mix_of(flow.commands, np.concatenate(events))
        measurements.append(
            Measurement(
                f"OrderBook, {kind_of_build()}, {flow.name}, batches of {BATCH}",
                count / seconds[number],
                "messages/s",
                "copying the same records",
                count / seconds[len(measured) + number],
                flow.at_least,
                flow.aim,
                _note(flow, mix, each),
                f"{flow.name}: {mix}",
            )
        )
    return [*measurements, _single_calls(effort), *memory_measurements(measured[0].commands)]


def _note(flow: BookFlow, mix: Mix, each: dict[str, float]) -> str:
    """Compares the flow with the first one, and with its `beside`. `each`: seconds a message, by flow name."""
    seconds, first = each[flow.name], next(iter(each.values()))
    beside = f", {seconds / each[flow.beside]:.2f} × {flow.beside}" if flow.beside else ""
    trades = mix.trades / len(flow.commands)
    return f"{1e9 * seconds:.1f} ns a message, {seconds / first:.2f} × the first{beside}; {trades:.2f} trades a message"


def _events(flow: BookFlow) -> list[Records]:
    book = flow.book()
    return [book.process(batch) for batch in batches_of(flow.commands)]


def _single_calls(effort: Effort) -> Measurement:
    records = book_records(standard(effort.messages(SINGLE_CALLS), 1, effort.seed))
    calls = list(zip(*[records[name].tolist() for name in CALL_FIELDS], strict=True))
    taken, nothing = [], []
    for _ in range(effort.runs):
        taken.append(call_nanoseconds(OrderBook(1).submit, calls))
        nothing.append(call_nanoseconds(no_op, calls))
    return Measurement("OrderBook.submit, one call a message, p50", median(taken), "ns", "an empty call",
                  median(nothing), "≤ 250 ns")  # fmt: skip
