"""The simulated traders against a whole venue: they trade like other members, in every instrument, within their means."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from rex_client import RexClient

from services.simulator import demo_accounts
from services.venue.bootstrap import Venue, open_venue
from services.venue.settings import Settings
from tests.e2e.clock import from_ten_o_clock
from tests.integration.test_client_methods import SCANDIUM, SIGNED
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.rig

NAMES = [account.name for account in demo_accounts() if account.role != "desk"]


def settings(folder: Path, rate: float = 400) -> Settings:
    """Of traders that trade often."""
    return Settings(data_dir=folder, port=0, schedule="always", demo=True, demo_rate=rate, demo_pace=3_000)


async def trades_in(venue: Venue, count: int) -> dict[str, dict[str, str]]:
    """Waits for `count` trades; returns them by id."""
    seen: dict[str, dict[str, str]] = {}
    async with RexClient(venue.url, venue.keys["pages"].key) as client:
        async for push in client.subscribe(["trades"], ["*"]):
            seen |= {trade["trade_id"]: trade for trade in push["data"]["trades"]}
            if len(seen) >= count:
                break
    return seen


@pytest.mark.anyio
async def test_a_second_start_carries_on_with_the_same_books(tmp_path: Path) -> None:
    clock = from_ten_o_clock()  # The trades of a day are told: it must not end meanwhile.
    async with open_venue(settings(tmp_path), clock=clock) as venue:
        before = await trades_in(venue, 50)
        year = venue.engine.trading_date // 10_000
    turnover_fen = venue.engine.turnover_fen(year)
    async with open_venue(settings(tmp_path), clock=clock) as again:
        assert again.recovery.last_seq == venue.engine.last_seq
        after = await trades_in(again, len(before) + 20)
        assert before.keys() <= after.keys()
        assert again.engine.turnover_fen(year) > turnover_fen


@pytest.fixture(scope="module")
async def market(tmp_path_factory: pytest.TempPathFactory, anyio_backend: str) -> AsyncIterator[Venue]:
    """A venue for the tests after this one: it trades on from test to test."""
    async with open_venue(settings(tmp_path_factory.mktemp("market")), clock=from_ten_o_clock()) as venue:
        yield venue


@pytest.mark.anyio
async def test_they_quote_both_sides_everywhere_and_trade_both_ways(market: Venue) -> None:
    async with RexClient(market.url, market.keys["pages"].key) as client:
        quoted: set[str] = set()
        async for push in client.subscribe(["ticker"], ["*"]):
            if push["data"]["best_bid"] and push["data"]["best_ask"]:
                quoted.add(push["symbol"])
            if len(quoted) == 32:
                break
    trades = await trades_in(market, 100)
    assert {trade["taker_side"] for trade in trades.values()} == {"buy", "sell"}
    assert len({trade["symbol"] for trade in trades.values()}) > 5


@pytest.mark.anyio
async def test_each_of_them_trades_for_itself_and_the_venue_has_little_to_refuse(market: Venue) -> None:
    await trades_in(market, 200)
    states: list[str] = []
    for name in NAMES:
        async with RexClient(market.url, market.keys[name].key) as trader:
            orders = (await trader.orders(limit=100))["orders"]
            assert orders, name
            states += [order["state"] for order in orders]
            account = await trader.account()
            assert not account["available"].startswith("-")
            assert all(holding["available"] >= 0 for holding in account["holdings"])
    assert states.count("rejected") * 50 < len(states)
    assert {"new", "filled", "canceled"} <= set(states)


@pytest.mark.anyio
async def test_they_wait_out_a_halt(market: Venue) -> None:
    await trades_in(market, 20)
    async with RexClient(market.url, market.keys["operator"].key) as operator:
        await operator.halt()
        halted = await operator.turnover(market.engine.trading_date // 10_000)
        await operator.resume()
        async with asyncio.timeout(PATIENCE_S):
            async for push in operator.subscribe(["trades"], ["*"]):
                if any(int(trade["seq"]) > halted["seq"] for trade in push["data"]["trades"]):
                    break


@pytest.mark.anyio
async def test_they_quote_what_is_listed_meanwhile_and_go_on_when_it_is_delisted(market: Venue) -> None:
    symbol = str(SCANDIUM["symbol"])
    async with RexClient(market.url, market.keys["operator"].key) as operator:
        await operator.list_instrument(SCANDIUM, **SIGNED)
        async with asyncio.timeout(PATIENCE_S):
            async for push in operator.subscribe(["ticker"], [symbol]):
                if push["data"]["best_bid"]:
                    break
        await operator.delist_instrument(symbol, **SIGNED)
    await trades_in(market, 50)


async def all_orders(client: RexClient) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor = None
    while True:
        page = await client.orders(limit=500, cursor=cursor)
        found += page["orders"]
        cursor = page["next_cursor"]
        if cursor is None:
            return found


@pytest.mark.anyio
async def test_a_visitor_sees_every_kind_of_order(market: Venue) -> None:
    await trades_in(market, 400)
    async with RexClient(market.url, market.keys["operator"].key) as operator:
        orders = await all_orders(operator)
    assert {"limit", "market", "stop", "stop_limit"} == {order["order_type"] for order in orders}
    assert {"day", "gtc", "gtd", "ioc", "fok"} == {order["time_in_force"] for order in orders}
    assert any(order["post_only"] for order in orders)
    assert any(order["display_quantity"] for order in orders)
    amended = [order for order in orders if order["state"] == "new" and order["updated_at"] > order["created_at"]]
    assert amended
    assert all(order["expire_time"] > order["created_at"] for order in orders if order["time_in_force"] == "gtd")


@pytest.mark.anyio
async def test_they_take_part_in_a_call_auction(market: Venue) -> None:
    """What would trade when it is seen may be canceled before the auction ends: then there is another auction."""
    symbol, found = "NDFEB-N42", list[dict[str, Any]]()
    await trades_in(market, 50)
    async with RexClient(market.url, market.keys["operator"].key) as operator:
        async with asyncio.timeout(PATIENCE_S):
            while not found:
                await operator.set_phase(symbol, "call_auction")
                async for push in operator.subscribe(["ticker"], [symbol]):
                    if push["data"]["indicative_volume"]:
                        break
                collected = (await operator.set_phase(symbol, "continuous"))["seq"]
                found = [trade for trade in await operator.trades(symbol) if trade["seq"] == collected]
        assert {(trade["auction"], trade["taker_side"]) for trade in found} == {(True, None)}
        assert len({trade["price"] for trade in found}) == 1
