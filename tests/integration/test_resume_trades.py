"""An instrument's trades that are resumed: after a restart of the venue, and by the client after a lost connection."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from rex_client import RexClient

from services.gateway.websocket import resumes
from tests.integration.served_venue import Served, served_venue
from tests.integration.test_client_reconnect import Severable
from tests.integration.test_websocket_channels import SYMBOL, limit
from tests.integration.test_websocket_orders import open_socket
from tests.integration.test_websocket_resume import a_bust, point, subscribe
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.anyio

Json = dict[str, Any]


async def a_trade(served: Served, symbol: str = SYMBOL) -> str:
    """Trades one lot between bob and alice; returns the trade's id."""
    alice, bob = await served.client("alice"), await served.client("bob")
    await bob.place_order(limit("sell", "473000", 1) | {"symbol": symbol})
    await alice.place_order(limit("buy", "473000", 1) | {"symbol": symbol})
    return str((await alice.fills(limit=1))["fills"][0]["trade_id"])


async def test_a_bust_before_a_restart_is_told_after_it(tmp_path: Path) -> None:
    async with served_venue(tmp_path) as served, open_socket(served) as socket:
        trade_id = await a_trade(served)
        await subscribe(socket, "trades")
        traded = json.loads(await socket.recv())
        bust_seq = await a_bust(served)
    async with served_venue(tmp_path) as served, open_socket(served) as socket:
        await subscribe(socket, "trades", point(traded))
        told = json.loads(await socket.recv())
    assert (told["type"], told["data"]["busted"], told["seq"]) == ("resumed", [trade_id], bust_seq)


async def test_the_client_hears_each_trade_once_over_a_lost_connection(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with served_venue(tmp_path) as served, asyncio.timeout(PATIENCE_S):
        through = await Severable.before(served)
        async with RexClient(through.url, served.venue.keys["alice"].key) as client:
            pushes = client.subscribe(["trades", "depth"], [SYMBOL, "ND-OX"], levels=10)
            assert [(await anext(pushes))["type"] for _ in range(4)] == ["snapshot"] * 4
            through.sever()
            traded = [await a_trade(served) for _ in range(60)]  # more than a snapshot has
            bust_seq = await a_bust(served)
            told, busted, depths = list[str](), list[str](), set[str]()
            while not busted or len(depths) < 2:
                push = await anext(pushes)
                if push["channel"] == "depth":
                    depths |= {push["symbol"]} if push["type"] == "snapshot" else set()
                    continue
                assert push["type"] in ("resumed", "update")
                told += [trade["trade_id"] for trade in push["data"]["trades"]]
                busted += push["data"]["busted"]
                seq = push["seq"] if push["symbol"] == SYMBOL else bust_seq
            assert (told, busted, seq) == (traded, traded[:1], bust_seq)
            monkeypatch.setattr(resumes, "RESUME_COMMANDS", -1)
            through.sever()
            kinds = [(push["channel"], push["type"]) for push in [await anext(pushes) for _ in range(4)]]
            assert sorted(kinds) == [("depth", "snapshot")] * 2 + [("trades", "snapshot")] * 2
        through.close()
