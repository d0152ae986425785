"""/openapi.json, /docs with the static files of the wheel, and a page for each problem code: cached bytes, readable offline."""

from __future__ import annotations

import base64
import hashlib
import json
import mimetypes
import re
from collections.abc import Collection
from functools import partial
from pathlib import Path

import fastapi_offline
from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from services.gateway.browser_headers import asks_for_html, documentation_policy
from services.gateway.http.cached_answer import Answer, CachedAnswer, Content, OpenAnswer
from services.gateway.http.error_pages import error_pages
from services.gateway.http.openapi import openapi_document

_STATIC = Path(fastapi_offline.__file__).parent / "static"
_ASSETS = ("swagger-ui-bundle.js", "swagger-ui.css", "favicon.png")
"""What the page of /docs loads."""


def documentation(app: FastAPI) -> dict[str, OpenAnswer]:
    """The answers by path. Adds routes for their paths, which answer all other methods (405) and names (404)."""

    def document() -> Content:
        app.openapi_schema = app.openapi_schema or openapi_document(app)
        return json_content(app.openapi_schema)

    pages: dict[str, OpenAnswer] = {"/openapi.json": CachedAnswer(document), "/docs": CachedAnswer(_swagger_page)}
    for name in _ASSETS:
        pages[f"/docs/static/{name}"] = CachedAnswer(partial(_asset, name))
    for code, (as_html, as_json) in error_pages().items():
        pages[f"/errors/{code}"] = _ByAccept(as_html, as_json)
    refuse_others(app, "/openapi.json", "/docs", "/docs/static/{name:path}", "/errors/{code}")
    return pages


def json_content(document: object) -> Content:
    """A document as compact JSON."""
    return Content("application/json", json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode())


def refuse_others(app: FastAPI, *paths: str, methods: Collection[str] = ("GET", "HEAD")) -> None:
    """Adds routes for paths that are answered before routing; they answer all other methods (405) and names (404)."""
    for path in paths:
        app.add_route(path, _not_found, [*methods], include_in_schema=False)


def first_names(app: FastAPI) -> frozenset[str]:
    """The first names of all paths with a route or a mount: `v1`, `docs`, and the empty one of `/`."""
    paths = [getattr(route, "path", "") for route in (*iter_route_contexts(app.routes), *app.routes)]
    return frozenset(path.lstrip("/").partition("/")[0] for path in paths if path)


async def _not_found(_request: Request) -> Response:
    raise HTTPException(404)


class _ByAccept:
    """An `OpenAnswer` in two media types: HTML for who names it (browsers do), else JSON."""

    def __init__(self, as_html: Content, as_json: Content) -> None:
        self._html = CachedAnswer(lambda: as_html)
        self._json = CachedAnswer(lambda: as_json)

    async def __call__(self, scope: Scope) -> Answer:
        chosen = self._html if asks_for_html(dict(scope["headers"])) else self._json
        status, own, body = await chosen(scope)
        return status, [*own, (b"vary", b"accept")], body


def _swagger_page() -> Content:
    page = get_swagger_ui_html(
        openapi_url="/openapi.json",
        title="REX API",
        swagger_js_url="/docs/static/swagger-ui-bundle.js",
        swagger_css_url="/docs/static/swagger-ui.css",
        swagger_favicon_url="/docs/static/favicon.png",
    )
    body = bytes(page.body)
    (script,) = re.findall(rb"<script>(.*?)</script>", body, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script).digest()).decode()
    return Content("text/html; charset=utf-8", body, documentation_policy(f"sha256-{digest}"))


def _asset(name: str) -> Content:
    media_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return Content(media_type, (_STATIC / name).read_bytes(), cache_control=b"public, max-age=86400")
