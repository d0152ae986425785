"""The gateway's FastAPI application: routes behind the access middleware, problems for exceptions, offline documents."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from functools import partial

from fastapi import APIRouter, FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.middleware import Middleware
from starlette.middleware.errors import ServerErrorMiddleware
from starlette.types import ASGIApp

from services.gateway import problems
from services.gateway.freshness import ALWAYS_FRESH, AsOf, Freshness
from services.gateway.http import (
    account,
    admin,
    admin_log,
    alerts,
    candles,
    decisions,
    health,
    instruments,
    ledger,
    operate,
    orders,
    proposals,
    session,
    surveillance,
    users,
    venue,
)
from services.gateway.http import market as market_routes
from services.gateway.http.access_middleware import AccessMiddleware
from services.gateway.http.caller import needs
from services.gateway.http.compression import Compression
from services.gateway.http.direct_orders import direct_routes
from services.gateway.http.documentation import documentation
from services.gateway.http.health import Sentences
from services.gateway.http.known_keys import KnownKeys
from services.gateway.http.metrics import Facts, GatewayMetrics, MetricsAnswer
from services.gateway.http.venue import VenueFacts
from services.gateway.limits.rate_limits import RateLimits
from services.gateway.order_entry.decisions import Bans, DecisionChecks
from services.gateway.order_entry.four_eyes import Proposed
from services.gateway.order_entry.history import OrderHistory, Past, Projected
from services.gateway.order_entry.order_entry import OrderEntry
from services.gateway.websocket.documentation import websocket_documentation
from services.market_data import Market
from services.messaging import Inbox
from services.people.people import People
from services.venue_state.state import VenueState


class _Application(FastAPI):
    """FastAPI behind the access middleware: what the access middleware answers itself passes no other middleware."""

    access: Callable[[ASGIApp], AccessMiddleware]
    """Makes the access middleware before an application."""

    def build_middleware_stack(self) -> ASGIApp:
        """FastAPI's middleware, with the access middleware in the place of the outermost: it answers errors as well."""
        outermost = super().build_middleware_stack()
        assert isinstance(outermost, ServerErrorMiddleware)
        return self.access(outermost.app)


def create_app(
    *,
    state: VenueState,
    market: Market,
    order_entry: OrderEntry,
    inbox: Inbox,
    read_database: AsyncEngine,
    projected: Projected,
    people: People | None = None,
    routers: Iterable[APIRouter] = (),
    operator_routers: Iterable[APIRouter] = (),
    allowed_hosts: Collection[str],
    facts: VenueFacts,
    not_ready: Sentences = list,
    warnings: Sentences = list,
    details: Callable[[], Facts] = dict,
    freshness: Freshness = ALWAYS_FRESH,
    metrics_addresses: Collection[str] = (),
    request_log: bool = False,
    public_market_data: bool = False,
    known_keys: KnownKeys,
    limits: RateLimits,
) -> FastAPI:
    """The application over a venue's parts. `GatewayReader` must run beside it.

    `routers` and `operator_routers` are those of other packages (reports, the WebSocket). Their HTTP routes need the scope
    `read`, those of operators `operate`. `metrics_addresses`: who may read /metrics (addresses, CIDR); empty: everybody.
    `public_market_data`: market data, venue and calendar need no key.
    """
    # FastAPI's own telemetry would look for an exporter at every request; REX's metrics are in /metrics.
    app = _Application(openapi_url=None, telemetry={"tracing": False, "metrics": False, "logs": False})
    people = people or People(state.users)
    history, past = OrderHistory(state, read_database, projected), Past(state, read_database, projected)
    metrics = GatewayMetrics(state, order_entry, inbox)
    metrics.add(details)
    checks = DecisionChecks(past)
    bans = Bans(state, order_entry, checks)
    for router in (
        candles.routes(state, past),
        market_routes.routes(state, market, past),
        account.routes(state),
        ledger.routes(state, past),
        venue.routes(state, facts, known_keys.clock),
        *orders.routes(state, order_entry, history, known_keys.clock),
        *admin.routes(state, order_entry, limits, known_keys.clock),
        session.routes(people, order_entry, limits),
        users.routes(state, people, order_entry),
        admin_log.routes(admin_log.ActionLog(state, past)),
        operate.routes(state, order_entry, bans),
        instruments.routes(state, order_entry),
        alerts.routes(order_entry, alerts.AlertHistory(state, past)),
        decisions.routes(state, order_entry, checks),
        surveillance.routes(state, order_entry, checks, bans),
        decisions.context_routes(order_entry),
        proposals.routes(proposals.Proposals(state, past, known_keys.clock), order_entry),
        health.routes(),
    ):
        # As they are: `include_router` would make each route a second time, with the first request.
        app.router.routes.extend(router.routes)
    for router in routers:
        app.include_router(router, dependencies=[needs("read")])
    for router in operator_routers:
        app.include_router(router, dependencies=[needs("operate")])
    problems.install(app)
    app.add_exception_handler(Proposed, proposals.answer_proposed)
    app.user_middleware.append(Middleware(Compression))
    app.access = partial(
        AccessMiddleware,
        known_keys=known_keys,
        limits=limits,
        people=people,
        allowed_hosts=allowed_hosts,
        direct=direct_routes(state, order_entry, limits, metrics, known_keys.clock),
        open_answers={
            **documentation(app),
            **websocket_documentation(app),
            **health.health_answers(state, not_ready, warnings, details, order_entry.acts_of_two, freshness.is_cut_off),
            "/metrics": MetricsAnswer(metrics, metrics_addresses),
        },
        metrics=metrics,
        as_of=AsOf(state, freshness, known_keys.clock),
        request_log=request_log,
        public_market_data=public_market_data,
    )
    return app
