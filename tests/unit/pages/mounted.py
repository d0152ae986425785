"""The pages on an application without a venue; their first paint shows what a test gives."""

from __future__ import annotations

from typing import Any

import httpx
from fastapi import FastAPI

from services.gateway import problems
from services.pages import Pages, mount_pages
from tests.patience import AsyncHttpClient


def mounted(**first: Any) -> tuple[AsyncHttpClient, Pages]:
    """A client of the pages. `first`: the answers of the API by their names in READS; the others are missing."""
    app = FastAPI(docs_url=None, redoc_url=None)

    @app.get("/v1/venue")
    async def venue() -> dict[str, str]:
        return {"name": "REX"}

    problems.install(app)
    pages = mount_pages(app, url=lambda: "http://127.0.0.1:1", read_key="rex_read", public=True)

    async def read(names: tuple[str, ...]) -> dict[str, Any]:
        return {name: first.get(name) for name in names}

    pages.first.read = read  # type: ignore[method-assign, assignment]
    return AsyncHttpClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1"), pages
