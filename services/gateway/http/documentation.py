"""/openapi.json, /docs with the static files of the wheel, and a page for each problem code and each reason of the engine.

All are cached bytes, readable offline. As a program it writes docs/errors.md, from the texts of the pages.
"""

from __future__ import annotations

import base64
import hashlib
import json
import mimetypes
import re
import sys
from collections.abc import Collection
from functools import partial
from html import escape
from http import HTTPStatus
from pathlib import Path
from typing import NamedTuple

import fastapi_offline
import msgspec
from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from matching_engine.records import Reason
from services.gateway.browser_headers import POLICY, asks_for_html, documentation_policy
from services.gateway.http.cached_answer import Answer, CachedAnswer, Content, OpenAnswer
from services.gateway.http.openapi import openapi_document
from services.gateway.problem_codes import CODES
from services.gateway.problems import TYPE
from services.venue_state.reasons import REASONS

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


DECLINED_STATUS = 409
"""The status of a reason that is a problem's code: of a declined amend or administrative command."""

PAGE_POLICY = (POLICY, b"default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'")
"""The content security policy of a page that loads nothing and runs nothing."""

_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>{code}</title>
<meta name="viewport" content="width=device-width">
<style>:root{{color-scheme:light dark}}
body{{font:16px/1.5 sans-serif;max-width:44em;margin:3em auto;padding:0 1em}}code{{background:#8883}}</style>
<h1><code>{code}</code></h1><p>HTTP status {status}, {title}.</p>{paragraphs}<p><a href="/docs">The API</a></p></html>
"""

_MARKDOWN = """\
# Problem codes

Every error of the venue is a problem document (RFC 9457). Its `type` is the address of a page about its code:
`/errors/{{code}}`, as HTML for browsers and as JSON for programs. [The API](api.md#problems) describes the document.
The JSON has `type`, `code`, `title`, `status`, `meaning`, `next_step` and `reason`; the last three are the texts below, empty
where there is none. `make records` writes this page from the texts that the venue shows.

| code | status | meaning | what to do |
|---|---|---|---|
{codes}

## Reasons as codes

Where the engine declines an amend or an administrative command, the code is the reason. An order that the engine declines is no
problem: it is an order in state `rejected` with the same `reason`. [The API](api.md#reasons) lists them in their order of
precedence.

| reason | meaning |
|---|---|
{reasons}
"""


class ErrorText(NamedTuple):
    """What a code means. A code may be a problem's, a reason's, or both."""

    status: int
    meaning: str
    """Of the problem; empty where the code is a reason only."""
    next_step: str
    reason: str
    """The reason's sentence; empty where the code is none."""


def error_texts() -> dict[str, ErrorText]:
    """The texts by code: problems first."""
    reasons = {Reason(number).name.lower(): sentence for number, sentence in REASONS.items()}
    texts = {
        code: ErrorText(known.status, known.meaning, known.next_step or "", reasons.get(code, ""))
        for code, known in CODES.items()
    }
    return texts | {
        code: ErrorText(DECLINED_STATUS, "", "", sentence) for code, sentence in reasons.items() if code not in CODES
    }


def error_pages() -> dict[str, tuple[Content, Content]]:
    """For each code its page as HTML and as JSON."""
    return {code: (_html(code, text), _json(code, text)) for code, text in error_texts().items()}


def _html(code: str, text: ErrorText) -> Content:
    meaning = f"{text.meaning[:1].upper()}{text.meaning[1:]}." if text.meaning else ""
    sentences = [meaning, text.reason and f"As a reason of the engine: {text.reason}", text.next_step]
    paragraphs = "".join(f"<p>{marked(sentence)}</p>" for sentence in sentences if sentence)
    page = _PAGE.format(code=code, status=text.status, title=HTTPStatus(text.status).phrase, paragraphs=paragraphs)
    return Content("text/html; charset=utf-8", page.encode(), PAGE_POLICY)


def marked(sentence: str) -> str:
    """A text as HTML; what stands in backticks is code."""
    return re.sub(r"`([^`]*)`", r"<code>\1</code>", escape(sentence))


def _json(code: str, text: ErrorText) -> Content:
    document = {"type": TYPE.format(code=code), "code": code, "title": HTTPStatus(text.status).phrase, **text._asdict()}
    return Content("application/json", msgspec.json.encode(document))


def errors_markdown() -> str:
    """docs/errors.md."""
    texts = error_texts()
    codes = [
        f"| `{code}` | {text.status} | {_cell(text.meaning)} | {_cell(text.next_step)} |"
        for code, text in texts.items()
        if text.meaning
    ]
    reasons = [f"| `{code}` | {_cell(text.reason)} |" for code, text in texts.items() if text.reason]
    return _MARKDOWN.format(codes="\n".join(codes), reasons="\n".join(reasons))


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    sys.stdout.write(errors_markdown())
