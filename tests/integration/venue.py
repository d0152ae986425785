"""A whole small venue in one folder: every real part, no socket. Started twice on one folder it carries on.

async with running_venue(tmp_path) as venue:
    reply = await venue.client("alice").post("/v1/orders", json={...})
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from argon2 import PasswordHasher
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine

from matching_engine import Engine
from matching_engine.records import Command
from services.commands.attachments import RateLimit
from services.data.calendar import TradingCalendar
from services.data.instruments import load_instruments
from services.data.trading_hours import TradingHours
from services.gateway.app import create_app
from services.gateway.freshness import ALWAYS_FRESH, Freshness
from services.gateway.http.known_keys import KnownKeys
from services.gateway.http.venue import VenueFacts
from services.gateway.limits.rate_limits import NO_LIMIT, RateLimits
from services.gateway.order_entry.history import OrderHistory
from services.gateway.order_entry.order_entry import OrderEntry
from services.gateway.reader import GatewayReader
from services.gateway.resume.missed import MissedReader
from services.gateway.websocket import endpoint as websocket
from services.gateway.websocket.channels import Channels
from services.gateway.websocket.public_sockets import PublicSockets
from services.gateway.websocket.shared_streams import Timer
from services.journal.replay import StateMachine
from services.journal.sqlite import SqliteJournal
from services.market_data import Market, load_market
from services.market_data.reading import MarketReads
from services.messaging import Submission
from services.messaging.in_process import InProcessFeed, InProcessInbox
from services.people.passwords import Passwords
from services.people.people import People
from services.read_database.database import open_read_database
from services.read_database.projector import Projector
from services.read_database.sqlite_writer import SqliteWriter
from services.reporting import routers
from services.reporting.turns import Turns
from services.sequencer.recovery import recover
from services.sequencer.schedule import AlwaysOpen
from services.sequencer.sequencer import Sequencer
from services.venue.application import deciders_of
from services.venue.first_start import IssuedKey, Missing, Present, read_keys, write_keys
from services.venue_state.loading import load_state
from services.venue_state.state import VenueState
from tests.integration.documented import check_answer
from tests.integration.known_parameters import remember_parameters
from tests.patience import AsyncHttpClient

remember_parameters()

START_NS = 1_701_396_000_000_000_000  # 2023-12-01 10:00 in Shanghai, a trading day
BASE_URL = "http://127.0.0.1:8000"
CASH_FEN = 100_000_000_000
LOTS = {"PRND-OX": 1_000, "NDFEB-N35": 1_000}
TRADERS = ("alice", "bob")
MAX_WEBSOCKETS_PER_KEY = 16
MAX_PUBLIC_WEBSOCKETS = 4
CHEAP_HASHES = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


class Clock:
    """A clock that advances a microsecond each time it is read; a test may set it ahead."""

    def __init__(self, now_ns: int = START_NS) -> None:
        self.now_ns = now_ns

    def __call__(self) -> int:
        self.now_ns += 1_000
        return self.now_ns


@dataclass
class RunningVenue:
    """The parts of a venue at work."""

    engine: StateMachine
    clock: Clock
    journal: SqliteJournal
    inbox: InProcessInbox
    feed: InProcessFeed
    sequencer: Sequencer
    read_database: AsyncEngine
    projector: Projector
    state: VenueState
    market: Market
    order_entry: OrderEntry
    people: People
    reader: GatewayReader
    channels: Channels
    app: FastAPI
    keys: dict[str, IssuedKey]
    clients: list[AsyncHttpClient] = field(default_factory=list)

    def client(self, name: str | None) -> AsyncHttpClient:
        """A client with the key of `alice`, `bob` or `operator`; None: without a key."""
        headers = {"authorization": f"Bearer {self.keys[name].key}"} if name else {}
        client = AsyncHttpClient(
            transport=httpx.ASGITransport(self.app),
            base_url=BASE_URL,
            headers=headers,
            event_hooks={"response": [check_answer]},
        )
        self.clients.append(client)
        return client


@asynccontextmanager
async def running_venue(
    folder: Path,
    *,
    engine: StateMachine | None = None,
    clock: Clock | None = None,
    request_log: bool = False,
    inbox_commands: int = 65_536,
    behind_tls: bool = False,
    steady: Callable[[], float] = time.monotonic,
    limit_clock: Callable[[], int] = time.monotonic_ns,
    keyless: RateLimit = NO_LIMIT,
    timer: Timer | None = None,
    acts_of_two: Collection[str] = (),
    freshness: Freshness = ALWAYS_FRESH,
) -> AsyncIterator[RunningVenue]:
    """Instruments as shipped, two funded traders and an operator with keys, continuous trading around the clock."""
    engine, clock = engine or Engine(), clock or Clock()
    journal = await SqliteJournal.open(folder / "journal.db")
    await recover(engine, journal)
    inbox, feed = InProcessInbox(inbox_commands), InProcessFeed()
    calendar = TradingCalendar.load()
    sequencer = Sequencer(engine, journal, inbox, feed, clock=clock, schedule=AlwaysOpen(calendar))
    read_database = open_read_database(folder / "read.db")
    projector = Projector(SqliteWriter(folder / "read.db"), journal, feed)
    tasks = [asyncio.create_task(projector.run())]
    try:
        first_batch = feed.subscribe()
        keys, submissions = _first_start(folder / "keys.json")
        for submission in submissions:
            await inbox.put(submission)
        tasks.append(asyncio.create_task(sequencer.run()))
        if submissions:
            await first_batch.next_batch()
        first_batch.close()
        await projector.reached(sequencer.last_seq)
        state, market = await load_state(read_database), await load_market(read_database)
        history = OrderHistory(state, read_database, projector.reached)
        order_entry = OrderEntry(state, inbox, history, market, acts_of_two=acts_of_two)
        hours = TradingHours(calendar, "always")
        reads = MarketReads(read_database, projector.reached)
        channels = Channels(state, market, reads=reads, hours=hours, clock=clock, timer=timer)
        reader = GatewayReader(
            journal, feed, state=state, market=market, pending=order_entry.pending, fan_out=channels.publish
        )
        tasks.append(asyncio.create_task(reader.run()))
        tasks.append(asyncio.create_task(channels.liveness.close_when(freshness.is_cut_off)))
        people = People(state.users, passwords=Passwords(CHEAP_HASHES), behind_tls=behind_tls, clock=steady)
        known_keys, limits = KnownKeys(state, clock), RateLimits(state, now=limit_clock, keyless=keyless)
        turns = Turns(fresh_s=0)  # a test reads what it has just done
        app = create_app(
            state=state,
            market=market,
            order_entry=order_entry,
            inbox=inbox,
            read_database=read_database,
            projected=projector.reached,
            people=people,
            routers=[
                websocket.router(
                    state=state,
                    order_entry=order_entry,
                    channels=channels,
                    clock=clock,
                    max_websockets_per_key=MAX_WEBSOCKETS_PER_KEY,
                    known_keys=known_keys,
                    limits=limits,
                    missed=MissedReader(state, read_database, journal, projector.reached),
                    public=PublicSockets(MAX_PUBLIC_WEBSOCKETS, MAX_PUBLIC_WEBSOCKETS),
                    is_cut_off=freshness.is_cut_off,
                ),
                *routers.member_routers(
                    read_database, calendar, projector.reached, journal, turns, turns, deciders_of(state)
                ),
            ],
            operator_routers=routers.operator_routers(
                read_database, projector.reached, journal, lambda: state.last_seq, turns
            ),
            allowed_hosts=("127.0.0.1", "localhost"),
            facts=VenueFacts(hours),
            request_log=request_log,
            public_market_data=True,
            freshness=freshness,
            known_keys=known_keys,
            limits=limits,
        )
        venue = RunningVenue(
            engine, clock, journal, inbox, feed, sequencer, read_database, projector, state, market, order_entry,
            people, reader, channels, app, keys,
        )  # fmt: skip
        yield venue
        for client in venue.clients:
            await client.aclose()
        await sequencer.stop()
        await projector.reached(sequencer.last_seq)
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task
        await read_database.dispose()
        await journal.close()


def _first_start(path: Path) -> tuple[dict[str, IssuedKey], list[Submission]]:
    """Adds the keys and the first start's commands; a later start finds nothing missing."""
    if path.exists():
        return read_keys(path), []
    missing = Missing(Present({}, {"venue": 1}, 1, frozenset()), {})
    missing.venue(load_instruments(), 2023)
    for name in TRADERS:
        missing.trader(name, CASH_FEN, LOTS)
    missing.key("operator", 0, ("read", "operate", "admin"))
    write_keys(path, missing.keys)
    return missing.keys, [missing.submission(Command())]
