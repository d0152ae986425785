"""The gateway's memory (loaded from the read database, kept current by its reader) and the API's application on top of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass

from fastapi import FastAPI, Request, Response
from sqlalchemy.ext.asyncio import AsyncEngine

from services.commands.attachments import KeyLimits, RateLimit
from services.data.calendar import TradingCalendar
from services.data.trading_hours import TradingHours
from services.gateway.app import create_app
from services.gateway.freshness import ALWAYS_FRESH, Freshness
from services.gateway.http.access_middleware import KEY
from services.gateway.http.caller import sees_all
from services.gateway.http.known_keys import KnownKeys
from services.gateway.http.metrics import Facts
from services.gateway.http.venue import VenueFacts
from services.gateway.limits.rate_limits import MakeBucket, RateLimits
from services.gateway.order_entry.history import OrderHistory
from services.gateway.order_entry.order_entry import OrderEntry
from services.gateway.problems import OF_ORDERS, ProblemError
from services.gateway.reader import GatewayReader
from services.gateway.request_ids import text_of
from services.gateway.resume.missed import MissedReader
from services.gateway.sockets import PublicSockets
from services.gateway.websocket.channels import Channels
from services.gateway.websocket.endpoint import WebSocketEndpoint
from services.gateway.websocket.shared_streams import Timer
from services.market_data import Market, load_market
from services.market_data.reading import MarketReads
from services.messaging import Feed, Inbox
from services.messaging.tail import Readable
from services.people.people import People
from services.read_model.seq_waiters import ProjectorStopped
from services.reporting import proof_route, routers
from services.reporting.certificate import NotCertified
from services.reporting.decision_routes import Deciders
from services.reporting.market.routes import ANSWER_S
from services.reporting.proven import Prove
from services.reporting.turns import FRESH_S, Elsewhere, ReportTurns
from services.venue.settings import Settings
from services.venue_state.loading import load_state
from services.venue_state.state import VenueState

PROJECTED_S = 10.0
"""How long a reader waits for the read database."""


@dataclass(frozen=True)
class Gateway:
    """The gateway's memory: the venue's state, market data, order entry and WebSocket subscriptions."""

    state: VenueState
    market: Market
    order_entry: OrderEntry
    channels: Channels
    people: People
    projected: Callable[[int], Awaitable[None]]
    """Waits until the read database has applied the journal up to a sequence number. Raises ProblemError (503) if it will
    not."""

    def open_now(self) -> Facts:
        """How many WebSockets and sessions there are, for health."""
        return {"websockets": self.channels.liveness.connections, "sessions": self.people.sessions.open()}


async def load_gateway(
    read_database: AsyncEngine,
    inbox: Inbox,
    reached: Callable[[int], Awaitable[None]],
    *,
    hours: TradingHours,
    clock: Callable[[], int],
    timer: Timer | None = None,
    gateway_id: int = 1,
    behind_tls: bool = False,
    acts_of_two: Collection[str] = (),
) -> Gateway:
    """The gateway, loaded from the read database.

    `reached` waits until the read database has applied the journal up to a sequence number; it raises ProjectorStopped if that
    will not happen. `gateway_id` distinguishes the gateways of a venue; `behind_tls`: browsers reach it by https
    only; `acts_of_two`: what needs a second person (`Settings.four_eyes`).
    """

    projected = told_when(reached, PROJECTED_S)
    state, market = await load_state(read_database), await load_market(read_database)
    history = OrderHistory(state, read_database, projected)
    order_entry = OrderEntry(state, inbox, history, market, gateway_id=gateway_id, acts_of_two=acts_of_two)
    people = People(state.users, behind_tls=behind_tls)
    reads = MarketReads(read_database, projected)
    channels = Channels(state, market, reads=reads, hours=hours, clock=clock, timer=timer)
    return Gateway(state, market, order_entry, channels, people, projected)


def told_when(reached: Callable[[int], Awaitable[None]], patience_s: float | None) -> Callable[[int], Awaitable[None]]:
    """`reached`, which raises ProblemError (503) where the read database will not get there, or not within the patience."""

    async def projected(seq: int) -> None:
        try:
            async with asyncio.timeout(patience_s):
                await reached(seq)
        except (ProjectorStopped, TimeoutError) as behind:
            detail = f"The read database is behind the venue. {OF_ORDERS}"
            raise ProblemError(503, "not_ready", detail) from behind

    return projected


def make_reader(gateway: Gateway, journal: Readable, feed: Feed) -> GatewayReader:
    """The reader of the journal that keeps the gateway current."""
    return GatewayReader(
        journal,
        feed,
        state=gateway.state,
        market=gateway.market,
        pending=gateway.order_entry.pending,
        fan_out=gateway.channels.publish,
    )


def make_application(
    gateway: Gateway,
    settings: Settings,
    *,
    inbox: Inbox,
    read_database: AsyncEngine,
    journal: Readable,
    calendar: TradingCalendar,
    clock: Callable[[], int],
    not_ready: Callable[[], list[str]],
    warnings: Callable[[], list[str]],
    details: Callable[[], Facts] = dict,
    freshness: Freshness = ALWAYS_FRESH,
    prove: Prove | None = None,
    elsewhere: Elsewhere | None,
    days_elsewhere: Elsewhere | None = None,
    limits: RateLimits | None = None,
    fresh_s: float = FRESH_S,
) -> FastAPI:
    """The FastAPI application: REST, WebSocket and reports, without the pages. `journal` is read for its rows, and for reports
    on single days and on past moments, up to what the read database has applied. `prove` makes the proof of a year;
    `elsewhere` has another process make a report of the present, `days_elsewhere` one that reads days of the journal. A report
    is given to all who ask for it within `fresh_s` seconds."""
    limits = limits or make_limits(gateway.state, settings)
    known_keys = KnownKeys(gateway.state, clock)
    turns, proofs = ReportTurns(elsewhere, fresh_s=fresh_s), []
    days_turns = ReportTurns(days_elsewhere, wait_s=ANSWER_S, fresh_s=fresh_s)
    if prove is not None:
        proofs = [proof_route.router(prove, read_database, calendar, gateway.projected, journal)]
    endpoint = WebSocketEndpoint(
        state=gateway.state,
        order_entry=gateway.order_entry,
        channels=gateway.channels,
        clock=clock,
        max_websockets_per_key=settings.max_websockets_per_key,
        known_keys=known_keys,
        limits=limits,
        missed=MissedReader(gateway.state, read_database, journal, gateway.projected),
        public=PublicSockets(settings.max_public_websockets, settings.max_public_websockets_per_address)
        if settings.public_market_data
        else None,
        is_cut_off=freshness.is_cut_off,
    )
    app = create_app(
        state=gateway.state,
        market=gateway.market,
        order_entry=gateway.order_entry,
        inbox=inbox,
        read_database=read_database,
        projected=gateway.projected,
        people=gateway.people,
        routers=[
            endpoint.router(),
            *routers.member_routers(
                read_database,
                calendar,
                gateway.projected,
                journal,
                turns,
                days_turns,
                deciders_of(gateway.state),
            ),
        ],
        operator_routers=[
            *routers.operator_routers(read_database, gateway.projected, journal, lambda: gateway.state.last_seq, turns),
            *proofs,
        ],
        allowed_hosts=settings.allowed_hosts,
        not_ready=not_ready,
        warnings=warnings,
        details=details,
        freshness=freshness,
        facts=VenueFacts(TradingHours(calendar, settings.schedule), demo=settings.demo),
        metrics_addresses=settings.metrics_addresses,
        request_log=settings.request_log,
        public_market_data=settings.public_market_data,
        known_keys=known_keys,
        limits=limits,
    )
    app.add_exception_handler(NotCertified, answer_not_certified)
    return app


def deciders_of(state: VenueState) -> Deciders:
    """Who decides about targets and trades; shown to operators and auditors."""
    return Deciders(state.users.names.get, lambda request: sees_all(request.scope[KEY]))


def make_limits(state: VenueState, settings: Settings, make_bucket: MakeBucket | None = None) -> RateLimits:
    """The rate limits, with the defaults of the settings. `make_bucket` makes buckets that gateways share."""
    defaults = KeyLimits(
        orders=RateLimit(per_s=settings.orders_per_s, burst=settings.orders_burst),
        cancels=RateLimit(per_s=settings.cancels_per_s, burst=settings.cancels_burst),
        reads=RateLimit(per_s=settings.reads_per_s, burst=settings.reads_burst),
    )
    log_in = RateLimit(per_s=settings.log_ins_per_s, burst=settings.log_ins_burst)
    public = RateLimit(per_s=settings.public_reads_per_s, burst=settings.public_reads_burst)
    keyless = RateLimit(per_s=settings.keyless_answers_per_s, burst=settings.keyless_answers_burst)
    return RateLimits(state, defaults, log_in, public=public, keyless=keyless, make_bucket=make_bucket)


async def answer_not_certified(request: Request, refused: Exception) -> Response:
    """The problem of a certificate that there is not."""
    return ProblemError(409, "not_certified", str(refused)).response(text_of(request.scope))
