"""Liveness, readiness and metrics, for supervisors and monitoring. They need no key: the access middleware answers them."""

from __future__ import annotations

from collections.abc import Callable, Collection

import msgspec
from fastapi import APIRouter
from fastapi.responses import PlainTextResponse
from starlette.types import Scope

from services.gateway.browser_headers import API_POLICY
from services.gateway.http.cached_answer import Answer, OpenAnswer
from services.gateway.http.fact_gauges import Facts
from services.gateway.problems import ProblemError, cut_off
from services.gateway.schemas import Health
from services.venue_state.state import VenueState

Sentences = Callable[[], list[str]]
"""Returns one sentence for each condition: what keeps the venue from being ready, or what needs an operator's attention."""


def health_answers(
    state: VenueState,
    not_ready: Sentences,
    warnings: Sentences,
    details: Callable[[], Facts],
    acts_of_two: Collection[str],
    is_cut_off: Callable[[], bool],
) -> dict[str, OpenAnswer]:
    """What /healthz and /readyz answer. `details`: what a process of the scaled mode adds."""

    def answer(status: str) -> Answer:
        sentences = [*dict.fromkeys([*warnings(), *state.alerts.critical()])]
        venue = {
            "seq": state.last_seq,
            "kill_switch": state.kill_switch,
            "warnings": sentences,
            "acts_of_two": sorted(acts_of_two),
        }
        body = msgspec.json.encode({"status": status, **venue, **details()})
        kind = (b"content-type", b"application/json")
        return 200, [kind, (b"content-length", str(len(body)).encode()), API_POLICY], body

    async def healthz(_scope: Scope) -> Answer:
        return answer("ok")

    async def readyz(_scope: Scope) -> Answer:
        missing = not_ready()
        if is_cut_off():
            raise cut_off(" ".join(missing))
        if not state.instruments:
            missing.append("No instrument is listed.")
        if not state.trading_date:
            missing.append("No trading day has begun.")
        if missing:
            raise ProblemError(503, "not_ready", " ".join(missing))
        return answer("ready")

    return {"/healthz": healthz, "/readyz": readyz}


def routes() -> APIRouter:
    """The paths for /openapi.json and for the 405 of their other methods. The access middleware answers them, never these."""
    router = APIRouter(tags=["health"])

    @router.get("/healthz", response_model=Health, summary="Liveness: the process answers")
    @router.get(
        "/readyz", response_model=Health, summary="Readiness: the venue takes commands; otherwise 503 with the cause"
    )
    @router.get("/metrics", response_class=PlainTextResponse, summary="Prometheus metrics")
    async def answered() -> None:
        raise NotImplementedError("the access middleware answers this route")

    return router
