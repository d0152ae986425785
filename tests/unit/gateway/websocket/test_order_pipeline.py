"""The replies of one client's orders: in the order of the requests, whatever each of them waits for."""

from __future__ import annotations

import asyncio
import json
import math
from typing import Any

import msgspec
import pytest

from matching_engine.records import CommandKind, unpack_commands
from services.gateway.http.known_keys import unknown_key
from services.gateway.limits.rate_limits import RateLimits
from services.gateway.order_entry.in_flight import UNDER_WAY
from services.gateway.websocket.client_queue import ClientQueue
from services.gateway.websocket.messages import Message
from services.gateway.websocket.order_pipeline import OrderPipeline
from services.venue_state.keys import ApiKey
from tests.unit.gateway.order_entry.test_order_entry import DESK, Gateway, NoPast, WholePast

pytestmark = pytest.mark.anyio

ORDER = {"symbol": "ND-OX", "side": "buy", "price": "10000.00", "quantity": 1}


class Client:
    """A client with a key, and the replies in its queue."""

    def __init__(self, past: type[NoPast] = NoPast) -> None:
        self.gateway = Gateway(past)
        self.key: ApiKey | None = DESK
        self.in_flight = self.gateway.entry.pending.in_flight
        self.queue = ClientQueue(lambda _: "")
        limits = RateLimits(self.gateway.state)
        self.pipeline = OrderPipeline(
            self.gateway.state, self.gateway.entry, limits, self.queue, self.valid_key, lambda: 0
        )

    def valid_key(self) -> ApiKey:
        if self.key is None:
            raise unknown_key()
        return self.key

    async def ask(self, method: str, req_id: int, **params: Any) -> None:
        await self.ask_with_more(method, req_id, **params)
        await self.pipeline.hand_over()

    async def ask_with_more(self, method: str, req_id: int, **params: Any) -> None:
        """Asks where the next message has arrived already."""
        await self.pipeline.take(Message(method, msgspec.Raw(json.dumps(params).encode()), req_id))

    async def history_answers(self) -> None:
        """Lets the tasks that ask the history run to their end."""
        for _ in range(20):
            await asyncio.sleep(0)

    def replies(self) -> list[tuple[int, str]]:
        """The req_id of each reply, and its order's state, its count of canceled orders, or its error's code."""
        found = []
        while (text := self.queue.next_text()) is not None:
            reply = json.loads(text)
            result = reply.get("result") or {"state": reply["error"]["code"]}
            found.append((reply["req_id"], result.get("state") or str(result["canceled"])))
        return found


async def test_each_method_gets_its_reply_in_the_order_of_the_requests() -> None:
    client = Client()
    await client.ask("place_order", 1, **ORDER, client_order_id="a")
    await client.ask("place_order", 2, **ORDER, client_order_id="b")
    await client.ask("amend_order", 3, client_order_id="a", quantity=2)
    assert (client.replies(), len(client.pipeline), client.in_flight[DESK.key_id]) == ([], 3, 3)
    await client.gateway.run_engine()
    assert client.replies() == [(1, "new"), (2, "new"), (3, "new")]
    await client.ask("cancel_order", 4, client_order_id="a")
    await asyncio.sleep(0)  # Four requests of a key begin in one turn of the event loop.
    await client.ask("mass_cancel", 5, symbol="*")
    await client.gateway.run_engine()
    assert client.replies() == [(4, "canceled"), (5, "1")]
    assert (len(client.pipeline), client.in_flight[DESK.key_id]) == (0, 0)


async def test_a_problem_waits_for_the_replies_before_it() -> None:
    client = Client()
    await client.ask("place_order", 1, **ORDER)
    await client.ask("place_order", 2, **{**ORDER, "symbol": "none"})
    await client.ask("cancel_order", 3)
    assert client.replies() == []
    await client.gateway.run_engine()
    assert client.replies() == [(1, "new"), (2, "unknown_symbol"), (3, "validation_failed")]


async def test_new_orders_that_arrive_together_are_one_submission_with_a_reply_each() -> None:
    client = Client()
    await client.ask_with_more("place_order", 1, **ORDER, client_order_id="a")
    await client.ask_with_more("place_order", 2, **{**ORDER, "symbol": "none"})
    await client.ask_with_more("place_order", 3, **ORDER, client_order_id="b")
    assert client.gateway.inbox.depth == 0
    await client.ask_with_more("cancel_order", 4, client_order_id="b")
    taken = await client.gateway.inbox.take(10, 10_000)
    kinds = [[command.kind for command in unpack_commands(submission.commands)] for submission in taken]
    assert kinds == [[CommandKind.NEW_ORDER, CommandKind.NEW_ORDER], [CommandKind.CANCEL]]
    for submission in taken:
        await client.gateway.inbox.put(submission)
    await client.gateway.run_engine()
    assert client.replies() == [(1, "new"), (2, "unknown_symbol"), (3, "canceled"), (4, "canceled")]
    assert (len(client.pipeline), client.in_flight[DESK.key_id]) == (0, 0)


async def test_only_as_many_orders_begin_as_the_key_may_have_under_way() -> None:
    client = Client()
    client.in_flight.begin(DESK.key_id, UNDER_WAY - 2)
    for number in range(3):
        await client.ask_with_more("place_order", number, **ORDER)
    handing_over = asyncio.create_task(client.pipeline.hand_over())
    await asyncio.sleep(0)
    assert (client.gateway.inbox.depth, client.in_flight[DESK.key_id]) == (2, UNDER_WAY)
    client.in_flight.end(DESK.key_id, UNDER_WAY - 2)
    await handing_over
    assert client.gateway.inbox.depth == 3
    await client.gateway.run_engine()
    assert client.replies() == [(0, "new"), (1, "new"), (2, "new")]
    assert (len(client.pipeline), client.in_flight[DESK.key_id]) == (0, 0)


async def test_a_key_that_is_revoked_meanwhile_places_nothing() -> None:
    client = Client()
    await client.ask_with_more("place_order", 1, **ORDER)
    client.key = None
    await client.pipeline.hand_over()
    assert (client.replies(), client.gateway.inbox.depth) == ([(1, "unknown_key")], 0)
    assert (len(client.pipeline), client.in_flight[DESK.key_id]) == (0, 0)


async def test_the_inbox_refuses_each_of_the_orders_that_arrive_together() -> None:
    client = Client()
    while client.gateway.inbox.depth < 22:
        await client.gateway.inbox.put(client.gateway.filler())
    await client.ask_with_more("place_order", 1, **ORDER)
    await client.ask_with_more("place_order", 2, **ORDER)
    await client.pipeline.hand_over()
    assert client.replies() == [(1, "inbox_full"), (2, "inbox_full")]
    assert (len(client.pipeline), client.in_flight[DESK.key_id]) == (0, 0)


async def test_an_answer_from_the_history_holds_back_those_behind_it_and_counts_until_it_is_there() -> None:
    client = Client(WholePast)
    await client.ask("place_order", 1, **ORDER, client_order_id="a")
    await client.gateway.run_engine()
    assert client.replies() == [(1, "new")]
    await client.ask("place_order", 2, **ORDER, client_order_id="a")  # the same again: only the history knows
    await client.ask("place_order", 3, **ORDER)
    await client.gateway.run_engine()
    assert (client.replies(), len(client.pipeline), client.in_flight[DESK.key_id]) == ([], 2, 1)
    await client.history_answers()
    assert (client.replies(), client.in_flight[DESK.key_id]) == ([(2, "new"), (3, "new")], 0)


async def test_an_amend_or_cancel_of_an_order_that_is_not_open_is_answered_from_the_history() -> None:
    client = Client()
    await client.ask("place_order", 1, **ORDER, client_order_id="a")
    await client.ask("cancel_order", 2, client_order_id="a")
    await client.gateway.run_engine()
    assert client.replies() == [(1, "canceled"), (2, "canceled")]
    await client.ask("amend_order", 3, client_order_id="a", quantity=2)
    await client.ask("amend_order", 4, order_id="99999", quantity=2)
    assert (client.gateway.inbox.depth, client.in_flight[DESK.key_id]) == (0, 2), "no command: no instrument is known"
    await client.ask("cancel_order", 5, client_order_id="a")
    await client.gateway.run_engine()
    await client.history_answers()
    assert client.replies() == [(3, "order_not_open"), (4, "unknown_order"), (5, "order_not_open")]
    assert client.in_flight[DESK.key_id] == 0


async def test_no_reply_in_time_and_no_room_are_errors() -> None:
    client = Client()
    await client.ask("place_order", 1, **ORDER)
    client.gateway.entry.pending.give_up(math.inf)
    for _ in range(22):
        await client.gateway.inbox.put(client.gateway.filler())
    await client.ask("place_order", 2, **ORDER)
    assert client.replies() == [(1, "outcome_unknown"), (2, "inbox_full")]
    assert (len(client.pipeline), client.in_flight[DESK.key_id]) == (0, 0)
