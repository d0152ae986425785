"""/healthz, /readyz and /metrics of a process that is no gateway."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import FastAPI
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from services.gateway.http.metrics import FactGauges, Facts
from services.journal.postgres.journal import PostgresJournal


def health_app(
    process: str,
    facts: Callable[[], Facts],
    not_ready: Callable[[], list[str]],
    warnings: Callable[[], list[str]] = list,
) -> FastAPI:
    """The application. `not_ready` returns a sentence for each condition that keeps the process from its work, `warnings` one
    for each that needs an operator's attention."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    registry = CollectorRegistry()
    registry.register(FactGauges(facts))

    @app.get("/healthz")
    async def healthz() -> JSONResponse:
        return JSONResponse({"status": "ok", "process": process, "warnings": warnings(), **facts()})

    @app.get("/readyz")
    async def readyz() -> JSONResponse:
        causes = not_ready()
        answer = {"status": "not_ready" if causes else "ready", "process": process, "warnings": warnings(), **facts()}
        return JSONResponse({**answer, "causes": causes} if causes else answer, 503 if causes else 200)

    @app.get("/metrics")
    async def metrics() -> Response:
        return Response(generate_latest(registry), headers={"content-type": CONTENT_TYPE_LATEST})

    return app


def lag_facts(journal: PostgresJournal, applied_seq: int) -> Facts:
    """How far a process that has applied the journal up to `applied_seq` is behind it: commands, and seconds since the first of
    them was seen."""
    lag = journal.lag(applied_seq)
    return {"journal_lag": lag.commands, "journal_lag_s": round(lag.age_s, 3)}
