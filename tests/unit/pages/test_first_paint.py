"""The answers behind the first paint: asked for once, by all who wait, and never waited for longer than a page may."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from rex_client import RexClient, RexError

from services.pages import first_paint
from services.pages.first_paint import FirstPaint

pytestmark = pytest.mark.anyio


def reading(monkeypatch: pytest.MonkeyPatch, read: Callable[[RexClient], Awaitable[Any]]) -> FirstPaint:
    monkeypatch.setattr(first_paint, "READS", {"venue": read})
    return FirstPaint(lambda: "http://127.0.0.1:1", "rex_read")


async def test_all_who_ask_at_once_wait_for_one_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    async def read(client: RexClient) -> str:
        asked.append(client)
        await asyncio.sleep(0)
        return "answer"

    first = reading(monkeypatch, read)
    assert await asyncio.gather(*[first.read(["venue"]) for _ in range(50)]) == [{"venue": "answer"}] * 50
    assert await first.read(["venue"]) == {"venue": "answer"}
    assert len(asked) == 1
    monkeypatch.setattr(first_paint, "FRESH_S", 0.0)
    await first.read(["venue"])
    assert len(asked) == 2


@pytest.mark.parametrize("error", [RexError({"code": "not_ready", "status": 503}), ConnectionError("away")])
async def test_a_refusal_is_a_gap(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    async def read(client: RexClient) -> str:
        raise error

    assert await reading(monkeypatch, read).read(["venue"]) == {"venue": None}


async def test_a_page_does_not_wait_for_a_silent_venue(monkeypatch: pytest.MonkeyPatch) -> None:
    async def read(client: RexClient) -> None:
        await asyncio.Event().wait()

    first = reading(monkeypatch, read)
    monkeypatch.setattr(first_paint, "PATIENCE_S", 0.01)
    assert await first.read(["venue"]) == {"venue": None}
    await first.close()


async def test_the_last_answer_stands_in_for_one_that_is_late(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter(["first"])

    async def read(client: RexClient) -> str:
        for answer in answers:
            return answer
        await asyncio.Event().wait()
        return "never"

    first = reading(monkeypatch, read)
    assert await first.read(["venue"]) == {"venue": "first"}
    monkeypatch.setattr(first_paint, "FRESH_S", 0.0)
    monkeypatch.setattr(first_paint, "PATIENCE_S", 0.01)
    assert await first.read(["venue"]) == {"venue": "first"}
    await first.close()


async def test_where_the_market_is_not_public_nothing_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    async def read(client: RexClient) -> None:
        raise AssertionError

    monkeypatch.setattr(first_paint, "READS", {"venue": read})
    assert await FirstPaint(lambda: "", None).read(["venue"]) == {"venue": None}
