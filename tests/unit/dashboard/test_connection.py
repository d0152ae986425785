from __future__ import annotations

import asyncio

import pytest

from services.client import FellBehind, RexClient, RexError, Unreachable
from services.dashboard import connection
from services.dashboard.connection import keep_connected

PROBLEM = {"status": 401, "code": "unknown_key", "detail": "The venue does not know this key."}


@pytest.mark.anyio
async def test_whatever_ends_a_connection_is_said_and_a_new_one_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "_RETRY_SECONDS", 0)
    troubles = [RexError(PROBLEM), FellBehind("slow"), Unreachable("away"), ExceptionGroup("", [Unreachable("both")])]
    said: list[str] = []
    done = asyncio.Event()

    async def follow(client: RexClient) -> None:
        if troubles:
            raise troubles.pop(0)
        done.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(keep_connected(lambda: RexClient("http://127.0.0.1:1", "rex_key"), follow, said.append))
    await done.wait()
    task.cancel()
    assert said == ["401 unknown_key: The venue does not know this key.", "slow", "away", "both"]


@pytest.mark.anyio
async def test_a_bug_is_not_taken_for_a_lost_connection() -> None:
    async def follow(client: RexClient) -> None:
        raise LookupError("a bug")

    with pytest.raises(LookupError):
        await keep_connected(lambda: RexClient("http://127.0.0.1:1", "rex_key"), follow, print)
