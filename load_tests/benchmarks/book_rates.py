"""The bare `OrderBook` in this process, on flows easy and hard, beside copying the same records."""

from __future__ import annotations

from statistics import median
from typing import NamedTuple

import numpy as np

from load_tests.benchmarks.batches import BATCH, batches_of, copying, kind_of_build, processing
from load_tests.benchmarks.book_memory import memory_figures
from load_tests.benchmarks.figure import Effort, Figure, call_nanoseconds, call_of_nothing, median_seconds
from load_tests.flows import book_flows
from load_tests.flows.book_flows import Records, book_records, colliding_ids, standard
from load_tests.flows.flow_mix import Mix, mix_of
from matching_engine import OrderBook

MESSAGES = 1_000_000
COLLIDING_MESSAGES = 50_000
SINGLE_CALLS = 200_000
STRETCH = 13
"""The first flow's prices, ±3 % of NARROW's reference and a little more, reach ±40 % when stretched."""
SAME_MIX = "the same mix, narrow walk"
NARROW_SWING = 0.0015
"""As many ticks either way as the first flow walks."""
CALL_FIELDS = ("kind", "order_id", "instrument", "side", "price_ticks", "quantity_lots", "order_type", "time_in_force",
               "self_trade", "flags", "account", "owner")  # fmt: skip
"""`OrderBook.submit`'s first parameters; the others have no meaning in these flows."""


class Flow(NamedTuple):
    """One flow ready to run."""

    name: str
    commands: Records
    at_least: str = ""
    aim: str = ""
    beside: str = ""
    """Another flow of the same run that it is compared with, besides the first."""

    def book(self) -> OrderBook:
        """An empty book for it."""
        return OrderBook(int(self.commands["instrument"].max()) + 1)


def flows(effort: Effort) -> list[Flow]:
    """What the book is measured on."""
    count, seed = effort.messages(MESSAGES), effort.seed
    narrow = book_flows.standard(effort.messages(COLLIDING_MESSAGES), 1, seed)
    first = standard(count, 1, seed)
    return [
        Flow("1 instrument", book_records(first), "30 M/s", "45 M/s"),
        Flow("1 instrument, prices stretched to ±40 %", book_records(book_flows.stretched(first, STRETCH))),
        Flow("64 instruments", book_records(standard(count, 64, seed)), "17 M/s", "25 M/s"),
        Flow("wide price walk", book_records(book_flows.surveyed(count, 1, seed)), beside=SAME_MIX),
        Flow(SAME_MIX, book_records(book_flows.surveyed(count, 1, seed, swing=NARROW_SWING))),
        Flow("one deep level", book_records(book_flows.deep(count, 1, seed))),
        Flow("far prices", book_records(book_flows.far(count, 1, seed))),
        Flow("ids that collide", book_records(narrow, colliding_ids(len(narrow)))),
    ]


def book_figures(effort: Effort) -> list[Figure]:
    """The book in batches; called once for each message; its memory."""
    measured = flows(effort)
    outcomes = [_events(flow) for flow in measured]
    works = [processing(flow.book, batches_of(flow.commands)) for flow in measured]
    limits = [copying(batches_of(flow.commands), events) for flow, events in zip(measured, outcomes, strict=True)]
    seconds = median_seconds(effort.short_runs, *works, *limits)
    each = {flow.name: time / len(flow.commands) for flow, time in zip(measured, seconds, strict=False)}
    figures = []
    for number, (flow, events) in enumerate(zip(measured, outcomes, strict=True)):
        count = len(flow.commands)
        mix = mix_of(flow.commands, np.concatenate(events))
        figures.append(
            Figure(
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
    return [*figures, _single_calls(effort), *memory_figures(measured[0].commands)]


def _note(flow: Flow, mix: Mix, each: dict[str, float]) -> str:
    """How the flow compares with the first one, and with the one it stands beside. `each`: seconds a message, by flow."""
    seconds, first = each[flow.name], next(iter(each.values()))
    beside = f", {seconds / each[flow.beside]:.2f} × {flow.beside}" if flow.beside else ""
    trades = mix.trades / len(flow.commands)
    return f"{1e9 * seconds:.1f} ns a message, {seconds / first:.2f} × the first{beside}; {trades:.2f} trades a message"


def _events(flow: Flow) -> list[Records]:
    book = flow.book()
    return [book.process(batch) for batch in batches_of(flow.commands)]


def _single_calls(effort: Effort) -> Figure:
    records = book_records(standard(effort.messages(SINGLE_CALLS), 1, effort.seed))
    calls = list(zip(*[records[name].tolist() for name in CALL_FIELDS], strict=True))
    taken, nothing = [], []
    for _ in range(effort.runs):
        taken.append(call_nanoseconds(OrderBook(1).submit, calls))
        nothing.append(call_nanoseconds(call_of_nothing, calls))
    return Figure("OrderBook.submit, one call a message, p50", median(taken), "ns", "a call of nothing",
                  median(nothing), "≤ 250 ns")  # fmt: skip
