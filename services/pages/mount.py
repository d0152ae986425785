"""Mounts the pages on the venue's application: which page has which path, and the files that the pages load."""

from __future__ import annotations

import asyncio
import hashlib
import mimetypes
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from fastapi import APIRouter, FastAPI
from starlette.middleware import Middleware
from starlette.types import Scope

from services.data.instruments import load_instruments
from services.gateway.browser_headers import PAGES_POLICY
from services.gateway.http.cached_answer import Answer, CachedAnswer, Content, OpenAnswer
from services.gateway.http.documentation import refuse_others
from services.pages import cjk_font
from services.pages.demo_entry import PATH
from services.pages.door import PageDoor
from services.pages.first_paint import FirstPaint
from services.pages.rendering import Page, Renderer

_STATIC = Path(__file__).with_name("static")
_FOREVER = b"public, max-age=31536000, immutable"
_KINDS = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}


def static_files(root: str) -> tuple[str, Mapping[str, OpenAnswer]]:
    """The address below which the files lie, and the answers by path."""
    files = sorted(path for path in _STATIC.rglob("*") if path.is_file())
    digest = hashlib.sha256(cjk_font.characters().encode())
    for path in files:
        digest.update(path.relative_to(_STATIC).as_posix().encode() + b"\0" + path.read_bytes())
    address = f"{root}/{digest.hexdigest()[:12]}"
    answers: dict[str, OpenAnswer] = {
        f"{address}/{path.relative_to(_STATIC).as_posix()}": CachedAnswer(partial(_file, path)) for path in files
    }
    answers[f"{address}/{cjk_font.NAME}"] = CachedAnswer(_font)
    return address, answers


def _font() -> Content:
    return Content("font/woff", cjk_font.font(), cache_control=_FOREVER)


def _file(path: Path) -> Content:
    kind = _KINDS.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return Content(kind, path.read_bytes(), cache_control=_FOREVER)


FIRST_SYMBOL = "PRND-OX"
PAGES = {
    "/ui/": Page("overview", ("venue", "report", "tickers", "instruments", "months", "intraday", "closes")),
    "/ui/rule": Page("rule", ("venue",), folder="overview"),
    "/ui/figure": Page("figure", ("venue", "report", "last_day")),
    "/ui/surveillance": Page("surveillance", ("venue", "instruments")),
    "/ui/control": Page("control", ("venue", "instruments", "tickers")),
    "/ui/health": Page("health", ("venue",)),
    "/log-in": Page("log_in"),
    "/first": Page("first", folder="log_in"),
    "/new-password": Page("new_password", folder="log_in"),
}
TRADE = Page("trade", ("venue", "instruments", "tickers"))
NOT_FOUND = Page("not_found", ("venue", "instruments"), status=404)
SHIPPED = frozenset(instrument.symbol for instrument in load_instruments())
_TRADE = "/ui/trade/"
_LEADS = {"/": "/ui/", "/ui": "/ui/", "/ui/trade": f"{_TRADE}{FIRST_SYMBOL}", _TRADE: f"{_TRADE}{FIRST_SYMBOL}"}


class Pages:
    """The mounted pages. `run` must run as long as the application is served."""

    def __init__(self, first: FirstPaint, *, demo: bool) -> None:
        self.first = first
        self._demo = demo
        static, self._files = static_files("/ui/static")
        self.renderer = Renderer(first, static=static, demo=demo)

    async def run(self) -> None:
        """Runs until it is canceled, and then ends what is under way. A demo reads the overview's answers first: its visitor
        is there already, and the process that makes reports takes a second to start."""
        try:
            if self._demo:
                await self.first.read(PAGES["/ui/"].reads)
            await asyncio.Event().wait()
        finally:
            await self.renderer.close()
            await self.first.close()

    async def find(self, path: str, scope: Scope) -> Answer | None:
        """The answer to GET of a path; None: it is no page's."""
        if path in _LEADS:
            query = scope["query_string"]
            place = _LEADS[path].encode() + (b"?" + query if query else b"")
            return 307, [(b"location", place), (b"content-length", b"0"), PAGES_POLICY], b""
        if path in self._files:
            return await self._files[path](scope)
        if path in PAGES:
            return await self.renderer.answer(PAGES[path], scope)
        if path.startswith(_TRADE) and "/" not in path[len(_TRADE) :]:
            return await self._trade(path[len(_TRADE) :], scope)
        return None

    async def not_found(self, scope: Scope) -> Answer:
        """The page about an address that nothing has."""
        return await self.renderer.answer(NOT_FOUND, scope)

    async def _trade(self, symbol: str, scope: Scope) -> Answer:
        instruments = (await self.first.read(("instruments",)))["instruments"]
        # Where the market is not public there is no answer: then the product list that every venue begins with.
        known = SHIPPED if instruments is None else {instrument["symbol"] for instrument in instruments}
        return await (self.renderer.answer(TRADE, scope, symbol) if symbol in known else self.not_found(scope))


def mount_pages(
    app: FastAPI,
    *,
    url: Callable[[], str],
    read_key: str,
    public: bool,
    demo_entry: APIRouter | None = None,
) -> Pages:
    """Serves the pages at /ui, and leads / there. All other paths remain the API's.

    `url` returns the venue's address. `public`: everybody may see the market, so the first paint shows it, read with
    `read_key`; without it the first paint is empty. `demo_entry`: by it, visitors of a demo enter as one of its people.
    """
    pages = Pages(FirstPaint(url, read_key if public else None), demo=demo_entry is not None)
    if demo_entry is None:
        refuse_others(app, PATH, methods=("POST",))
    else:
        app.router.routes.extend(demo_entry.routes)
    # They answer all other methods (405) and names (404).
    refuse_others(app, "/", "/ui", "/ui/{path:path}", *[path for path in PAGES if not path.startswith("/ui")])
    # Appended, it is the innermost: behind the access middleware.
    app.user_middleware.append(Middleware(PageDoor, find=pages.find, not_found=pages.not_found))
    return pages
