"""The gateway's FastAPI application: routes behind the doorway, problems for exceptions, documentation that works offline."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.staticfiles import StaticFiles
from swagger_ui_bundle import swagger_ui_path

from services.gateway import problems
from services.gateway.http import (
    account,
    admin,
    alerts,
    context,
    decisions,
    health,
    operate,
    orders,
    surveillance,
    venue,
)
from services.gateway.http import market as market_routes
from services.gateway.http.caller import needs
from services.gateway.http.doorway import Doorway
from services.gateway.http.fact_gauges import Facts
from services.gateway.http.health import Sentences
from services.gateway.http.metrics import GatewayMetrics
from services.gateway.http.openapi import openapi_document
from services.gateway.http.venue import VenueFacts
from services.gateway.order_entry.bans import Bans
from services.gateway.order_entry.decisions import DecisionChecks
from services.gateway.order_entry.history import OrderHistory, Projected
from services.gateway.order_entry.order_entry import OrderEntry
from services.market_data import Market
from services.messaging import Inbox
from services.venue_state.state import VenueState


def _nothing() -> list[str]:
    return []


def create_app(
    *,
    state: VenueState,
    market: Market,
    order_entry: OrderEntry,
    inbox: Inbox,
    read_database: AsyncEngine,
    projected: Projected,
    routers: Iterable[APIRouter] = (),
    operator_routers: Iterable[APIRouter] = (),
    allowed_hosts: Collection[str],
    allowed_origins: Collection[str] = (),
    facts: VenueFacts | None = None,
    not_ready: Sentences = _nothing,
    warnings: Sentences = _nothing,
    details: Callable[[], Facts] = dict,
    request_log: bool = False,
) -> FastAPI:
    """The application over a venue's parts. `GatewayReader` must run beside it.

    `routers` and `operator_routers` are those of other packages (reports, the WebSocket). Their HTTP routes need the scope
    `read`, those of operators `operate`.
    """
    # FastAPI's own telemetry would look for an exporter at every request; REX's metrics are in /metrics.
    app = FastAPI(docs_url=None, redoc_url=None, telemetry={"tracing": False, "metrics": False, "logs": False})
    history = OrderHistory(state, read_database, projected)
    metrics = GatewayMetrics(state, order_entry, inbox)
    checks = DecisionChecks(state, read_database, projected)
    bans = Bans(state, order_entry, checks)
    for router in (
        market_routes.routes(state, market),
        account.routes(state),
        venue.routes(state, facts or VenueFacts()),
        *orders.routes(state, order_entry, history),
        admin.routes(state, order_entry),
        operate.routes(state, order_entry, bans),
        alerts.routes(order_entry, alerts.AlertHistory(state, read_database, projected)),
        decisions.routes(state, order_entry, checks),
        surveillance.routes(state, order_entry, checks, bans),
        context.routes(order_entry),
        health.routes(state, metrics, not_ready, warnings, details),
    ):
        app.include_router(router)
    for router in routers:
        app.include_router(router, dependencies=[needs("read")])
    for router in operator_routers:
        app.include_router(router, dependencies=[needs("operate")])
    _add_documentation(app)
    problems.install(app)
    app.add_middleware(
        Doorway,
        state=state,
        allowed_hosts=allowed_hosts,
        allowed_origins=allowed_origins,
        direct=orders.direct_routes(state, order_entry, metrics),
        metrics=metrics,
        request_log=request_log,
    )
    return app


def _add_documentation(app: FastAPI) -> None:
    """/docs with the static files of the wheel, and /openapi.json, made at the first request."""
    document: dict[str, Any] = {}

    def openapi() -> dict[str, Any]:
        if not document:
            document.update(openapi_document(app))
        return document

    app.openapi = openapi  # type: ignore[method-assign]
    app.mount("/docs/static", StaticFiles(directory=Path(str(swagger_ui_path))))

    @app.get("/docs", include_in_schema=False)
    async def documentation() -> HTMLResponse:
        return get_swagger_ui_html(
            openapi_url="/openapi.json",
            title="REX API",
            swagger_js_url="/docs/static/swagger-ui-bundle.js",
            swagger_css_url="/docs/static/swagger-ui.css",
            swagger_favicon_url="/docs/static/favicon-32x32.png",
        )
