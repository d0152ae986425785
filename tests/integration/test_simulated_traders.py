"""The simulated traders against a whole venue: they trade like anybody else, everywhere, and stay within what they have."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from services.bootstrap import Venue, open_venue
from services.client import RexClient
from services.settings import Settings
from services.simulator import demo_accounts

NAMES = [account.name for account in demo_accounts() if account.role != "desk"]


def settings(folder: Path, rate: float = 400) -> Settings:
    return Settings(data_dir=folder, port=0, schedule="always", demo=True, demo_orders_per_second=rate)


async def trades_in(venue: Venue, count: int) -> dict[str, dict[str, str]]:
    """Waits for so many trades; returns them by id."""
    seen: dict[str, dict[str, str]] = {}
    async with RexClient(venue.url, venue.keys["pages"].key) as client:
        async for push in client.subscribe(["trades"], ["*"]):
            seen |= {trade["trade_id"]: trade for trade in push["data"]["trades"]}
            if len(seen) >= count:
                break
    return seen


@pytest.mark.anyio
async def test_they_quote_both_sides_everywhere_and_trade_both_ways(tmp_path: Path) -> None:
    async with open_venue(settings(tmp_path)) as venue, RexClient(venue.url, venue.keys["pages"].key) as client:
        quoted: set[str] = set()
        async for push in client.subscribe(["ticker"], ["*"]):
            if push["data"]["best_bid"] and push["data"]["best_ask"]:
                quoted.add(push["symbol"])
            if len(quoted) == 32:
                break
        trades = await trades_in(venue, 100)
        assert {trade["taker_side"] for trade in trades.values()} == {"buy", "sell"}
        assert len({trade["symbol"] for trade in trades.values()}) > 5


@pytest.mark.anyio
async def test_each_of_them_trades_for_itself_and_the_venue_has_little_to_refuse(tmp_path: Path) -> None:
    async with open_venue(settings(tmp_path)) as venue:
        await trades_in(venue, 200)
        states: list[str] = []
        for name in NAMES:
            async with RexClient(venue.url, venue.keys[name].key) as trader:
                orders = (await trader.orders(limit=100))["orders"]
                assert orders, name
                states += [order["state"] for order in orders]
                account = await trader.account()
                assert not account["available"].startswith("-")
                assert all(holding["available"] >= 0 for holding in account["holdings"])
        assert states.count("rejected") * 50 < len(states)
        assert {"new", "filled", "canceled"} <= set(states)


@pytest.mark.anyio
async def test_a_second_start_carries_on_with_the_same_books(tmp_path: Path) -> None:
    async with open_venue(settings(tmp_path)) as venue:
        before = await trades_in(venue, 50)
        year = venue.engine.trading_date // 10_000
    turnover_fen = venue.engine.turnover_fen(year)
    async with open_venue(settings(tmp_path)) as again:
        assert again.recovery.last_seq == venue.engine.last_seq
        after = await trades_in(again, len(before) + 20)
        assert before.keys() <= after.keys()
        assert again.engine.turnover_fen(year) > turnover_fen


@pytest.mark.anyio
async def test_they_wait_out_a_halt(tmp_path: Path) -> None:
    async with open_venue(settings(tmp_path)) as venue:
        await trades_in(venue, 20)
        async with RexClient(venue.url, venue.keys["operator"].key) as operator:
            await operator.halt()
            halted = await operator.turnover(venue.engine.trading_date // 10_000)
            await operator.resume()
        more = asyncio.create_task(trades_in(venue, 50))
        assert max(int(trade["seq"]) for trade in (await more).values()) > halted["seq"]
