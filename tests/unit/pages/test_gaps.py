"""A page comes even where the API has not answered its first paint in time."""

from __future__ import annotations

from typing import Any

import pytest

from services.pages.catalogue import LANGUAGES
from services.pages.first_paint import FirstPaint
from services.pages.mount import NOT_FOUND, PAGES, TRADE
from services.pages.rendering import Page, Renderer

EVERY = [*PAGES.values(), TRADE, NOT_FOUND]


class Silent(FirstPaint):
    """Gets no answer."""

    async def read(self, names: Any) -> dict[str, Any]:
        return dict.fromkeys(names)


@pytest.mark.anyio
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("page", EVERY, ids=lambda page: page.name)
async def test_a_page_comes_with_gaps(page: Page, language: str) -> None:
    renderer = Renderer(Silent(lambda: "", ""), static="/ui/static/x", demo=True)
    scope = {"headers": [], "query_string": f"lang={language}".encode()}
    status, headers, body = await renderer.answer(page, scope, "PRND-OX" if page is TRADE else "")
    assert status == page.status
    assert (b"content-language", language.encode()) in headers
    assert b'<main id="main"' in body
