"""A test of an order says what placing it right after gives: verdict, reason, price, reserve."""

from __future__ import annotations

import re
from collections.abc import Iterator
from random import Random
from typing import Any

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching_engine.records import (
    Command,
    CommandKind,
    Event,
    EventKind,
    Flag,
    Phase,
    Reason,
    SelfTrade,
    TimeInForce,
)
from services.gateway.order_entry.history import OrderHistory
from services.gateway.order_entry.order_body import OrderBody
from services.gateway.order_entry.order_command import ORDER_TYPES, SELF_TRADES, SIDES, TIMES_IN_FORCE, new_order
from services.gateway.order_entry.order_test import OrderTests
from services.gateway.order_schemas import OrderTested
from services.gateway.problems import ProblemError
from services.market_data import Market
from services.values.decimals import yuan_text
from services.values.times import second_text
from services.venue_state.errors import BadField
from services.venue_state.keys import ApiKey
from services.venue_state.orders import VenueOrder
from services.venue_state.state import VenueState
from tests.long import examples
from tests.property.engine_flow import flow
from tests.unit.read_model.history import batches_of

BODY = ("instrument", "side", "order_type", "time_in_force", "self_trade", "price_ticks", "trigger_ticks", "quantity_lots",
        "display_lots", "flags", "time_s", "client_order_id", "number")  # fmt: skip


def name_of(names: dict[str, int], number: int) -> Any:
    return next((name for name, one in names.items() if one == number), "none")


def body_of(command: Command, state: VenueState) -> OrderBody | None:
    """The body that becomes this command; None where the gateway would not let it through."""
    if command.instrument >= len(state.instruments) or command.account not in state.accounts or not command.account:
        return None
    instrument, text = state.instruments[command.instrument], command.client_order_id
    if text and not re.fullmatch(rb"[!-~]{1,36}", text):
        return None
    try:
        body = OrderBody(
            symbol=instrument.symbol,
            side=name_of(SIDES, command.side),
            quantity=command.quantity_lots,
            order_type=name_of(ORDER_TYPES, command.order_type),
            time_in_force=name_of(TIMES_IN_FORCE, command.time_in_force),
            price=instrument.price_text(command.price_ticks) if command.price_ticks else None,
            client_order_id=text.decode() or None,
            stop_price=instrument.price_text(command.trigger_ticks) if command.trigger_ticks else None,
            expire_time=second_text(command.time_s) if command.time_s else None,
            post_only=bool(command.flags & Flag.POST_ONLY),
            display_quantity=command.display_lots or None,
            self_trade_prevention=name_of(SELF_TRADES, command.self_trade),
        )
        made = new_order(Command(), state, command.account, body)
    except (ProblemError, BadField, KeyError, ValueError, OverflowError):
        return None
    return body if all(getattr(made, name) == getattr(command, name) for name in BODY) else None


class Past(OrderHistory):
    """A history without orders: the memory has them all. It counts the day rolls itself."""

    def __init__(self) -> None:
        self.day_rolls: list[int] = []

    async def orders(self, account: int | None, **_filters: Any) -> list[VenueOrder]:
        return []

    async def day_rolls_since(self, seq: int) -> int:
        return sum(roll >= seq for roll in self.day_rolls)


class OneByOne(Random):
    """Makes every batch one command long."""

    def randint(self, a: int, b: int) -> int:
        return 1


class Comparison:
    """Tests each order of a flow, and then places it."""

    def __init__(self, seed: int, length: int) -> None:
        self.state, self.market, self.past = VenueState(), Market(), Past()
        self.tests = OrderTests(self.state, self.market, self.past)
        self.commands = flow(seed, length)
        self.changed: set[int] = set()
        """Orders whose terms are not those of their command any more."""
        self.verdicts: list[tuple[str, str | None]] = []

    def run(self) -> None:
        """In one event loop: to make one for every order would be most of the work."""
        anyio.run(self._run)

    async def _run(self) -> None:
        batches = batches_of(self.commands, OneByOne(0))
        for command in self.commands:
            tested = await self._tested(command) if command.kind == CommandKind.NEW_ORDER else None
            _, batch = next(batches)
            events = list(batch.event_list)
            if tested is not None and self._is_exact(command):
                self._compare(command, tested, events)
            self.state.apply(batch)
            self.market.apply(batch)
            self._note(events)

    async def _tested(self, command: Command) -> OrderTested | str | None:
        """What the test says, or the code of its problem; None: the gateway would refuse the body."""
        body = body_of(command, self.state)
        if body is None:
            return None
        key = ApiKey(1, command.account, "desk", frozenset({"trade"}))
        try:
            return await self.tests.test(key, body, command.time_ns)
        except ProblemError as problem:
            return problem.code

    def _is_exact(self, command: Command) -> bool:
        """False for what the gateway cannot know: the first body of an order that was changed since, and the queue of the own
        group's orders at a price."""
        known = self.state.orders.known_as(command.account, command.client_order_id.decode())
        if command.client_order_id and known is not None and known.order_id in self.changed:
            return False
        if command.time_in_force != TimeInForce.FOK or command.self_trade == SelfTrade.CANCEL_OLDEST:
            return True
        owner = self.state.accounts[command.account].owner
        return not any(
            self.state.accounts[order.account].owner == owner and order.instrument == command.instrument
            for order in self.state.orders.open.values()
        )

    def _compare(self, command: Command, tested: OrderTested | str, events: list[Event]) -> None:
        first = events[0]
        if isinstance(tested, str):
            assert (first.kind, Reason(first.reason).name.lower()) == (EventKind.REJECTED, tested)
            self.verdicts.append(("problem", tested))
            return
        found = {
            EventKind.REJECTED: ("rejected", self._reason(command, first), None),
            EventKind.DUPLICATE: ("repeated", None, str(first.order_id)),
            EventKind.ACCEPTED: ("accepted", None, None),
        }[EventKind(first.kind)]
        if any(
            e.kind == EventKind.CANCELED and e.order_id == first.order_id and e.reason == Reason.FILL_OR_KILL
            for e in events
        ):
            found = ("canceled", "fill_or_kill", None)
        assert (tested.verdict, tested.reason, tested.repeats) == found, (command, events)
        if first.kind == EventKind.ACCEPTED:
            instrument = self.state.instruments[command.instrument]
            assert tested.price == instrument.price_text(first.price_ticks)
            assert tested.reserve == yuan_text(first.reserve_fen)
        self.verdicts.append((tested.verdict, tested.reason))

    def _reason(self, command: Command, rejected: Event) -> str:
        """Behind a halt the engine still knows that the schedule is closed; the gateway knows the halt."""
        is_halted = self.state.instruments[command.instrument].phase == Phase.HALTED
        is_behind = is_halted and rejected.reason == Reason.MARKET_CLOSED
        return (Reason.INSTRUMENT_HALTED if is_behind else Reason(rejected.reason)).name.lower()

    def _note(self, events: list[Event]) -> None:
        for event in events:
            if event.kind == EventKind.REPLACED or (event.kind == EventKind.SELF_TRADE_PREVENTED and event.leaves_lots):
                self.changed.add(event.order_id)
            if event.kind == EventKind.DAY_ROLLED:
                self.past.day_rolls.append(event.seq)


def verdicts(seeds: Iterator[int] | range, length: int) -> set[tuple[str, str | None]]:
    found: set[tuple[str, str | None]] = set()
    for seed in seeds:
        comparison = Comparison(seed, length)
        comparison.run()
        found.update(comparison.verdicts)
    return found


def test_what_a_test_says_is_what_placing_gives() -> None:
    found = verdicts(range(5), 500)
    assert {verdict for verdict, _ in found} == {"accepted", "rejected", "canceled", "repeated", "problem"}
    assert len(found) >= 15


@pytest.mark.slow
@given(st.integers(0, 2**32))
@settings(max_examples=examples(150))
def test_what_a_test_says_is_what_placing_gives_in_any_flow(seed: int) -> None:
    Comparison(seed, 400).run()
