"""Journal batches in which all happens that a year's report shows: trades, prevented self-trades, busts, decisions, new days,
instruments, targets. And the same commands in a row each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from hypothesis import strategies as st

from matching_engine import Engine
from matching_engine.records import COMMAND, EVENT, CommandKind, EventKind, SelfTrade, Side
from services.commands import administrative as admin
from services.commands.attachments import BustText, ChangeText, TargetSet, TradesDecided
from services.journal.batch import NO_HASH, JournalBatch
from services.messaging import Submission
from tests.unit.read_model.history import REFERENCE_TICKS, SENDER, History, day_roll, instrument_text, opening

DATES = (20221229, 20221230, 20230103, 20230107, 20240102)
"""Of three years; 7 January 2023 is a Saturday, which no calendar lists."""

_KINDS = (
    "order",
    "order",
    "order",
    "order",
    "bust",
    "exclude",
    "exclude",
    "include",
    "day",
    "target",
    "instrument",
    "change",
)


@dataclass
class EventfulHistory:
    """Shown by its commands: the batches are long."""

    batches: list[JournalBatch] = field(default_factory=list, repr=False)
    kinds: list[list[str]] = field(default_factory=list)
    """What was drawn for each batch after the first."""

    @property
    def last_seq(self) -> int:
        return self.batches[-1].last_seq


@st.composite
def eventful_histories(draw: st.DrawFn) -> EventfulHistory:
    history, dates, instruments = History(Engine()), iter(DATES), 2
    made = EventfulHistory([history.batch(opening(next(dates)))])
    trade_ids: list[int] = []
    for _ in range(draw(st.integers(2, 14))):
        parts: list[Submission] = []
        kinds = draw(st.lists(st.sampled_from(_KINDS), min_size=1, max_size=6))
        for kind in kinds:
            if kind == "order":
                parts.append(draw(_orders(instruments)))
            elif kind == "day":
                parts += [day_roll(SENDER, date) for date in (next(dates, None),) if date is not None]
            elif kind == "target":
                year, amount = draw(st.sampled_from([2022, 2023, 2024])), draw(st.integers(1, 10**12))
                parts.append(admin.record(SENDER, TargetSet(year=year, amount=amount, name="a target")))
            elif kind == "instrument":
                parts.append(_listing(instruments))
                instruments += 1
            elif kind == "change":
                parts.append(draw(_changes(instruments)))
            elif trade_ids:
                some = draw(st.lists(st.sampled_from(trade_ids), min_size=1, max_size=5, unique=True))
                parts.append(_about(kind, some))
        if parts:
            made.kinds.append(kinds)
            made.batches.append(history.batch(parts))
            trade_ids += [event.trade_id for event in made.batches[-1].event_list if event.kind == EventKind.TRADE]
    return made


@st.composite
def _orders(draw: st.DrawFn, instruments: int) -> Submission:
    """Accounts 3 and 4 have one owner: their orders do not trade with each other."""
    return admin.submission(
        SENDER._replace(
            kind=CommandKind.NEW_ORDER,
            account=draw(st.sampled_from([2, 3, 3, 4])),
            side=draw(st.sampled_from(list(Side))),
            price_ticks=REFERENCE_TICKS + draw(st.integers(-1, 1)),
            quantity_lots=draw(st.integers(1, 9)),
            instrument=draw(st.integers(0, instruments - 1)),
            order_type=1,
            time_in_force=1,
            self_trade=draw(st.sampled_from(list(SelfTrade))),
        )
    )


@st.composite
def _changes(draw: st.DrawFn, instruments: int) -> Submission:
    texts = draw(st.fixed_dictionaries({}, optional=dict.fromkeys(("name_en", "name_zh"), st.sampled_from("abc"))))
    lots, text = draw(st.sampled_from([None, 500])), ChangeText(**texts, reason="a decision")
    return admin.change_instrument(SENDER, draw(st.integers(0, instruments - 1)), max_quantity_lots=lots, text=text)


def _about(kind: str, trade_ids: list[int]) -> Submission:
    if kind == "bust":
        return admin.bust_trade(SENDER, trade_ids[0], BustText(reason="a mistake"))
    decision = TradesDecided(decision=kind, trade_ids=tuple(trade_ids), reason="a ring", name="Li Na")  # type: ignore[arg-type]
    return admin.record(SENDER, decision)


def _listing(number: int) -> Submission:
    return admin.list_instrument(
        SENDER, number, tick_value_fen=700, reference_ticks=REFERENCE_TICKS, band_ppm=50_000, max_quantity_lots=1_000,
        text=instrument_text(number % 2).model_copy(update={"symbol": f"I-{number}"}),
    )  # fmt: skip


def rows_of_one_command(batches: list[JournalBatch]) -> Iterator[JournalBatch]:
    """The same commands and events, a batch for each command."""
    last_hash = NO_HASH
    for batch in batches:
        commands, events = np.frombuffer(batch.commands, COMMAND), np.frombuffer(batch.events, EVENT)
        for command in commands:
            own, number = command.copy(), int(command["attachment"])
            own["attachment"] = min(number, 1)
            seq = int(command["seq"])
            row = JournalBatch(
                batch.journal_id, batch.epoch, seq, seq, 0, last_hash, own.tobytes(),
                events[events["seq"] == seq].tobytes(), batch.attachments[number - 1 : number] if number else (),
            )  # fmt: skip
            last_hash = row.hash
            yield row
