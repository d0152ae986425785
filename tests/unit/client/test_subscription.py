"""A subscription takes its own pushes, in order, from each stream's snapshot on."""

from __future__ import annotations

from typing import Any

import pytest
from rex_client import FellBehind, RexError, Subscription
from rex_client.subscription import QUEUED_PUSHES

pytestmark = pytest.mark.anyio


def push(channel: str, symbol: str | None, kind: str = "update", seq: int = 1) -> dict[str, Any]:
    return {"channel": channel, "type": kind, "symbol": symbol, "seq": seq, "incarnation": "a", "data": {}}


def orders(kind: str, seq: int, ids: list[str], **more: bool) -> dict[str, Any]:
    data = {"orders": [{"order_id": each} for each in ids], "fills": [], "busts": []}
    return push("orders", None, kind, seq) | {"data": data | more}


def subscription(channels: list[str], symbols: list[str] | None) -> Subscription:
    closed: list[Subscription] = []
    return Subscription(channels, symbols, closed.append)


async def test_it_takes_what_it_asked_for_after_the_snapshot_of_the_stream() -> None:
    pushes = subscription(["depth", "orders"], ["X"])
    pushes.take(push("depth", "X"))
    pushes.take(push("depth", "X", "snapshot", 2))
    pushes.take(push("depth", "Y", "snapshot", 3))
    pushes.take(push("ticker", "X", "snapshot", 4))
    pushes.take(push("orders", None, "snapshot", 5))
    pushes.take(push("depth", "X", "update", 6))
    assert pushes.params() == {"channels": ["depth", "orders"], "symbols": ["X"]}
    assert [(await anext(pushes))["seq"] for _ in range(3)] == [2, 5, 6]
    pushes.take(push("depth", "X", "update", 7))
    pushes.close()
    assert [entry async for entry in pushes] == [], "what waits is gone with the subscription"

    pushes = subscription(["depth"], ["*"])
    pushes.take(push("depth", "X", "snapshot", 2))
    pushes.take(push("depth", "Y", "update", 3))
    pushes.take(push("depth", "X", "update", 4))
    assert [(await anext(pushes))["seq"] for _ in range(2)] == [2, 4]


async def test_a_snapshot_in_parts_is_one_push_and_only_the_whole_can_be_resumed_from() -> None:
    pushes, stream = subscription(["orders"], None), ("orders", None)
    pushes.take(orders("snapshot", 5, ["1", "2"], more=True))
    pushes.take(orders("update", 5, ["3"], more=True))
    assert stream not in pushes.positions
    pushes.take(orders("snapshot", 7, ["2"], more=True))
    pushes.take(orders("update", 7, ["3"], more=True))
    pushes.take(orders("update", 7, ["4"]))
    assert pushes.positions[stream]["seq"] == 7
    pushes.take(orders("update", 8, ["4"]))
    assert [await anext(pushes) for _ in range(2)] == [
        orders("snapshot", 7, ["2", "3", "4"]),
        orders("update", 8, ["4"]),
    ]

    pushes.take(orders("snapshot", 9, ["5"], more=True))
    assert stream not in pushes.positions, "the connection may be lost before the next part"


async def test_an_error_comes_after_what_waits() -> None:
    pushes = subscription(["depth"], ["*"])
    pushes.take(push("depth", "X", "snapshot", 2))
    pushes.fail(RexError({"status": 403, "code": "scope_missing", "detail": "no"}))
    assert (await anext(pushes))["seq"] == 2
    with pytest.raises(RexError, match="403 scope_missing: no"):
        await anext(pushes)
    with pytest.raises(StopAsyncIteration):
        await anext(pushes)


async def test_a_program_that_falls_behind_is_told_and_holds_nothing() -> None:
    pushes = subscription(["depth"], ["*"])
    for seq in range(QUEUED_PUSHES + 1):
        pushes.take(push("depth", "X", "snapshot" if seq == 0 else "update", seq))
    pushes.take(push("depth", "X", "update", 0))
    with pytest.raises(FellBehind):
        await anext(pushes)
