"""A part that goes on after an error ends when it is canceled, also where an error of its own covers the cancellation."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest
from rex_client import RexClient

from services.journal import Journal
from services.messaging.in_process import InProcessFeed
from services.read_model.errors import ReadDatabaseAway
from services.read_model.projector import Projector
from services.simulator.accounts import demo_accounts
from services.simulator.session import TraderKey, TraderSession
from services.venue import parts
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.anyio


def failing_when_canceled(error: Exception, began: asyncio.Event) -> Callable[..., Awaitable[Any]]:
    """Work that never ends by itself, and raises `error` when it is canceled."""

    async def work(*_arguments: object) -> None:
        began.set()
        try:
            await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            raise error from None

    return work


async def is_canceled(part: Awaitable[None], began: asyncio.Event) -> bool:
    """Whether the part ends as canceled after it was canceled once."""
    task = asyncio.ensure_future(part)
    await began.wait()
    task.cancel()
    await asyncio.wait([task], timeout=PATIENCE_S)
    return task.cancelled()


async def test_a_simulated_trader(monkeypatch: pytest.MonkeyPatch) -> None:
    began = asyncio.Event()
    monkeypatch.setattr(RexClient, "instruments", failing_when_canceled(ConnectionError(), began))
    account = demo_accounts()[1]
    session = TraderSession("http://127.0.0.1:9", TraderKey(account.name, "rex_key"), account, {})
    assert await is_canceled(session.run(), began)


async def test_a_projector(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "AGAIN_S", 0.01)
    began = asyncio.Event()
    away = failing_when_canceled(ReadDatabaseAway("the server ends"), began)
    writer = SimpleNamespace(name="read", start=away, close=lambda: asyncio.sleep(0))
    projector = Projector(cast(Any, writer), cast(Journal, SimpleNamespace(journal_id=b"")), InProcessFeed())
    projecting = asyncio.create_task(projector.run())
    await began.wait()
    async with asyncio.timeout(PATIENCE_S):
        await parts.cancel([projecting])
    assert projecting.cancelled()
