"""The number of a key's requests under way: it is bounded, requests wait for room, and each ends whatever its outcome."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Coroutine
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching_engine.records import COMMAND
from services.gateway.order_entry.in_flight import TURN, UNDER_WAY, UNDER_WAY_WITH_CANCELS, InFlight
from services.gateway.order_entry.order_body import AmendParams
from services.gateway.problems import ProblemError
from services.messaging import Submission
from tests.long import examples
from tests.unit.gateway.order_entry.test_order_entry import BUY, DESK, OPERATOR, Gateway

pytestmark = pytest.mark.anyio


def refusal(under_way: InFlight, count: int, *, only_cancels: bool = False) -> str:
    with pytest.raises(ProblemError) as refused:
        under_way.begin(7, count, only_cancels=only_cancels)
    assert (refused.value.status, refused.value.code) == (429, "too_many_requests")
    return refused.value.detail


async def test_a_key_has_its_bound_its_cancels_a_little_more_and_others_do_not_count() -> None:
    under_way = InFlight()
    under_way.begin(7, UNDER_WAY - 1)
    assert refusal(under_way, 2).startswith(f"{UNDER_WAY - 1} requests of this key have no reply yet, {UNDER_WAY} may.")
    under_way.begin(7, 1)
    under_way.begin(8, 1)
    refusal(under_way, 1)
    under_way.begin(7, UNDER_WAY_WITH_CANCELS - UNDER_WAY, only_cancels=True)
    refusal(under_way, 1, only_cancels=True)
    assert (under_way[7], under_way[8], under_way[9]) == (UNDER_WAY_WITH_CANCELS, 1, 0)
    under_way.end(8)
    under_way.end(7, UNDER_WAY_WITH_CANCELS)
    assert (under_way[7], under_way[8]) == (0, 0)


async def test_connections_wait_for_room_and_a_cancel_does_not() -> None:
    under_way, order = InFlight(), []
    under_way.begin(7, UNDER_WAY)

    async def connection(name: str) -> None:
        await under_way.turn(7)
        under_way.begin(7, 1)
        order.append(name)

    waiting = [asyncio.create_task(connection(name)) for name in ("first", "second")]
    await asyncio.sleep(0)
    assert under_way.keys_waiting == 1
    await under_way.turn(7, only_cancels=True)
    await under_way.turn(8)
    assert order == []
    under_way.end(7)
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    assert (order, under_way[7], under_way.keys_waiting) == (["first"], UNDER_WAY, 1)
    under_way.end(7, UNDER_WAY)
    await asyncio.gather(*waiting)
    assert (order, under_way[7], under_way.keys_waiting) == (["first", "second"], 1, 0)


async def test_connections_of_a_key_take_turns_and_others_have_theirs_between() -> None:
    """In one turn of the loop a key may begin a few requests, over all its connections; another key does not wait for them."""
    under_way, order = InFlight(), []

    async def connection(key_id: int, name: str) -> None:
        for number in range(3):
            if not under_way.may_begin(key_id):
                await under_way.turn(key_id)
            under_way.begin(key_id, 1)
            order.append(f"{name}{number}")

    def turns() -> None:
        order.append("|")
        if len(order) < 100:
            asyncio.get_running_loop().call_soon(turns)

    connections = [asyncio.create_task(connection(7, name)) for name in "abc"]
    turns()
    await asyncio.gather(*connections, asyncio.create_task(connection(8, "x")))
    together = [turn.split() for turn in " ".join(order).split("|")]
    assert max(sum(name[0] != "x" for name in turn) for turn in together) == TURN, together
    assert sorted(name for name in order if name != "|") == sorted(
        f"{name}{number}" for name in "abcx" for number in range(3)
    )
    assert under_way[7] == 9


async def test_a_connection_that_ends_while_it_waits_leaves_the_line_and_the_next_one_has_its_place() -> None:
    under_way, began = InFlight(), list[str]()
    under_way.begin(7, UNDER_WAY)

    async def connection(name: str) -> None:
        await under_way.turn(7)
        under_way.begin(7, 1)
        began.append(name)

    waiting = [asyncio.create_task(connection(name)) for name in ("first", "let in", "last")]
    await asyncio.sleep(0)
    waiting[0].cancel()
    await asyncio.wait(waiting[:1])
    under_way.end(7)
    await asyncio.sleep(0)  # "let in" has its place now and has not begun.
    waiting[1].cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert (began, under_way[7], under_way.keys_waiting) == (["last"], UNDER_WAY, 0)


async def test_what_is_looked_up_is_under_way_until_it_is_found() -> None:
    gateway = Gateway()
    canceling = await gateway.ask(gateway.entry.cancel(DESK, order_id=99_999))
    await gateway.run_engine()
    await asyncio.sleep(0)
    pending = gateway.entry.pending
    assert (pending.waiting, pending.in_flight[DESK.key_id], canceling.done()) == (0, 1, False)
    with pytest.raises(ProblemError) as caught:
        await canceling
    assert caught.value.code == "unknown_order"
    assert pending.in_flight[DESK.key_id] == 0


async def test_a_look_up_is_never_refused_for_room_that_another_request_took_meanwhile() -> None:
    under_way = InFlight()
    under_way.begin(7, UNDER_WAY_WITH_CANCELS, only_cancels=True)
    under_way.end(7)
    under_way.begin(7, 1, only_cancels=True)
    under_way.begin_again(7)
    assert under_way[7] == UNDER_WAY_WITH_CANCELS + 1
    refusal(under_way, 1, only_cancels=True)
    under_way.end(7, UNDER_WAY_WITH_CANCELS + 1)
    assert under_way[7] == 0


async def test_an_account_s_full_share_of_the_inbox_is_too_many_requests() -> None:
    gateway = Gateway()
    for _ in range(3):
        await gateway.ask(gateway.entry.cancel(OPERATOR, order_id=1))
        await gateway.inbox.put(Submission(bytes(COMMAND.itemsize), account=DESK.account))
    with pytest.raises(ProblemError) as refused:
        await gateway.entry.place(DESK, BUY)
    assert (refused.value.status, refused.value.code) == (429, "too_many_requests")
    assert (gateway.entry.pending.in_flight[DESK.key_id], gateway.entry.pending.waiting) == (0, 3)


STEPS = ("place", "repeat", "batch", "cancel", "amend", "mass cancel", "operator", "leave", "full", "engine", "give up")


class Story:
    """Requests of all kinds, and everything that may become of them."""

    def __init__(self) -> None:
        self.gateway = Gateway()
        self.tasks: list[asyncio.Task[Any]] = []
        self.numbers = iter(range(10**6))

    async def step(self, what: str) -> None:
        gateway, entry, number = self.gateway, self.gateway.entry, next(self.numbers)
        body = BUY if what == "repeat" else type(BUY)("ND-OX", "buy", 1, price="9990", client_order_id=f"n{number}")
        match what:
            case "place" | "repeat":
                self.ask(entry.place(DESK, body))
            case "batch":
                self.ask(entry.batch(DESK, [BUY, body]))
            case "cancel":
                self.ask(entry.cancel(DESK, client_order_id=f"n{number // 2}"))
            case "amend":
                self.ask(entry.amend(DESK, AmendParams(quantity=2), client_order_id=f"n{number // 2}"))
            case "mass cancel":
                self.ask(entry.mass_cancel(DESK, "*", None, None))
            case "operator":
                self.ask(entry.cancel(OPERATOR, order_id=number))
            case "leave":
                if self.tasks:
                    self.tasks[number % len(self.tasks)].cancel()
            case "full":
                while gateway.inbox.depth < 24:
                    await gateway.inbox.put(gateway.filler())
            case "engine":
                await self.engine()
            case "give up":
                entry.pending.give_up(math.inf)
        await asyncio.sleep(0)

    def ask(self, request: Coroutine[Any, Any, Any]) -> None:
        self.tasks.append(asyncio.create_task(request))

    @property
    def under_way(self) -> int:
        """Of both keys."""
        return sum(self.gateway.entry.pending.in_flight[key.key_id] for key in (DESK, OPERATOR))

    async def engine(self) -> None:
        if self.gateway.inbox.depth:
            await self.gateway.run_engine()


TURNS_OF_A_LOOK = 200_000


@settings(max_examples=examples(60), deadline=None)
@given(st.lists(st.sampled_from(STEPS), max_size=40))
def test_whatever_becomes_of_requests_the_counts_return_to_zero(steps: list[str]) -> None:
    async def run() -> None:
        story = Story()
        for what in steps:
            await story.step(what)
            assert story.under_way >= story.gateway.entry.pending.waiting
        while story.gateway.inbox.depth:
            await story.engine()
        await asyncio.gather(*story.tasks, return_exceptions=True)
        pending = story.gateway.entry.pending
        for _ in range(TURNS_OF_A_LOOK):  # A client that left has a look into the past that nobody waits for.
            if not story.under_way and not pending.in_flight.keys_waiting:
                break
            await asyncio.sleep(0)
        assert (pending.waiting, story.under_way, pending.in_flight.keys_waiting) == (0, 0, 0)

    asyncio.run(run())
