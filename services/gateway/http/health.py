"""Liveness, readiness and metrics, for supervisors and monitoring. They need no key."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST

from services.gateway.http.fact_gauges import Facts
from services.gateway.http.metrics import GatewayMetrics
from services.gateway.problems import ProblemError
from services.gateway.schemas import Health
from services.venue_state.state import VenueState

Sentences = Callable[[], list[str]]
"""Returns one sentence for each condition: what keeps the venue from being ready, or what needs an operator's attention."""


def routes(
    state: VenueState,
    metrics: GatewayMetrics,
    not_ready: Sentences,
    warnings: Sentences,
    details: Callable[[], Facts],
) -> APIRouter:
    """/healthz, /readyz and /metrics. `details`: what a process of the scaled mode adds."""
    metrics.add(details)
    router = APIRouter(tags=["health"])

    def answer(status: str) -> JSONResponse:
        sentences = [*dict.fromkeys([*warnings(), *state.alerts.critical()])]
        venue = {"seq": state.last_seq, "kill_switch": state.kill_switch, "warnings": sentences}
        return JSONResponse({"status": status, **venue, **details()})

    @router.get("/healthz", response_model=Health, summary="Liveness: the process answers")
    async def healthz() -> JSONResponse:
        return answer("ok")

    @router.get(
        "/readyz", response_model=Health, summary="Readiness: the venue takes commands; otherwise 503 with the cause"
    )
    async def readyz() -> JSONResponse:
        missing = not_ready()
        if not state.instruments:
            missing.append("No instrument is listed.")
        if not state.trading_date:
            missing.append("No trading day has begun.")
        if missing:
            raise ProblemError(503, "not_ready", " ".join(missing))
        return answer("ready")

    @router.get("/metrics", response_class=Response, summary="Prometheus metrics")
    async def read_metrics() -> Response:
        return Response(metrics.text(), headers={"content-type": CONTENT_TYPE_LATEST})

    return router
