"""How the events of two engine versions differ for the same commands, by kind of event: the rule and the first seq."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, islice

from matching_engine.records import Event, EventKind
from services.journal.batch import JournalBatch

RULES: dict[int, str] = {
    EventKind.ACCEPTED: "6.1",
    EventKind.REPEATED: "1.11",
    EventKind.REJECTED: "6.1",
    EventKind.TRADE: "1.1, 7.1",
    EventKind.CANCELED: "9",
    EventKind.PREVENTED: "5.1",
    EventKind.EXPIRED: "1.5",
    EventKind.LEVEL: "1.9",
    EventKind.REPLACED: "3.1",
    EventKind.TRIGGERED: "2.2",
    EventKind.INDICATIVE: "4.6",
    EventKind.TRADE_BUSTED: "7.2",
    EventKind.MASS_CANCELED: "3.8",
    EventKind.ACCOUNT_OPENED: "8.1",
    EventKind.BALANCE_CHANGED: "8.1",
    EventKind.LIMITS_SET: "8.2",
    EventKind.KILL_SWITCH_SET: "8.3",
    EventKind.INSTRUMENT_LISTED: "8.1",
    EventKind.FEES_SET: "8.5",
    EventKind.PHASE_CHANGED: "4.1",
    EventKind.DAY_ROLLED: "4.8",
    EventKind.SETTLED: "4.10",
    EventKind.COLLAR_SET: "8.6",
    EventKind.VOLATILITY_BAND_SET: "8.6",
    EventKind.INSTRUMENT_CHANGED: "8.9",
    EventKind.INSTRUMENT_DELISTED: "8.10",
    EventKind.TIME_PASSED: "4.9",
    EventKind.RECORDED: "8.1",
}
"""The section of docs/rulebook.md that says when an event of this kind is emitted."""


@dataclass
class Difference:
    """A kind of event that differs between the two versions."""

    event: str
    rule: str
    """The number in docs/rulebook.md."""
    first_seq: int
    commands: int
    """Number of commands for which it differs."""
    example: str
    """The difference at first_seq, as a phrase."""

    def __str__(self) -> str:
        return (
            f"{self.event} (rule {self.rule}) differs from seq {self.first_seq} on, in {self.commands:,}"
            f" command{'s' * (self.commands != 1)}: {self.example}"
        )


class Differences:
    """Collects the differences of batches, in order of their first seq."""

    def __init__(self) -> None:
        self._by_kind: dict[int, Difference] = {}

    @property
    def found(self) -> tuple[Difference, ...]:
        """One difference for each kind of event that differs."""
        return tuple(self._by_kind.values())

    def add(self, batch: JournalBatch, events: Sequence[Event]) -> None:
        """Compares the batch's events with those that another version makes of its commands."""
        then_of, now_of = _by_seq(batch.event_list), _by_seq(events)
        for seq in sorted(then_of.keys() | now_of.keys()):
            then, now = then_of.get(seq, []), now_of.get(seq, [])
            if then != now:
                self._add_command(batch.engine_version, seq, then, now)

    def _add_command(self, version: int, seq: int, then: list[Event], now: list[Event]) -> None:
        gone, new = list((Counter(then) - Counter(now)).elements()), list((Counter(now) - Counter(then)).elements())
        for kind in sorted({event.kind for event in gone + new} or {then[0].kind}):  # or only their order differs
            if kind in self._by_kind:
                self._by_kind[kind].commands += 1
            else:
                example = _example(version, _of(kind, gone), _of(kind, new))
                self._by_kind[kind] = Difference(EventKind(kind).name, RULES[kind], seq, 1, example)


def _by_seq(events: Sequence[Event]) -> dict[int, list[Event]]:
    return {seq: list(of_command) for seq, of_command in groupby(events, lambda event: event.seq)}


def _of(kind: int, events: Sequence[Event]) -> Event | None:
    return next((event for event in events if event.kind == kind), None)


def _example(version: int, then: Event | None, now: Event | None) -> str:
    if then is not None and now is not None:
        pairs = zip(Event._fields, then, now, strict=True)
        changed = islice(((name, old, new) for name, old, new in pairs if old != new), 3)
        return ", ".join(f"{name} was {old} and is {new}" for name, old, new in changed)
    event = then or now
    if event is None:
        return "the same events in another order"
    values = ", ".join(_identifying_fields(event))
    if then is None:
        return f"version {version} made none, this version makes one of {values}"
    return f"version {version} made one of {values}, this version makes none"


def _identifying_fields(event: Event) -> Iterator[str]:
    """The fields that identify an event, those that are not zero."""
    for name in ("instrument", "account", "order_id", "price_ticks", "quantity_lots", "amount_fen"):
        if value := getattr(event, name):
            yield f"{name} {value}"
