"""A whole small venue in one folder: every real part, no socket. Started twice on one folder it carries on.

async with running_venue(tmp_path) as venue:
    reply = await venue.client("alice").post("/v1/orders", json={...})
"""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx
from argon2 import PasswordHasher
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine

from matching_engine import Engine
from services.commands.attachments import RateLimit
from services.data.instruments import load_instruments
from services.gateway.freshness import ALWAYS_FRESH, Freshness
from services.gateway.limits.rate_limits import NO_LIMIT, RateLimits
from services.gateway.order_entry.order_entry import OrderEntry
from services.gateway.reader import GatewayReader
from services.gateway.websocket.channels import Channels
from services.gateway.websocket.shared_streams import Timer
from services.journal.sqlite import SqliteJournal
from services.market_data import Market
from services.messaging.in_process import InProcessFeed, InProcessInbox
from services.people.passwords import Passwords
from services.people.people import People
from services.processes.child_process import Ended
from services.read_model.projector import Projector
from services.reporting import proof_copy, proof_document
from services.reporting.proven import Prove
from services.sequencer.sequencer import Sequencer
from services.venue import application
from services.venue.application import make_application
from services.venue.first_start import IssuedKey, Seeding
from services.venue.running import Dependencies, opened_folder, running
from services.venue.settings import Settings
from services.venue.standing_proof import StandingProof
from services.venue_state.state import VenueState
from tests.integration.documented import check_answer
from tests.integration.known_parameters import remember_parameters
from tests.patience import PATIENCE_S, AsyncHttpClient

remember_parameters()
vars(application)["PROJECTED_S"] = (
    PATIENCE_S  # on a busy machine the projector of a test may take longer than a venue's
)

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

    engine: Engine
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


class ProofWithin(StandingProof):
    """Proves with what the processes of a proof run, and without them: each takes a second to start."""

    async def _end_of_process(self, temporary: Path, module: str, *arguments: str) -> Ended:
        if module == proof_copy.__name__:
            found: object = await proof_copy.copied(arguments[0], str(self._place))
        else:
            year, seq, counter_fen, copy, calendar_file = arguments
            found = await proof_document.proof_document(year, seq, counter_fen, copy, calendar_file, str(self._place))
        return Ended(0, json.dumps(found).encode(), b"")


@asynccontextmanager
async def running_venue(
    folder: Path,
    *,
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
    prove: Prove | None = None,
) -> AsyncIterator[RunningVenue]:
    """Instruments as shipped, two funded traders and an operator with keys, continuous trading around the clock."""
    clock = clock or Clock()
    settings = Settings(
        data_dir=folder,
        schedule="always",
        behind_tls=behind_tls,
        request_log=request_log,
        four_eyes=tuple(acts_of_two),
        public_market_data=True,
        max_websockets_per_key=MAX_WEBSOCKETS_PER_KEY,
        max_public_websockets=MAX_PUBLIC_WEBSOCKETS,
        max_public_websockets_per_address=MAX_PUBLIC_WEBSOCKETS,
    )
    inbox = InProcessInbox(inbox_commands)
    dependencies = Dependencies(clock, clock, inbox=inbox, timer=timer)
    async with opened_folder(settings) as opened, running(opened, _adds, dependencies) as core:
        people = People(
            core.gateway.state.users, passwords=Passwords(CHEAP_HASHES), behind_tls=behind_tls, clock=steady
        )
        gateway = replace(core.gateway, people=people)
        assert isinstance(core.projector, Projector)
        core.start_reader(gateway.channels.liveness.close_when(freshness.is_cut_off), "cut off")
        proof = ProofWithin(folder, None, opened.engine, gateway.projected, clock, every_s=0, niceness=0)
        app = make_application(
            gateway,
            settings,
            inbox=inbox,
            read_database=opened.read_database,
            journal=opened.journal,
            calendar=opened.calendar,
            clock=clock,
            not_ready=list,
            warnings=list,
            freshness=freshness,
            prove=prove or proof.prove,
            elsewhere=None,
            limits=RateLimits(gateway.state, now=limit_clock, keyless=keyless),
            fresh_s=0,  # a test reads what it has just done
        )
        venue = RunningVenue(
            opened.engine, clock, opened.journal, inbox, core.feed, core.sequencer, opened.read_database, core.projector,
            gateway.state, gateway.market, gateway.order_entry, people, core.reader, gateway.channels, app, core.keys,
        )  # fmt: skip
        yield venue
        for client in venue.clients:
            await client.aclose()


def _adds(seeding: Seeding) -> None:
    """What this venue has beside what a later start finds."""
    seeding.venue(load_instruments(), 2023)
    for name in TRADERS:
        seeding.trader(name, CASH_FEN, LOTS)
    seeding.key("operator", 0, ("read", "operate", "admin"))
