"""/healthz, /readyz and /metrics of a process that is no gateway."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from fastapi import FastAPI
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

Facts = Mapping[str, str | int | float | bool | None]
"""What a process says of itself: role, epoch, sequence numbers, seconds. None: not known."""


class _Gauges(Collector):
    """The numbers among the facts, as gauges `rex_<name>`."""

    def __init__(self, facts: Callable[[], Facts]) -> None:
        self._facts = facts

    def collect(self) -> Iterator[Metric]:
        """The current numbers."""
        for name, value in self._facts().items():
            if isinstance(value, int | float):
                yield GaugeMetricFamily(f"rex_{name}", f"The process's {name.replace('_', ' ')}", value=value)


def health_app(process: str, facts: Callable[[], Facts], not_ready: Callable[[], list[str]]) -> FastAPI:
    """The application. `not_ready` returns a sentence for each condition that keeps the process from its work."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    registry = CollectorRegistry()
    registry.register(_Gauges(facts))

    @app.get("/healthz")
    async def healthz() -> JSONResponse:
        return JSONResponse({"status": "ok", "process": process, **facts()})

    @app.get("/readyz")
    async def readyz() -> JSONResponse:
        causes = not_ready()
        answer = {"status": "not_ready" if causes else "ready", "process": process, **facts()}
        return JSONResponse({**answer, "causes": causes} if causes else answer, 503 if causes else 200)

    @app.get("/metrics")
    async def metrics() -> Response:
        return Response(generate_latest(registry), headers={"content-type": CONTENT_TYPE_LATEST})

    return app
