from __future__ import annotations

import asyncio
import math
from collections.abc import Coroutine
from typing import Any, TypeVar

import msgspec
import pytest

from matching_engine.records import (
    ALL_INSTRUMENTS,
    BOTH_SIDES,
    Command,
    CommandKind,
    OrderType,
    Side,
    TimeInForce,
    pack_commands,
    unpack_commands,
)
from services.commands import administrative as admin
from services.commands.attachments import RequestSkipped
from services.gateway.order_entry.history import OrderHistory
from services.gateway.order_entry.order_body import AmendParams, OrderBody
from services.gateway.order_entry.order_entry import OrderEntry
from services.gateway.problems import ProblemError
from services.journal.batch import JournalBatch
from services.market_data import Market
from services.messaging import Submission
from services.messaging.in_process import InProcessInbox
from services.sequencer.repeats import noted
from services.venue_state.errors import NotAllowed
from services.venue_state.keys import ApiKey
from services.venue_state.orders import VenueOrder, VenueOrders
from services.venue_state.state import VenueState
from tests.unit.read_model.history import SENDER, History, opening

pytestmark = pytest.mark.anyio

DESK = ApiKey(7, 2, "desk", frozenset({"read", "trade"}))
OPERATOR = ApiKey(8, 0, "operator", frozenset({"operate"}))
BUY = OrderBody(symbol="ND-OX", side="buy", price="10000.00", quantity=1, client_order_id="a")

T = TypeVar("T")


class NoPast(OrderHistory):
    """A history without orders."""

    def __init__(self, state: VenueState) -> None:
        self._state = state

    async def _rows(self, query: Any) -> list[Any]:
        return []


class WholePast(NoPast):
    """A history with every order, as the read database."""

    async def order(self, order_id: int) -> VenueOrder | None:
        return await super().order(order_id) or VenueOrder.from_columns({"order_id": order_id})


class SlowPast(WholePast):
    """A history that answers when it is let go."""

    def __init__(self, state: VenueState) -> None:
        super().__init__(state)
        self.asked: list[int] = []
        self.let_go = asyncio.Event()

    async def order(self, order_id: int) -> VenueOrder | None:
        self.asked.append(order_id)
        await self.let_go.wait()
        return await super().order(order_id)


class Gateway:
    """Order entry before an engine that the test runs step by step."""

    def __init__(self, past: type[NoPast] = NoPast) -> None:
        self.venue, self.state, self.inbox = History(), VenueState(), InProcessInbox(max_commands=24)
        self.opening = self.venue.batch(opening())
        self.state.apply(self.opening)
        self.past = past(self.state)
        self.entry = OrderEntry(self.state, self.inbox, self.past, Market())

    async def ask(self, request: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """A request that has been handed over and waits for its reply."""
        asking = asyncio.create_task(request)
        await asyncio.sleep(0)
        return asking

    async def next_commands(self) -> list[Command]:
        (submission,) = await self.inbox.take(1, 1)
        return list(unpack_commands(submission.commands))

    def filler(self) -> Submission:
        """A command without a sender, which takes room in the inbox."""
        return Submission(pack_commands([Command(kind=CommandKind.CANCEL, account=2, order_id=1)]))

    async def run_engine(self, submissions: list[Submission] | None = None) -> JournalBatch:
        if submissions is None:
            submissions = [*await self.inbox.take(100, 10**6), *self.inbox.take_late(100, 10**6)]
        batch = self.venue.batch(submissions)
        self.state.apply(batch)
        self.entry.pending.resolve(batch)
        return batch


async def test_what_the_command_says() -> None:
    gateway = Gateway()
    placing = await gateway.ask(gateway.entry.place(DESK, BUY))
    (command,) = await gateway.next_commands()
    assert command == Command(
        request_id=1,
        actor=7,
        incarnation=command.incarnation,
        gateway_id=1,
        kind=1,
        account=2,
        instrument=0,
        side=Side.BUY,
        order_type=OrderType.LIMIT,
        time_in_force=TimeInForce.DAY,
        price_ticks=1_000,
        quantity_lots=1,
        client_order_id=b"a",
    )
    assert command.incarnation
    assert not placing.done()


async def test_a_market_order_is_ioc_and_has_no_price() -> None:
    gateway = Gateway()
    market = OrderBody(symbol="ND-OX", side="sell", order_type="market", quantity=2)
    await gateway.ask(gateway.entry.place(DESK, market))
    (command,) = await gateway.next_commands()
    assert (command.order_type, command.time_in_force, command.price_ticks, command.client_order_id) == (
        OrderType.MARKET,
        TimeInForce.IOC,
        0,
        b"",
    )


async def test_each_request_gets_its_own_outcome() -> None:
    gateway = Gateway()
    placing = {}
    for name in ("a", "b"):
        body = OrderBody(symbol="ND-OX", side="buy", price="10000", quantity=1, client_order_id=name)
        placing[name] = await gateway.ask(gateway.entry.place(DESK, body))
    await gateway.run_engine()
    assert {name: (await task)[0].client_order_id for name, task in placing.items()} == {"a": "a", "b": "b"}
    assert gateway.entry.pending.waiting == 0


async def test_a_batch_of_an_earlier_life_or_another_gateway_is_no_reply() -> None:
    gateway, other = Gateway(), Gateway()
    placing = await gateway.ask(gateway.entry.place(DESK, BUY))
    await other.ask(other.entry.place(DESK, BUY))
    batch = await gateway.run_engine(await other.inbox.take(1, 1))
    await asyncio.sleep(0)
    assert (batch.command_list[0].request_id, placing.done(), gateway.entry.pending.waiting) == (1, False, 1)
    await gateway.run_engine()
    order, repeated = await placing
    assert (order.order_id, repeated) == (batch.first_seq, True)


async def test_a_batch_has_an_outcome_for_each_order_also_where_no_reply_comes() -> None:
    gateway = Gateway()
    wrong = msgspec.structs.replace(BUY, symbol="none")
    placing = await gateway.ask(gateway.entry.batch(DESK, [BUY, wrong, BUY]))
    assert gateway.entry.pending.waiting == 2
    await gateway.run_engine()
    first, second, third = await placing
    assert first.order is not None
    assert (first.order, second.problem and second.problem.code) == (third.order, "unknown_symbol")
    unanswered = await gateway.ask(gateway.entry.batch(DESK, [BUY, wrong]))
    gateway.entry.pending.give_up(math.inf)
    assert [outcome.problem and outcome.problem.code for outcome in await unanswered] == [
        "outcome_unknown",
        "unknown_symbol",
    ]


async def test_a_full_inbox_leaves_nothing_behind() -> None:
    gateway = Gateway()
    for _ in range(22):
        await gateway.inbox.put(gateway.filler())
    with pytest.raises(ProblemError) as caught:
        await gateway.entry.batch(DESK, [BUY] * 2)
    assert (caught.value.code, gateway.entry.pending.waiting, gateway.inbox.depth) == ("inbox_full", 0, 22)
    assert (gateway.entry.pending.in_flight[DESK.key_id], gateway.entry.pending.refused) == (0, {"inbox_full": 1})
    with pytest.raises(ProblemError) as unknown:
        await gateway.entry.amend(DESK, AmendParams(quantity=2), client_order_id="a")
    assert unknown.value.code == "unknown_order", "no command was sent for an order that never was"


async def test_an_order_on_its_way_can_be_amended_by_its_client_order_id() -> None:
    gateway = Gateway()
    placing = asyncio.create_task(gateway.entry.place(DESK, BUY))
    await asyncio.sleep(0)
    amending = asyncio.create_task(gateway.entry.amend(DESK, AmendParams(price="9990.00"), client_order_id="a"))
    await asyncio.sleep(0)
    await gateway.run_engine()
    (placed, _), amended = await placing, await amending
    assert (amended.order_id, amended.price_ticks, amended.state) == (placed.order_id, 999, "new")


async def test_an_amend_counts_in_the_ticks_of_the_open_order_with_that_id() -> None:
    """A second order that wrongly takes the id is on its way, in an instrument of another tick."""
    gateway = Gateway()
    elsewhere = msgspec.structs.replace(BUY, symbol="NDFEB-N42", price="33.30")
    for client_order_id, is_placed in (("a", True), ("b", False)):  # open already, or on its way, too
        order = msgspec.structs.replace(BUY, client_order_id=client_order_id)
        await gateway.ask(gateway.entry.place(DESK, order))
        if is_placed:
            await gateway.run_engine()
        wrong = msgspec.structs.replace(elsewhere, client_order_id=client_order_id)
        taking = await gateway.ask(gateway.entry.place(DESK, wrong))
        change = AmendParams(price="9990.00")
        amending = asyncio.create_task(gateway.entry.amend(DESK, change, client_order_id=client_order_id))
        await asyncio.sleep(0)
        await gateway.run_engine()
        amended = await amending
        assert (amended.instrument, amended.price_ticks) == (0, 999)
        with pytest.raises(ProblemError, match="was used for another order"):
            await taking


async def test_a_declined_amend_is_told_with_the_numbers_of_its_own_order() -> None:
    """The engine's refusal repeats the command, which names neither the instrument nor the side of the order."""
    gateway = Gateway()
    await gateway.run_engine([admin.set_collar(SENDER, 1, 20_000)])
    sell = OrderBody(symbol="NDFEB-N42", side="sell", price="33.30", quantity=1, client_order_id="sell")
    limit = gateway.state.by_symbol["NDFEB-N42"]
    for change, numbers in (
        (AmendParams(price="66.60"), f"Limit: {limit.price_text(limit.high_ticks)}."),
        (AmendParams(price=limit.price_text(limit.low_ticks)), "At most 2 % below it."),
        (AmendParams(quantity=900), "lots of NDFEB-N42."),
    ):
        placing = asyncio.create_task(gateway.entry.place(DESK, sell))
        amending = asyncio.create_task(gateway.entry.amend(DESK, change, client_order_id="sell"))
        await asyncio.sleep(0)
        await gateway.run_engine()
        await placing
        with pytest.raises(ProblemError) as declined:
            await amending
        assert declined.value.status == 409
        assert declined.value.detail.endswith(numbers)


async def test_an_order_that_memory_has_forgotten_is_answered_from_the_past() -> None:
    """A batch may end more orders than memory keeps, those that its own requests are about among them."""
    gateway = Gateway(WholePast)
    gateway.state.orders = VenueOrders(ended_limit=0)
    market = OrderBody(symbol="ND-OX", side="buy", order_type="market", quantity=1)
    placing = asyncio.create_task(gateway.entry.place(DESK, market))
    resting = asyncio.create_task(gateway.entry.place(DESK, BUY))
    await asyncio.sleep(0)
    canceling = asyncio.create_task(gateway.entry.cancel(DESK, client_order_id="a"))
    await asyncio.sleep(0)
    batch = await gateway.run_engine()
    (market_order, _), (canceled, repeated) = await placing, await resting
    assert (market_order.order_id, canceled.order_id, repeated) == (batch.first_seq, batch.first_seq + 1, False)
    assert (await canceling).order_id == canceled.order_id


async def test_a_mass_cancel_says_whose_orders() -> None:
    gateway = Gateway()
    await gateway.ask(gateway.entry.mass_cancel(DESK, "*", "sell", None))
    await gateway.ask(gateway.entry.mass_cancel(OPERATOR, "ND-OX", None, 3))
    await gateway.ask(gateway.entry.mass_cancel(OPERATOR, "ND-OX", None, None))
    commands = [(await gateway.next_commands())[0] for _ in range(3)]
    assert [(c.account, c.instrument, c.side) for c in commands] == [
        (2, ALL_INSTRUMENTS, Side.SELL),
        (3, 0, BOTH_SIDES),
        (0, 0, BOTH_SIDES),
    ]
    with pytest.raises(ProblemError) as unknown:
        await gateway.entry.mass_cancel(OPERATOR, "*", None, 99)
    assert unknown.value.code == "unknown_account"


async def test_a_client_that_left_disturbs_nobody() -> None:
    gateway = Gateway()
    leaving = asyncio.create_task(gateway.entry.place(DESK, BUY))
    staying = asyncio.create_task(
        gateway.entry.place(DESK, OrderBody(symbol="ND-OX", side="buy", price="9990", quantity=1))
    )
    await asyncio.sleep(0)
    leaving.cancel()
    await asyncio.wait([leaving])
    await gateway.run_engine()
    order, repeated = await staying
    assert (order.price_ticks, order.state, repeated) == (999, "new", False)


async def test_cancels_say_who_asks() -> None:
    gateway = Gateway()
    await gateway.ask(gateway.entry.cancel(DESK, order_id=5))
    await gateway.ask(gateway.entry.cancel(DESK, client_order_id="a"))
    await gateway.ask(gateway.entry.cancel(OPERATOR, order_id=5))
    commands = [(await gateway.next_commands())[0] for _ in range(3)]
    assert [(c.account, c.order_id, c.client_order_id) for c in commands] == [(2, 5, b""), (2, 0, b"a"), (0, 5, b"")]


async def test_an_operator_cannot_cancel_by_a_client_s_own_id() -> None:
    with pytest.raises(NotAllowed) as caught:
        await Gateway().entry.cancel(OPERATOR, client_order_id="a")
    assert caught.value.code == "scope_missing"


async def test_a_cancel_of_nothing_is_unknown() -> None:
    gateway = Gateway()
    canceling = asyncio.create_task(gateway.entry.cancel(DESK, order_id=99_999))
    await asyncio.sleep(0)
    await gateway.run_engine()
    with pytest.raises(ProblemError) as caught:
        await canceling
    assert (caught.value.status, caught.value.code) == (404, "unknown_order")


async def test_waiting_ends_in_time_and_in_order() -> None:
    gateway, now = Gateway(), asyncio.get_running_loop().time()
    placing = await gateway.ask(gateway.entry.place(DESK, BUY))
    gateway.entry.pending.give_up(now + 9)
    assert gateway.entry.pending.waiting == 1
    gateway.entry.pending.give_up(now + 11)
    with pytest.raises(ProblemError) as caught:
        await placing
    assert caught.value.code == "outcome_unknown"
    await gateway.run_engine()
    assert gateway.entry.pending.waiting == 0


async def test_the_history_is_asked_for_all_orders_of_a_batch_at_once() -> None:
    gateway = Gateway(SlowPast)
    assert isinstance(gateway.past, SlowPast)
    bodies = [msgspec.structs.replace(BUY, client_order_id=name) for name in ("a", "b")]
    placing = await gateway.ask(gateway.entry.batch(DESK, bodies))
    await gateway.run_engine()
    first = await placing
    again = await gateway.ask(gateway.entry.batch(DESK, bodies))
    await gateway.run_engine()
    for _ in range(3):
        await asyncio.sleep(0)
    ids = [outcome.order.order_id for outcome in first if outcome.order]
    assert gateway.past.asked == ids
    assert gateway.entry.pending.in_flight[DESK.key_id] == 2
    gateway.past.let_go.set()
    assert [outcome.order.order_id for outcome in await again if outcome.order] == ids
    assert gateway.entry.pending.in_flight[DESK.key_id] == 0


async def test_of_a_batch_only_the_skipped_request_is_not_carried_out() -> None:
    gateway = Gateway()
    asking = await gateway.ask(gateway.entry.batch(DESK, [BUY, msgspec.structs.replace(BUY, client_order_id="b")]))
    (submission,) = await gateway.inbox.take(2, 10_000)
    await gateway.run_engine([noted(submission, [RequestSkipped(skip=1).to_bytes(), None])])
    skipped, placed = await asking
    assert skipped.problem is not None
    assert placed.order is not None
    assert (skipped.problem.code, placed.order.client_order_id) == ("command_skipped", "b")
    assert gateway.entry.pending.in_flight[DESK.key_id] == 0
