"""A snapshot of many open orders comes in parts of a bounded size; what changes meanwhile comes once, behind them."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from matching_engine.records import Side
from services.commands import administrative as admin
from services.commands.attachments import KeyIssued
from services.gateway.websocket.client_queue import ClientQueue
from services.gateway.websocket.private_models import PART_ROWS
from services.gateway.websocket.private_streams import PrivateStreams
from services.messaging import Submission
from services.venue_state.keys import ApiKey, key_hash
from services.venue_state.state import VenueState
from tests.unit.read_model.history import SENDER, History, cancel, opening, order
from tests.unit.read_model.test_write_batch import amend

pytestmark = pytest.mark.anyio

ORDERS = 2 * PART_ROWS + 3
ACCOUNT = 2
KEY = KeyIssued(key_hash=key_hash("rex_x").hex(), account=ACCOUNT, name="k", scopes=("read",))


class Client:
    """A client that reads when the test lets it."""

    def __init__(self, key: ApiKey | None) -> None:
        self.key = key
        self.queue = ClientQueue(str)

    def read(self) -> list[dict[str, Any]]:
        """All that waits."""
        return [json.loads(text) for text in iter(self.queue.next_text, None)]


class Venue:
    """A state with open orders of the account, and its private streams."""

    def __init__(self, orders: int) -> None:
        self.history, self.state = History(), VenueState()
        self.streams = PrivateStreams(self.state)
        self.apply(opening())
        self.first_id = self.history.engine.last_seq + 1
        self.apply([order(ACCOUNT, Side.BUY, 990, 1)] * orders)
        self.apply([order(3, Side.BUY, 990, 1), admin.record(SENDER, KEY)])

    def client(self) -> Client:
        return Client(self.state.find_key("rex_x"))

    def apply(self, submissions: list[Submission]) -> None:
        self.state.apply(self.history.batch(submissions))
        self.streams.publish()


def ids_of(pushes: list[dict[str, Any]]) -> list[int]:
    return [int(each["order_id"]) for push in pushes for each in push["data"]["orders"]]


async def read_all(client: Client, telling: asyncio.Task[None]) -> list[dict[str, Any]]:
    pushes = client.read()
    while not telling.done():
        await asyncio.sleep(0)
        waiting = client.read()
        full = [push for push in waiting if len(push["data"]["orders"]) == PART_ROWS]
        assert len(full) <= 1, "a part is made when the one before has been read"
        pushes += waiting
    return pushes + client.read()


async def test_as_many_orders_as_a_part_holds_are_one_message() -> None:
    venue = Venue(PART_ROWS)
    client = venue.client()
    assert venue.streams.subscribe(client, "orders", ACCOUNT) is None
    (snapshot,) = client.read()
    assert ids_of([snapshot]) == list(range(venue.first_id, venue.first_id + PART_ROWS))
    assert "more" not in snapshot["data"]
    venue.apply([cancel(venue.first_id, ACCOUNT)])
    assert [push["type"] for push in client.read()] == ["update"], "nothing is held back"


async def test_more_orders_come_in_parts_and_what_changed_meanwhile_comes_behind_them_only() -> None:
    venue = Venue(ORDERS)
    client = venue.client()
    seq = venue.state.last_seq
    parts = venue.streams.subscribe(client, "orders", ACCOUNT)
    assert parts is not None
    first = client.read()
    last_id = venue.first_id + ORDERS - 1
    amended = amend(last_id - 1, ACCOUNT, price_ticks=991)
    venue.apply([cancel(venue.first_id, ACCOUNT), cancel(last_id, ACCOUNT), amended])
    pushes = first + await read_all(client, asyncio.create_task(parts.tell()))

    told, later = pushes[:3], pushes[3:]
    assert [(push["type"], push["seq"], push["prev_seq"], push["data"].get("more")) for push in told] == [
        ("snapshot", seq, None, True), ("update", seq, seq, True), ("update", seq, seq, None),
    ]  # fmt: skip
    assert [len(push["data"]["orders"]) for push in told] == [PART_ROWS, PART_ROWS, 1]
    assert ids_of(told) == list(range(venue.first_id, last_id - 1))
    assert [(push["prev_seq"], push["seq"], *ids_of([push])) for push in later] == [
        (seq, seq + 1, venue.first_id), (seq + 1, seq + 2, last_id), (seq + 2, seq + 3, last_id - 1),
    ]  # fmt: skip


async def test_who_asks_again_meanwhile_gets_the_whole_once_more_and_who_unsubscribes_gets_no_more() -> None:
    venue = Venue(ORDERS)
    client, leaver = venue.client(), venue.client()
    snapshots = [venue.streams.subscribe(each, "orders", ACCOUNT) for each in (client, leaver)]
    telling, leaving = [asyncio.create_task(each.tell()) for each in snapshots if each is not None]
    for _ in range(1_000):
        assert venue.streams.subscribe(client, "orders", ACCOUNT) is None, "it costs nothing to ask again"
    venue.streams.unsubscribe(leaver, "orders", ACCOUNT)
    pushes = await read_all(client, telling)
    assert [push["type"] for push in pushes] == ["snapshot", "update", "update"] * 2
    assert ids_of(pushes) == 2 * list(range(venue.first_id, venue.first_id + ORDERS))
    assert [push["type"] for push in await read_all(leaver, leaving)] == ["snapshot"]


async def test_others_get_their_turn_between_two_parts_also_where_the_client_takes_all_at_once() -> None:
    venue = Venue(ORDERS)
    client, sent, counts = venue.client(), list[str](), list[int]()

    def collect(text: str) -> bool:
        sent.append(text)
        return True

    client.queue.collect = collect
    parts = venue.streams.subscribe(client, "orders", ACCOUNT)
    assert parts is not None
    telling = asyncio.create_task(parts.tell())
    while not telling.done():
        counts.append(len(sent))
        await asyncio.sleep(0)
    assert sorted({*counts, len(sent)}) == [1, 2, 3]
    assert ids_of([json.loads(text) for text in sent]) == list(range(venue.first_id, venue.first_id + ORDERS))


async def test_no_part_is_made_for_a_connection_that_closes() -> None:
    venue = Venue(ORDERS)
    client = venue.client()
    parts = venue.streams.subscribe(client, "orders", ACCOUNT)
    assert parts is not None
    telling = asyncio.create_task(parts.tell())
    await asyncio.sleep(0)
    client.queue.close(4008, "too slow")
    await telling
    assert not parts.is_whole
