"""One member floods: the effect on others, in counts, not times. The sequencer is held while the inbox fills, then released."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection

from matching_engine.records import COMMAND, Command, CommandKind, pack_commands
from services.gateway.order_entry.in_flight import UNDER_WAY, UNDER_WAY_WITH_CANCELS
from services.messaging import Submission
from services.messaging.in_process import ROUND_COMMANDS
from tests.integration.raw_http import until
from tests.integration.served_venue import Served, served_venue
from tests.integration.venue import RunningVenue
from tests.patience import WebSocketClient

pytestmark = pytest.mark.anyio

ORDER = {"symbol": "PRND-OX", "side": "buy", "price": "473000", "quantity": 1}
SOCKETS = 16


@asynccontextmanager
async def held(folder: Path, inbox_commands: int = 65_536) -> AsyncIterator[Served]:
    """A served venue whose sequencer takes nothing until it is `let_go`."""
    async with served_venue(folder, inbox_commands=inbox_commands) as served:
        await served.venue.sequencer.stop()
        yield served


@asynccontextmanager
async def let_go(venue: RunningVenue) -> AsyncIterator[None]:
    """A stopped sequencer's run ends when the inbox is empty; here it is run repeatedly."""

    async def run() -> None:
        while True:
            await venue.sequencer.run()
            await asyncio.sleep(0)

    task = asyncio.create_task(run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


def place(req_id: int, **more: Any) -> str:
    return json.dumps({"method": "place_order", "params": {**ORDER, **more}, "req_id": req_id})


async def flood(served: Served, stack: AsyncExitStack, orders: int) -> list[ClientConnection]:
    """Alice's sockets, with `orders` sent over each and no reply read."""
    url, headers = served.url.replace("http", "ws") + "/v1/ws", key_of(served, "alice")
    sockets = [
        await stack.enter_async_context(WebSocketClient(url, additional_headers=headers, max_queue=None))
        for _ in range(SOCKETS)
    ]
    for socket in sockets:
        for number in range(orders):
            await socket.send(place(number))
    return sockets


def key_of(served: Served, name: str) -> dict[str, str]:
    return {"authorization": f"Bearer {served.venue.keys[name].key}"}


def key_id_of(venue: RunningVenue, name: str) -> int:
    key = venue.state.find_key(venue.keys[name].key)
    assert key is not None
    return key.key_id


def codes(replies: Iterable[httpx.Response]) -> Counter[str]:
    return Counter(reply.json().get("code", str(reply.status_code)) for reply in replies)


async def answered(served: Served, waiting: list[asyncio.Task[httpx.Response]]) -> list[httpx.Response]:
    async with let_go(served.venue):
        return await asyncio.gather(*waiting)


async def test_who_floods_over_16_sockets_leaves_room_for_all_others(tmp_path: Path) -> None:
    """More orders than the whole inbox holds, from one key: another member gets 9 of 9 orders in, and its 9 cancels."""
    async with held(tmp_path, inbox_commands=320) as served, AsyncExitStack() as stack:
        await flood(served, stack, orders=40)
        inbox = served.venue.inbox
        await until(lambda: served.venue.order_entry.pending.waiting and inbox.depth == 320 // 8)
        assert inbox.depth == inbox.largest_share == 320 // 8
        bob = served.venue.client("bob")
        orders = [
            asyncio.create_task(bob.post("/v1/orders", json={**ORDER, "client_order_id": f"b{n}"})) for n in range(9)
        ]
        await until(lambda: inbox.depth == 320 // 8 + 9)
        cancels = [asyncio.create_task(bob.delete(f"/v1/orders?client_order_id=b{n}")) for n in range(9)]
        await until(lambda: inbox.depth >= 320 // 8 + 18)
        assert inbox.depth == 320 // 8 + 18
        assert codes(await answered(served, orders + cancels)) == {"201": 9, "200": 9}


async def test_a_flood_is_bounded_by_its_key_and_the_rest_of_it_is_not_read(tmp_path: Path) -> None:
    async with held(tmp_path) as served, AsyncExitStack() as stack:
        venue, orders = served.venue, 40
        sockets = await flood(served, stack, orders)
        under_way, key_id = venue.order_entry.pending.in_flight, key_id_of(venue, "alice")
        await until(lambda: under_way.keys_waiting == 1 and venue.inbox.depth >= UNDER_WAY)
        assert (under_way[key_id], venue.inbox.depth, under_way.keys_waiting) == (UNDER_WAY, UNDER_WAY, 1)

        alice, bob = venue.client("alice"), venue.client("bob")
        refused = await alice.post("/v1/orders", json=ORDER)
        assert (refused.status_code, refused.json()["code"], refused.headers["retry-after"]) == (
            429, "too_many_requests", "1",
        )  # fmt: skip
        metrics = (await bob.get("/metrics")).text
        for line in (
            f"rex_inbox_largest_share {UNDER_WAY}.0",
            "rex_keys_at_bound 1.0",
            'rex_refused_requests_total{code="too_many_requests"} 1.0',
        ):
            assert line in metrics
        one = asyncio.create_task(bob.post("/v1/orders", json=ORDER))
        canceling = asyncio.create_task(alice.delete("/v1/orders?symbol=*"))
        await until(lambda: venue.inbox.depth == UNDER_WAY + 2)
        first = await venue.inbox.take(1_024, 2**20)
        commands = [sum(len(s.commands) for s in first if s.account == account) for account in (2, 3)]
        assert commands == [ROUND_COMMANDS * COMMAND.itemsize, COMMAND.itemsize]
        for submission in first:
            await venue.inbox.put(submission)

        async with let_go(venue):
            assert codes(await asyncio.gather(one, canceling)) == {"201": 1, "200": 1}
            for socket in sockets:
                replies = [json.loads(await socket.recv()) for _ in range(orders)]
                assert [reply["req_id"] for reply in replies if "result" in reply] == list(range(orders))
        assert (under_way[key_id], under_way.keys_waiting, venue.order_entry.pending.waiting) == (0, 0, 0)
        assert venue.order_entry.pending.refused == {"too_many_requests": 1}


async def test_a_batch_counts_as_many_as_it_holds_and_cancels_have_room_beyond(tmp_path: Path) -> None:
    async with held(tmp_path) as served:
        alice, venue = served.venue.client("alice"), served.venue
        batches = [
            asyncio.create_task(alice.post("/v1/orders/batch", json={"orders": [ORDER] * size}))
            for size in (100, 100, 100, 100, 100, 12)
        ]
        under_way, key_id = venue.order_entry.pending.in_flight, key_id_of(venue, "alice")
        await until(lambda: under_way[key_id] == UNDER_WAY)
        assert codes([await alice.post("/v1/orders", json=ORDER)]) == {"too_many_requests": 1}
        room = UNDER_WAY_WITH_CANCELS - UNDER_WAY
        cancels = [asyncio.create_task(alice.delete("/v1/orders/1")) for _ in range(room + 3)]
        await until(lambda: under_way[key_id] == UNDER_WAY_WITH_CANCELS and sum(task.done() for task in cancels) >= 3)
        assert codes([task.result() for task in cancels if task.done()]) == {"too_many_requests": 3}
        got = codes(await answered(served, batches + cancels))
        assert got == {"200": 6, "unknown_order": room, "too_many_requests": 3}
        assert under_way[key_id] == 0


async def test_a_full_inbox_still_takes_cancels_and_operators(tmp_path: Path) -> None:
    async with held(tmp_path, inbox_commands=320) as served:
        venue = served.venue
        bob, operator = venue.client("bob"), venue.client("operator")
        placing = asyncio.create_task(bob.post("/v1/orders", json={**ORDER, "client_order_id": "mine"}))
        await answered(served, [placing])
        anything = pack_commands([Command(kind=CommandKind.CANCEL, account=2, order_id=1)])
        for number in range(300):  # Ten more members fill what is there for orders.
            await venue.inbox.put(Submission(anything, account=100 + number % 10))
        assert codes([await bob.post("/v1/orders", json=ORDER)]) == {"inbox_full": 1}
        waiting = [
            asyncio.create_task(request)
            for request in (
                bob.delete("/v1/orders?client_order_id=mine"),
                bob.delete("/v1/orders?symbol=*"),
                operator.post("/v1/admin/halt"),
            )
        ]
        await until(lambda: venue.inbox.depth >= 303)
        assert venue.inbox.depth == 303
        assert codes(await answered(served, waiting)) == {"200": 3}
