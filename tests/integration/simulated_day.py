"""The simulated traders of a demo against the engine, in this process and at simulated times: nothing waits, all is seeded."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import date
from functools import partial
from typing import Any

import numpy as np

from matching_engine import Engine
from matching_engine.records import COMMAND, Command, CommandKind, EventKind, Flag, pack_commands
from services.data.calendar import TradingCalendar
from services.data.instruments import load_instruments
from services.gateway.http.venue import instrument_json
from services.gateway.order_entry.order_command import ORDER_TYPES, SIDES, TIMES_IN_FORCE
from services.gateway.replies.market_json import ticker_json
from services.journal.batch import JournalBatch
from services.market_data import Market
from services.sequencer.schedule import AlwaysOpen
from services.simulator import demo_accounts
from services.simulator.book import Action, Amend, Cancel, NewOrder, TraderBook, TraderOrder
from services.simulator.market import MarketView, Quote
from services.simulator.pace import Pace
from services.simulator.session import order_body
from services.simulator.turns import TraderTurns, Turn
from services.simulator.year import day_shape
from services.simulator.year.sequencing import SimulatedSequencer
from services.venue.first_start import DEMO_GUARDS, Existing, Seeding
from services.venue_state.orders import SIDE_NAMES
from services.venue_state.state import VenueState

MORNING_NS = day_shape.at(date(2026, 3, 3), (9, 0))


class Member:
    """A trader whose account is read from the state of the venue: it is idle, since its orders are carried out at once."""

    idle = True

    def __init__(self, account: int, role: Any, lots: dict[str, int]) -> None:
        self.account = account
        self.role = role
        self.book = TraderBook(dict(lots))


class SimulatedDay:
    """A demo venue and its traders. `run` lets them trade for so many seconds."""

    def __init__(self, pace: Pace, seed: int) -> None:
        self.engine = Engine()
        self.state, self.market, self.view = VenueState(), Market(), MarketView()
        self.kinds: Counter[EventKind] = Counter()
        self.traded: Counter[str] = Counter()
        """Turnover by symbol, in fen."""
        self._sequencer = SimulatedSequencer(
            self.engine,
            AlwaysOpen(TradingCalendar.load()),
            bytes(16),
            self._sink,
            longest_ns=DEMO_GUARDS.auction_s * 10**9,
        )
        self._now_ns = MORNING_NS
        asyncio.run(self._sequencer.submit(self._first_start(), MORNING_NS))
        for instrument in self.state.instruments:
            self.view.list_instrument(instrument_json(instrument))
        accounts = {account.name: number for number, account in self.state.accounts.items()}
        self.members = [
            Member(accounts[account.name], account.role, account.lots)
            for account in demo_accounts()
            if account.role != "desk"
        ]
        for member in self.members:
            self._balances(member)
            self.state.order_listeners[member.account] = partial(self._ordered, member.book)
        self._turns = TraderTurns(self.view, self.members, seed, pace)

    def run(self, seconds: float) -> None:
        """Both processes of turns, each turn at its time."""
        asyncio.run(self._run(seconds))

    @property
    def turnover_fen(self) -> int:
        """The year's net turnover."""
        return self.engine.turnover_fen(2026)

    async def _run(self, seconds: float) -> None:
        due = {self._turns.quoting: 0.0, self._turns.taking: 0.0}
        while True:
            kind = min(due, key=due.__getitem__)
            at = due[kind]
            if at >= seconds:
                return
            self._now_ns = MORNING_NS + int(at * 1e9)
            await self._sequencer.pass_to(self._now_ns)
            turn, wait = kind()
            if turn is not None:
                await self._take(turn)
            due[kind] = at + wait

    async def _take(self, turn: Turn[Member]) -> None:
        commands = [self._command(turn.trader, turn.quote, action) for action in turn.actions]
        await self._sequencer.run(np.frombuffer(pack_commands(commands), COMMAND).copy())
        await self._sequencer.flush()
        self._balances(turn.trader)

    def _command(self, member: Member, quote: Quote, action: Action) -> Command:
        common = Command(account=member.account, time_ns=self._now_ns)
        match action:
            case Cancel(order_id):
                return common._replace(kind=CommandKind.CANCEL, order_id=int(order_id))
            case Amend(order_id, price_ticks):
                return common._replace(
                    kind=CommandKind.AMEND,
                    order_id=int(order_id),
                    flags=int(Flag.CHANGE_PRICE),
                    price_ticks=price_ticks,
                )
            case NewOrder():
                body = order_body(quote, action)
                return common._replace(
                    kind=CommandKind.NEW_ORDER,
                    instrument=self.state.by_symbol[action.symbol].number,
                    side=SIDES[action.side],
                    order_type=ORDER_TYPES[body["order_type"]],
                    time_in_force=TIMES_IN_FORCE[action.time_in_force],
                    price_ticks=action.price_ticks or 0,
                    trigger_ticks=action.stop_ticks or 0,
                    quantity_lots=action.quantity,
                    display_lots=action.display or 0,
                    flags=int(Flag.POST_ONLY) if action.post_only else 0,
                    time_s=self._now_ns // 10**9 + action.lifetime_s if action.lifetime_s else 0,
                )

    async def _sink(self, batch: JournalBatch) -> None:
        self.state.apply(batch)
        changes = self.market.apply(batch)
        for instrument in changes.ticker:
            self.view.apply_ticker(ticker_json(self.state.instruments[instrument], self.market.ticker(instrument)))
        for applied in batch.applied(0):
            self.kinds[EventKind(applied.event.kind)] += 1
            if applied.event.kind == EventKind.TRADE:
                self.traded[self.state.instruments[applied.event.instrument].symbol] += applied.event.amount_fen

    def _ordered(self, book: TraderBook, order: Any, _event: object) -> None:
        order_id = str(order.order_id)
        if order.leaves_lots:
            ticks = order.trigger_ticks if order.trigger_ticks and not order.triggered_seq else order.price_ticks
            symbol = self.state.instruments[order.instrument].symbol
            side = SIDE_NAMES[order.side]
            book.open_orders[order_id] = TraderOrder(order_id, symbol, side, ticks, order.leaves_lots)  # type: ignore[arg-type]
        else:
            book.open_orders.pop(order_id, None)

    def _balances(self, member: Member) -> None:
        account = self.state.accounts[member.account]
        member.book.available_fen = account.cash_fen - account.reserved_fen
        member.book.available_lots = {
            self.state.instruments[number].symbol: held.lots - held.reserved_lots
            for number, held in account.holdings.items()
        }

    def _first_start(self) -> Any:
        seeding = Seeding(Existing({}, {}, 1, frozenset()), {})
        seeding.venue(load_instruments(), year=2026, guards=DEMO_GUARDS)
        for trader in demo_accounts():
            seeding.trader(trader.name, trader.cash_fen, trader.lots)
        return seeding.submission(Command())
