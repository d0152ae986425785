"""The gateway's memory (loaded from the read database, kept current by its reader) and the API's application on top of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine

from services.data.calendar import TradingCalendar
from services.gateway.app import create_app
from services.gateway.http.fact_gauges import Facts
from services.gateway.http.venue import VenueFacts
from services.gateway.order_entry.history import OrderHistory
from services.gateway.order_entry.order_entry import OrderEntry
from services.gateway.problems import ProblemError
from services.gateway.reader import GatewayReader
from services.gateway.websocket import endpoint as websocket
from services.gateway.websocket.channels import Channels
from services.market_data import Market, load_market
from services.messaging import Feed, Inbox
from services.messaging.follow import Readable
from services.read_database.projector import ProjectorStopped
from services.reporting import integrity, proof_route
from services.reporting.app import router as reports_router
from services.reporting.market.routes import router as market_router
from services.reporting.proof_route import Proven
from services.settings import Settings
from services.venue_state.loading import load_state
from services.venue_state.state import VenueState


@dataclass(frozen=True)
class Gateway:
    """The gateway's memory: the venue's state, market data, order entry and WebSocket subscriptions."""

    state: VenueState
    market: Market
    order_entry: OrderEntry
    channels: Channels
    projected: Callable[[int], Awaitable[None]]
    """Waits until the read database has applied the journal up to a sequence number. Raises ProblemError (503) if it will
    not."""


async def load_gateway(
    read_database: AsyncEngine, inbox: Inbox, reached: Callable[[int], Awaitable[None]], *, gateway_id: int = 1
) -> Gateway:
    """The gateway, loaded from the read database.

    `reached` waits until the read database has applied the journal up to a sequence number; it raises ProjectorStopped if that
    will not happen. `gateway_id` distinguishes the gateways of a venue.
    """

    async def projected(seq: int) -> None:
        try:
            await reached(seq)
        except ProjectorStopped as stopped:
            raise ProblemError(
                503, "not_ready", "The read database is behind the venue; orders are not affected."
            ) from stopped

    state, market = await load_state(read_database), await load_market(read_database)
    order_entry = OrderEntry(state, inbox, OrderHistory(state, read_database, projected), gateway_id=gateway_id)
    return Gateway(state, market, order_entry, Channels(state, market), projected)


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
    prove: Callable[[int], Awaitable[Proven]] | None = None,
) -> FastAPI:
    """The FastAPI application: REST, WebSocket and reports, without the pages. `journal` is read for reports on single days, up
    to what the read database has applied. `prove` makes the proof of a year."""
    proofs = [proof_route.router(prove)] if prove is not None else []
    socket_routes = websocket.router(
        state=gateway.state,
        order_entry=gateway.order_entry,
        channels=gateway.channels,
        clock=clock,
        max_websockets_per_key=settings.max_websockets_per_key,
    )
    return create_app(
        state=gateway.state,
        market=gateway.market,
        order_entry=gateway.order_entry,
        inbox=inbox,
        read_database=read_database,
        projected=gateway.projected,
        routers=[
            socket_routes,
            reports_router(read_database, calendar, gateway.projected),
            market_router(read_database, journal),
            integrity.router(read_database),
        ],
        operator_routers=[integrity.findings_router(read_database), *proofs],
        allowed_hosts=settings.allowed_hosts,
        not_ready=not_ready,
        warnings=warnings,
        details=details,
        facts=VenueFacts(schedule=settings.schedule, demo=settings.demo),
        request_log=settings.request_log,
    )
