"""Trades, busts and decisions in any order, as journal batches, and what a plain bookkeeper makes of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from hypothesis import strategies as st

from matching_engine.records import Side
from services.commands import administrative as admin
from services.commands.attachments import BustText, TradesDecided, TradesDecision
from services.journal.batch import JournalBatch
from tests.unit.read_database.history import REFERENCE_TICKS, SENDER, TICK_VALUE_FEN, History, opening, order

DATES = (20230103, 20230104, 20240102)


@dataclass
class Deal:
    """A trade as the bookkeeper has it."""

    trade_id: int
    date: int
    instrument: int
    lots: int
    state: Literal["counts", "excluded", "busted"] = "counts"

    @property
    def amount_fen(self) -> int:
        return self.lots * REFERENCE_TICKS * TICK_VALUE_FEN[self.instrument]


@dataclass
class DecidedHistory:
    """Makes a batch for each step; `deals` are the trades so far."""

    history: History = field(default_factory=History)
    batches: list[JournalBatch] = field(default_factory=list)
    deals: list[Deal] = field(default_factory=list)
    day: int = 0

    def __post_init__(self) -> None:
        self.batches.append(self.history.batch(opening(DATES[0])))

    def trade(self, instrument: int, lots: int) -> Deal:
        sides = [order(2, Side.SELL, REFERENCE_TICKS, lots, instrument=instrument)]
        sides.append(order(3, Side.BUY, REFERENCE_TICKS, lots, instrument=instrument))
        self.batches.append(self.history.batch(sides))
        self.deals.append(Deal(self.batches[-1].last_seq << 20 | 1, DATES[self.day], instrument, lots))
        return self.deals[-1]

    def next_day(self) -> None:
        if self.day + 1 < len(DATES):
            self.day += 1
            self.batches.append(self.history.batch([admin.day_roll(SENDER, DATES[self.day])]))

    def bust(self, deal: Deal) -> None:
        """The engine refuses it of another day, and a second time."""
        self.batches.append(self.history.batch([admin.bust_trade(SENDER, deal.trade_id, BustText(reason="a mistake"))]))
        if deal.date == DATES[self.day]:
            deal.state = "busted"

    def decide(self, decision: TradesDecision, deals: list[Deal], *unknown_ids: int) -> None:
        trade_ids = (*(deal.trade_id for deal in deals), *unknown_ids)
        decided = TradesDecided(decision=decision, trade_ids=trade_ids, finding="F-1", reason="a ring", name="Li Na")
        self.batches.append(self.history.batch([admin.record(SENDER, decided)]))
        for deal in deals:
            if deal.state != "busted":
                deal.state = "excluded" if decision == "exclude" else "counts"

    def sums(self, state: str) -> dict[tuple[int, int], tuple[int, int, int]]:
        """By day and product, where there are any: number, lots and amount_fen of the trades in this state."""
        sums: dict[tuple[int, int], tuple[int, int, int]] = {}
        for deal in self.deals:
            if deal.state == state:
                number, lots, fen = sums.get((deal.date, deal.instrument), (0, 0, 0))
                sums[deal.date, deal.instrument] = number + 1, lots + deal.lots, fen + deal.amount_fen
        return sums


@st.composite
def decided_histories(draw: st.DrawFn) -> DecidedHistory:
    made = DecidedHistory()
    for _ in range(draw(st.integers(1, 18))):
        step = draw(st.sampled_from(["trade", "trade", "trade", "bust", "exclude", "exclude", "include", "day"]))
        if step == "trade":
            made.trade(draw(st.integers(0, 1)), draw(st.integers(1, 4)))
        elif step == "day":
            made.next_day()
        elif made.deals:
            some = draw(st.lists(st.sampled_from(made.deals), min_size=1, max_size=4))
            if step == "bust":
                made.bust(some[0])
            else:
                made.decide("exclude" if step == "exclude" else "include", some)
    return made
