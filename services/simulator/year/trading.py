"""The days of a simulated year, one after the other: what members send in each slice, and what the venue has traded after it.

An open loop: a slice is decided in advance from the fair prices and the turnover so far; its fills are read after it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from matching_engine.records import ALL_INSTRUMENTS, Command
from services.commands.administrative import bust_trade
from services.commands.attachments import BustText
from services.data.instruments import InstrumentFacts
from services.journal.replay import StateMachine
from services.simulator.year import day_shape, planted, ring
from services.simulator.year.fair_prices import FairPrices
from services.simulator.year.labels import Labels
from services.simulator.year.members import MAKERS
from services.simulator.year.orders import (
    DEPTH_BESIDE,
    DEPTH_OF_ORDERS,
    DEPTH_OF_SLICES,
    OPENING_MOVE,
    QUOTED_MOVE,
    SimulatedMarket,
    auction_orders,
    cancels,
    quote_grid,
    quotes,
    trading_orders,
)
from services.simulator.year.pace import YearPace
from services.simulator.year.plan import YearPlan
from services.simulator.year.receipts import Endowment, VenueBalances
from services.simulator.year.sequencing import SimulatedSequencer

_AUCTION_SPAN_NS = 120 * day_shape.SECOND_NS
_QUOTING_NS = 10 * day_shape.SECOND_NS
"""Other members send nothing in the first seconds of a slice, while makers renew their quotes."""


class SimulatedVenue(StateMachine, VenueBalances, Protocol):
    """The parts of the engine that a simulated year reads between two slices."""

    def anchor_ticks(self, instrument: int) -> int:
        """The last price of the day, or the reference price."""

    def turnover_fen(self, year: int) -> int:
        """The year's net turnover."""


@dataclass
class YearTrading:
    """Trades the days of a plan through a sequencer. `day` is called for each day, in order."""

    plan: YearPlan
    prices: FairPrices
    market: SimulatedMarket
    endowment: Endowment
    pace: YearPace
    instruments: Sequence[InstrumentFacts]
    venue: SimulatedVenue
    sequencer: SimulatedSequencer
    labels: Labels
    seed: int

    def __post_init__(self) -> None:
        self._numbers = {facts.symbol: number for number, facts in enumerate(self.instruments)}
        self._all = np.arange(len(self.instruments))
        self._quoted = np.exp(self.prices.closes[0])
        """The fair price, in ticks, that the present quotes of each instrument were made for."""
        self._next_renewed = 0.0
        self._references = self._quoted

    async def day(self, index: int) -> None:
        """One trading day, from the receipts before it to its day roll."""
        day = self.plan.days[index]
        rng = np.random.default_rng([self.seed, self.plan.year, index, 3])
        budget_fen = self.plan.budget_fen(index, self._done_fen())
        target_fen = self._done_fen() + budget_fen
        fair_logs = self.prices.of_day(index, day_shape.SLICES)
        before_ns = day_shape.at(day, day_shape.BEFORE_TRADING)
        await self.sequencer.pass_to(before_ns)
        self._references = self._anchors()
        await self.sequencer.run(self.endowment.corrections(self.venue, before_ns))
        await self._auction(rng, index, fair_logs[0], day_shape.OPENING_SHARE * budget_fen, budget_fen)
        for number in range(day_shape.SLICES):
            if index == self.plan.story.outage and number in planted.OUTAGE_SLICES:
                await self._outage(index, number)
                continue
            amount_fen = (target_fen - self._done_fen()) * day_shape.share_of_rest(number)
            await self._slice(rng, index, number, fair_logs[number], amount_fen, budget_fen)
        await self._close(rng, index, target_fen - self._done_fen())
        await self.sequencer.pass_to(day_shape.at(day, day_shape.END_OF_DAY))

    def _done_fen(self) -> int:
        return self.venue.turnover_fen(self.plan.year)

    def _anchors(self) -> Any:
        return np.array([self.venue.anchor_ticks(number) for number in range(len(self.instruments))])

    async def _auction(
        self, rng: np.random.Generator, index: int, fair_log: Any, amount_fen: float, budget_fen: int
    ) -> None:
        """The opening auction: every instrument is quoted, and pairs of orders cross."""
        start_ns = day_shape.at(self.plan.days[index], day_shape.OPENING_AUCTION)
        grid = quote_grid(self._all, self._pairs(rng), index)
        self._quoted = self.market.fair_within(fair_log, self._references, self._references, OPENING_MOVE)
        moved = np.flatnonzero(np.abs(self._quoted / self._references - 1) > QUOTED_MOVE)
        made = quotes(rng, self.market, grid, self._quoted, self._side_lots(budget_fen), start_ns)
        crossing = auction_orders(
            rng,
            self.market,
            round(self.pace.trading / 2),
            amount_fen,
            self._quoted,
            start_ns + _QUOTING_NS,
            _AUCTION_SPAN_NS,
            also=moved,
        )
        await self.sequencer.run(np.concatenate((made, crossing)))

    async def _close(self, rng: np.random.Generator, index: int, amount_fen: int) -> None:
        """The closing auction trades what the day still lacks."""
        start_ns = day_shape.at(self.plan.days[index], day_shape.CLOSING_AUCTION)
        anchors = self._anchors()
        crossing = auction_orders(
            rng, self.market, round(self.pace.trading / 2), max(amount_fen, 0), anchors, start_ns, _AUCTION_SPAN_NS
        )
        await self.sequencer.run(crossing)

    async def _slice(
        self, rng: np.random.Generator, index: int, number: int, fair_log: Any, amount_fen: float, budget_fen: int
    ) -> None:
        start_ns = day_shape.slice_start(self.plan.days[index], number)
        renewed = self._quotes(rng, index, fair_log, budget_fen, start_ns)
        count = rng.poisson(self.pace.trading * day_shape.INTENSITY[number])
        span_ns = day_shape.SLICE_NS - 2 * _QUOTING_NS
        orders = trading_orders(
            rng, self.market, count, max(amount_fen, 0.0), self._quoted, start_ns + _QUOTING_NS, span_ns
        )
        once = self._planted(rng, index, number, start_ns)
        commands = np.concatenate((*renewed, orders, *once))
        if once:
            commands = commands[np.argsort(commands["time_ns"], kind="stable")]
        events = await self.sequencer.run(commands)
        if once:
            self._label(index, commands, b"".join(events))
        if (index, number) == (self.plan.story.bust, planted.BUST_SLICE):
            await self._bust(b"".join(events), start_ns + day_shape.SLICE_NS - _QUOTING_NS)

    def _quotes(
        self, rng: np.random.Generator, index: int, fair_log: Any, budget_fen: int, start_ns: int
    ) -> tuple[Any, ...]:
        """The cancels and new quotes of a slice."""
        fair = self.market.fair_within(fair_log, self._anchors(), self._references)
        if self.pace.every_maker:
            grid = quote_grid(self._all, self._pairs(rng), index)
            canceled = cancels(self.market.accounts[:MAKERS], ALL_INSTRUMENTS, start_ns)
            self._quoted = fair
        else:
            before, self._next_renewed = self._next_renewed, self._next_renewed + self.pace.renewed
            instruments = np.arange(int(before), int(self._next_renewed)) % len(self._all)
            grid = quote_grid(instruments, np.ones(len(instruments), dtype=int), index)
            canceled = cancels(self.market.accounts[grid.maker], grid.instrument, start_ns)
            self._quoted[instruments] = fair[instruments]
        return canceled, quotes(rng, self.market, grid, self._quoted, self._side_lots(budget_fen), start_ns)

    def _pairs(self, rng: np.random.Generator) -> Any:
        """Pairs of quotes by instrument: whole numbers with the mean of the pace."""
        return np.floor(self.pace.pairs + rng.random(len(self._all))).astype(int).clip(1)

    def _side_lots(self, budget_fen: int) -> Any:
        """Lots on each side of an instrument, for the turnover expected until the quotes are renewed and for large orders."""
        slices = DEPTH_OF_SLICES * self.pace.slices_between + DEPTH_BESIDE
        order_fen = self.pace.order_fen(budget_fen)
        amount_fen = np.maximum(budget_fen * slices / day_shape.SLICES * self.market.share, DEPTH_OF_ORDERS * order_fen)
        return self.market.lots(amount_fen, self._quoted)

    # What is planted

    def _planted(self, rng: np.random.Generator, index: int, number: int, start_ns: int) -> list[Any]:
        story = self.plan.story
        made = []
        if index in story.ring and number in ring.SLICES:
            instrument = self._numbers[ring.SYMBOL]
            made.append(ring.ring_orders(rng, self.market, instrument, self._quoted, start_ns))
        if index == story.crash[0] and number == planted.PANIC_SLICE:
            instrument = self._numbers[planted.PANIC_SYMBOL]
            made += planted.panic_orders(self.market, instrument, self.venue.anchor_ticks(instrument), start_ns)
        return made

    def _label(self, index: int, commands: Any, events: bytes) -> None:
        """Writes down what the planted orders of a slice led to."""
        if index == self.plan.story.crash[0] and planted.begins_volatility_auction(events):
            day = self.plan.days[index]
            self.labels.volatility_auction_date = day.year * 10_000 + day.month * 100 + day.day
            self.labels.volatility_auction_symbol = planted.PANIC_SYMBOL
        if index in self.plan.story.ring:
            self.labels.ring_accounts = self.market.accounts[list(ring.MEMBERS)].tolist()
            of_ring = np.isin(commands["account"], self.labels.ring_accounts)
            of_ring &= commands["instrument"] == self._numbers[ring.SYMBOL]
            order_ids = set(commands["seq"][of_ring].tolist())
            self.labels.ring_trade_ids += ring.ring_trades(events, order_ids)

    async def _outage(self, index: int, number: int) -> None:
        """The venue is down; with the last slice it is up again, and its schedule goes on at once."""
        day = self.plan.days[index]
        self.labels.outage_from_ns = day_shape.at(day, planted.OUTAGE_FROM)
        self.labels.outage_to_ns = day_shape.at(day, planted.OUTAGE_TO)
        if number == planted.OUTAGE_SLICES[-1]:
            await self.sequencer.be_down_until(self.labels.outage_to_ns)

    async def _bust(self, events: bytes, time_ns: int) -> None:
        """An operator busts the largest trade of the slice."""
        trade_id = planted.largest_trade(events)
        if trade_id:
            text = BustText(reason=planted.BUST_REASON)
            await self.sequencer.submit(bust_trade(Command(), trade_id, text), time_ns)
            self.labels.busted_trade_id = trade_id
