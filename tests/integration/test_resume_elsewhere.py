"""A client that is cut off again and again, and goes from one gateway to another that may be behind, hears everything once."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from services.data.calendar import TradingCalendar
from services.data.trading_hours import TradingHours
from services.gateway.resume.missed import MissedReader
from services.gateway.websocket.channels import Channels
from services.gateway.websocket.client_queue import ClientQueue
from services.gateway.websocket.private_models import ResumePoint
from services.gateway.websocket.resumes import Resumes
from services.market_data import Market, load_market
from services.market_data.reading import MarketReads
from services.messaging.tail import tail
from services.venue_state.keys import ApiKey
from services.venue_state.loading import load_state
from services.venue_state.state import VenueState
from tests.integration.served_venue import Served, served_venue
from tests.integration.test_websocket_channels import limit
from tests.integration.venue import RunningVenue
from tests.long import some

pytestmark = pytest.mark.anyio

STEPS = 30
Json = dict[str, Any]


class Gateway:
    """Another gateway of the venue: its own memory, on the same journal and read database."""

    def __init__(self, venue: RunningVenue, state: VenueState, market: Market) -> None:
        self.state, self.market = state, market
        reads = MarketReads(venue.read_database, venue.projector.reached)
        hours = TradingHours(TradingCalendar.load(), "always")
        self.channels = Channels(state, market, reads=reads, hours=hours, clock=venue.clock)
        missed = MissedReader(state, venue.read_database, venue.journal, venue.projector.reached)
        self.resumes = Resumes(state, self.channels, missed)
        self.may_read = asyncio.Event()

    async def read(self, venue: RunningVenue) -> None:
        """Follows the journal, batch by batch, while it may."""
        async for batch in tail(venue.journal, venue.feed, self.state.last_seq):
            await self.may_read.wait()
            self.state.apply(batch)
            self.channels.publish(self.market.apply(batch))

    async def reached(self, seq: int) -> None:
        self.may_read.set()
        while self.state.last_seq < seq:  # noqa: ASYNC110
            await asyncio.sleep(0.001)


@asynccontextmanager
async def gateway_of(venue: RunningVenue) -> AsyncIterator[Gateway]:
    gateway = Gateway(venue, await load_state(venue.read_database), await load_market(venue.read_database))
    reading = asyncio.create_task(gateway.read(venue))
    yield gateway
    reading.cancel()
    await asyncio.wait([reading])


class Socket:
    """A member's connection to a gateway."""

    def __init__(self, gateway: Gateway, key: ApiKey) -> None:
        self.key: ApiKey | None = key
        self.queue = ClientQueue(gateway.channels.snapshot)


class Member:
    """What alice has heard, on every connection that she had."""

    def __init__(self, key: ApiKey, channel: str) -> None:
        self.key, self.channel = key, channel
        self.point: ResumePoint | None = None
        self.orders: dict[str, Json] = {}
        self.fills: list[Json] = []

    def begin(self, gateway: Gateway) -> tuple[Socket, asyncio.Task[None]]:
        """Connects to a gateway, and subscribes or resumes."""
        socket, answers = Socket(gateway, self.key), list[Exception | None]()
        if self.point is None:
            gateway.channels.private.subscribe(socket, "orders", self.key.account)
            return socket, asyncio.create_task(asyncio.sleep(0))
        channels = [("orders", self.key.account)]
        resuming = gateway.resumes.resume(socket, self.point, channels, (), answers.append)  # type: ignore[arg-type]
        return socket, asyncio.create_task(resuming)

    async def hear(self, socket: Socket, resuming: asyncio.Task[None], at_most: int) -> None:
        """Reads so many messages at most, until none comes: what remains in the socket is lost with it."""
        while at_most:
            text = socket.queue.next_text()
            if text is not None:
                at_most -= 1
                self._take(json.loads(text))
            elif resuming.done():
                return
            else:
                await asyncio.sleep(0.001)

    def _take(self, push: Json) -> None:
        assert push["prev_seq"] == (self.point.seq if self.point else None)
        self.point = ResumePoint(push["incarnation"], push["seq"])
        self.orders |= {order["order_id"]: order for order in push["data"]["orders"]}
        self.fills += push["data"]["fills"]


@pytest.mark.parametrize("seed", some([1, 2]))
async def test_a_member_that_changes_gateways_hears_everything_once(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    async with served_venue(tmp_path) as served, AsyncExitStack() as opened:
        venue = served.venue
        gateways = [await opened.enter_async_context(gateway_of(venue)) for _ in range(2)]
        key = venue.state.find_key(venue.keys["alice"].key)
        assert key is not None
        member = Member(key, "orders")
        await member.hear(*member.begin(gateways[0]), 1)
        for _ in range(STEPS):
            for gateway in gateways:
                rng.choice((gateway.may_read.set, gateway.may_read.clear))()
            chosen = rng.choice(gateways)
            socket, resuming = member.begin(chosen)
            last_seq = await some_orders(served, rng, rng.randint(0, 4))
            if rng.random() < 0.7:
                await chosen.reached(last_seq)
                await member.hear(socket, resuming, rng.randint(0, 12))
            resuming.cancel()
            chosen.channels.leave(socket)
        for gateway in gateways:
            await gateway.reached(venue.state.last_seq)
        socket, resuming = member.begin(gateways[0])
        await member.hear(socket, resuming, 1_000)
        alice = await served.client("alice")
        orders, fills = await alice.orders("all", limit=500), await alice.fills(limit=500)
    assert member.fills == list(reversed(fills["fills"])) != []
    assert member.orders == {order["order_id"]: order for order in orders["orders"]}


async def some_orders(served: Served, rng: random.Random, count: int) -> int:
    """Orders of both members around one price; returns the venue's seq."""
    for _ in range(count):
        trader, side = rng.choice(("alice", "bob")), rng.choice(("buy", "sell"))
        body = limit(side, f"{473_000 + 100 * rng.randint(-3, 3)}.00", rng.randint(1, 5))
        await served.venue.client(trader).post("/v1/orders", json=body)
    return served.venue.state.last_seq
