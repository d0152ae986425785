"""Trades, busts, decisions and goods in any order, as journal batches, and what a plain bookkeeper makes of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from hypothesis import strategies as st

from matching_engine.records import Phase, Side
from services.commands import administrative as admin
from services.commands.attachments import BustText, TradesDecided, TradesDecision
from services.journal.batch import JournalBatch
from tests.unit.read_model.history import (
    ACCOUNTS,
    REFERENCE_TICKS,
    SENDER,
    TICK_VALUE_FEN,
    History,
    day_roll,
    opening,
    order,
)

DATES = (20230103, 20230104, 20240102)
PAIRS = ((2, 3), (3, 2), (2, 4), (4, 2))
"""Seller and buyer. Accounts 3 and 4 have one owner, so they never trade with each other."""


@dataclass
class Deal:
    """A trade as the bookkeeper has it."""

    trade_id: int
    date: int
    instrument: int
    lots: int
    seller: int = 2
    buyer: int = 3
    phase: Phase = Phase.CONTINUOUS
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
    moved: list[tuple[int, int, int, int]] = field(default_factory=list)
    """Goods in and out after the opening: seq, account, instrument, lots."""
    days: list[tuple[int, int]] = field(default_factory=list)
    """Trading dates that began, and the seq of the day roll."""

    def __post_init__(self) -> None:
        self.batches.append(self.history.batch(opening(DATES[0])))
        self.days.append((DATES[0], self.batches[-1].last_seq))

    def trade(
        self,
        instrument: int,
        lots: int,
        pair: tuple[int, int] = PAIRS[0],
        *,
        auction: bool = False,
        buyer_first: bool = False,
    ) -> Deal:
        """The second of the two orders takes; in an auction the change of phase makes the trade."""
        sides = [
            order(account, side, REFERENCE_TICKS, lots, instrument=instrument)
            for account, side in zip(pair, (Side.SELL, Side.BUY), strict=True)
        ][:: -1 if buyer_first else 1]
        if auction:
            phases = (admin.set_phase(SENDER, phase, instrument) for phase in (Phase.CALL_AUCTION, Phase.CONTINUOUS))
            sides = [next(phases), *sides, next(phases)]
        self.batches.append(self.history.batch(sides))
        phase = Phase.CALL_AUCTION if auction else Phase.CONTINUOUS
        self.deals.append(Deal(self.batches[-1].last_seq << 20 | 1, DATES[self.day], instrument, lots, *pair, phase))
        return self.deals[-1]

    def move_goods(self, account: int, instrument: int, lots: int) -> None:
        """A receipt (lots > 0) or a release, of which the account has enough."""
        self.batches.append(self.history.batch([admin.change_inventory(SENDER, account, instrument, lots)]))
        self.moved.append((self.batches[-1].last_seq, account, instrument, lots))

    def next_day(self) -> None:
        if self.day + 1 < len(DATES):
            self.day += 1
            self.batches.append(self.history.batch([day_roll(SENDER, DATES[self.day])]))
            self.days.append((DATES[self.day], self.batches[-1].last_seq))

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
        step = draw(
            st.sampled_from(["trade", "trade", "trade", "bust", "exclude", "exclude", "include", "day", "goods"])
        )
        if step == "trade":
            made.trade(
                draw(st.integers(0, 1)), draw(st.integers(1, 4)), draw(st.sampled_from(PAIRS)),
                auction=draw(st.booleans()), buyer_first=draw(st.booleans()),
            )  # fmt: skip
        elif step == "goods":
            lots = draw(st.integers(-4, 4).filter(bool))
            made.move_goods(draw(st.sampled_from(ACCOUNTS)), draw(st.integers(0, 1)), lots)
        elif step == "day":
            made.next_day()
        elif made.deals:
            some = draw(st.lists(st.sampled_from(made.deals), min_size=1, max_size=4))
            if step == "bust":
                made.bust(some[0])
            else:
                made.decide("exclude" if step == "exclude" else "include", some)
    return made
