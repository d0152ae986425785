"""A page as HTML. It is the same for everybody who asks in its language, so it is made at most once in FRESH_S."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Mapping
from functools import partial
from http.cookies import CookieError, SimpleCookie
from typing import Any, NamedTuple
from urllib.parse import parse_qs

import jinja2
from starlette.types import Scope

from services.gateway.browser_headers import PAGES_POLICY
from services.gateway.http.cached_answer import Answer, CachedAnswer, Content
from services.pages.catalogue import LANGUAGES, words
from services.pages.first_paint import FirstPaint
from services.pages.formatting import FILTERS
from services.pages.kept import Kept

MOST_KEPT = 256
"""How many pages are kept; the oldest goes first."""
SHARE = 0.2
"""Of a processor's time, how much the making of pages may take: after each page the next one waits so much longer."""


class Page(NamedTuple):
    """A page: its template `NAME.html`, and what its first paint shows."""

    name: str
    reads: tuple[str, ...] = ()
    status: int = 200
    folder: str = ""
    """Of its script `FOLDER/main.js`, its style `FOLDER/FOLDER.css` and its words `FOLDER.json`. Empty: that of its name."""


_HOLE = re.compile(r"\{(\w+)(?:\|([^|{}]*)\|([^|{}]*))?\}")

Name = tuple[str, str, str]
"""Of a kept page: the page's name, language and symbol."""


class Renderer:
    """Makes the answers of pages, one at a time."""

    def __init__(self, first: FirstPaint, *, static: str, demo: bool) -> None:
        """`static` is the address of the static files. `demo`: who opens a page may enter as one of the demo's people."""
        self._first = first
        self._static = static
        self._demo = demo
        self._kept: Kept[Name, CachedAnswer] = Kept(MOST_KEPT)
        self._turn = asyncio.Lock()
        self._not_before_s = 0.0
        self._templates = jinja2.Environment(
            loader=jinja2.PackageLoader("services.pages"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters |= FILTERS

    async def answer(self, page: Page, scope: Scope, symbol: str = "") -> Answer:
        """The page in the language that the request asks for. `symbol`: the instrument of a page about one."""
        language = language_of(scope)
        make = partial(self._make, page, language, symbol)
        made = await asyncio.shield(self._kept.task((page.name, language, symbol), make))
        status, headers, body = await made(scope)
        varied = [*headers, (b"vary", b"cookie, accept-language"), (b"content-language", language.encode())]
        return (page.status if status == 200 else status), varied, body

    async def close(self) -> None:
        """Ends what is under way."""
        await self._kept.close()

    async def _make(self, page: Page, language: str, symbol: str) -> CachedAnswer:
        first = await self._first.read(page.reads)
        async with self._turn:
            await asyncio.sleep(self._not_before_s - time.monotonic())
            began_s = time.monotonic()
            made = await asyncio.to_thread(self._content, page, language, symbol, first)
            ended_s = time.monotonic()
            self._not_before_s = ended_s + (ended_s - began_s) * (1 / SHARE - 1)
        return CachedAnswer(lambda: made)

    def _content(self, page: Page, language: str, symbol: str, first: Mapping[str, Any]) -> Content:
        folder = page.folder or page.name
        known = words(folder, language)
        data = {
            "page": page.name,
            "lang": language,
            "demo": self._demo,
            "symbol": symbol,
            "words": dict(known),
            "first": _trimmed(first, symbol),
        }
        # `<` as an escape: no text of the data can end the element that holds it.
        as_json = json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
        html = self._templates.get_template(f"{page.name}.html").render(
            page=page.name,
            folder=folder,
            language=language,
            symbol=symbol,
            static=self._static,
            demo=self._demo,
            t=partial(_text, known),
            data=as_json,
            **first,
        )
        return Content("text/html; charset=utf-8", html.encode(), PAGES_POLICY)


def _text(known: Mapping[str, str], key: str, **values: object) -> str:
    """The text of a key, with `{name}` replaced by values, and `{name|day|days}` by the word for one or for many."""
    return _HOLE.sub(lambda hole: _filled(hole, values), known[key])


def _filled(hole: re.Match[str], values: Mapping[str, object]) -> str:
    name, one, many = hole.groups()
    if name not in values:
        return hole[0]
    value = str(values[name])
    return value if one is None else one if value == "1" else many


def _trimmed(first: Mapping[str, Any], symbol: str) -> Mapping[str, Any]:
    """The first paint's data without the long texts of instruments that the page is not about."""
    instruments = first.get("instruments")
    if instruments is None:
        return first
    long = ("spec", "note", "reference_price_source", "settlement_source")
    short = [
        one if one["symbol"] == symbol else {name: value for name, value in one.items() if name not in long}
        for one in instruments
    ]
    return {**first, "instruments": short}


def language_of(scope: Scope) -> str:
    """The language of an answer: of `?lang=`, of the cookie `lang`, or what the browser prefers; else English."""
    headers = dict(scope["headers"])
    asked = parse_qs(scope["query_string"].decode("latin-1")).get("lang", [""])[0]
    try:
        kept = SimpleCookie(headers.get(b"cookie", b"").decode("latin-1")).get("lang")
    except CookieError:
        kept = None
    for found in (asked, kept.value if kept else ""):
        if found in LANGUAGES:
            return found
    preferred = headers.get(b"accept-language", b"").decode("latin-1").lower().lstrip()
    return "zh" if preferred.startswith("zh") else "en"
