"""The past over HTTP: candles, trades of any day, own orders and fills of a span of time, the ledger, deposits."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from services.gateway.http.candles import CandlesPage
from services.gateway.http.ledger import CashMovementsPage, LedgerPage
from services.gateway.http.market import TradesPage
from tests.integration.venue import START_NS, RunningVenue, running_venue
from tests.patience import AsyncHttpClient

pytestmark = pytest.mark.anyio

_MINUTE_NS = 60 * 10**9
PATH = "/v1/market/PRND-OX"


@pytest.fixture
async def venue(tmp_path: Path) -> AsyncIterator[RunningVenue]:
    """Alice sells to Bob: 2 lots at 473000 and 1 at 473100 in the first minute, 3 at 472900 three minutes later."""
    async with running_venue(tmp_path) as running:
        await trade(running, "473000", 2)
        await trade(running, "473100", 1)
        running.clock.now_ns = START_NS + 3 * _MINUTE_NS
        await trade(running, "472900", 3)
        yield running


async def trade(venue: RunningVenue, price: str, quantity: int) -> None:
    for name, side in (("alice", "sell"), ("bob", "buy")):
        body = {"symbol": "PRND-OX", "side": side, "price": price, "quantity": quantity}
        placed = (await venue.client(name).post("/v1/orders", json=body)).json()
    assert placed["state"] == "filled"


async def get(client: AsyncHttpClient, path: str) -> Any:
    reply = await client.get(path)
    assert reply.status_code == 200, reply.text
    return reply.json()


async def all_pages(client: AsyncHttpClient, path: str, name: str) -> list[Any]:
    found: list[Any] = []
    cursor = ""
    while cursor is not None:
        page = await get(client, f"{path}{cursor and f'&cursor={cursor}'}")
        found += page[name]
        cursor = page["next_cursor"]
    return found


async def test_candles_of_minutes_and_days(venue: RunningVenue) -> None:
    alice = venue.client("alice")
    page = await get(alice, f"{PATH}/candles")
    CandlesPage.model_validate(page)
    first, second = page["candles"]
    assert first == {
        "start": "2023-12-01T02:00:00.000000Z", "trading_date": None, "open": "473000.00", "high": "473100.00",
        "low": "473000.00", "close": "473100.00", "quantity": 3, "amount": "1419100.00", "trades": 2, "closed": True,
    }  # fmt: skip
    assert (second["start"], second["closed"]) == ("2023-12-01T02:03:00.000000Z", False)
    flat = (await get(alice, f"{PATH}/candles?gaps=flat&start=2023-12-01T01:00:00Z"))["candles"]
    assert [one["quantity"] for one in flat] == [3, 0, 0, 3]
    assert {flat[1][name] for name in ("open", "high", "low", "close")} == {"473100.00"}
    (day,) = (await get(alice, f"{PATH}/candles?interval=1d"))["candles"]
    assert (day["trading_date"], day["low"], day["quantity"], day["closed"]) == ("2023-12-01", "472900.00", 6, False)
    (hour,) = (await get(alice, f"{PATH}/candles?interval=1h"))["candles"]
    assert (hour["open"], hour["close"], hour["trades"]) == ("473000.00", "472900.00", 3)
    assert await all_pages(alice, f"{PATH}/candles?limit=1&start=2023-12-01T02:00:00Z", "candles") == [first, second]
    assert await all_pages(alice, f"{PATH}/candles?limit=1", "candles") == [second, first]
    assert (await get(alice, f"{PATH}/candles?end=2023-12-01T02:03:00Z"))["candles"] == [first]


async def test_a_bust_leaves_the_candle(venue: RunningVenue) -> None:
    alice, operator = venue.client("alice"), venue.client("operator")
    newest = (await get(alice, f"{PATH}/trades"))[0]
    reply = await operator.post(f"/v1/admin/trades/{newest['trade_id']}/bust", json={"reason": "a mistake"})
    assert reply.status_code < 300, reply.text
    assert len((await get(alice, f"{PATH}/candles"))["candles"]) == 1
    page = await get(alice, f"{PATH}/trades?date=2023-12-01")
    TradesPage.model_validate(page)
    assert [one["busted"] for one in page["trades"]] == [True, False, False]


async def test_trades_of_any_day(venue: RunningVenue) -> None:
    alice = venue.client("alice")
    recent = await get(alice, f"{PATH}/trades")
    assert await all_pages(alice, f"{PATH}/trades?date=2023-12-01&limit=2", "trades") == recent
    assert (await get(alice, f"{PATH}/trades?date=2023-11-30"))["trades"] == []
    assert (await get(alice, f"{PATH}/trades?start=2023-12-01T02:01:00Z"))["trades"] == recent[:1]
    assert (await get(alice, f"{PATH}/trades?end=2023-12-01T10:01:00%2B08:00"))["trades"] == recent[1:]
    assert await get(alice, f"/v1/market/trades/{recent[1]['trade_id']}") == recent[1]
    for trade_id in ("7", "x"):
        reply = await alice.get(f"/v1/market/trades/{trade_id}")
        assert (reply.status_code, reply.json()["code"]) == (404, "unknown_trade")


async def test_own_orders_and_fills_of_a_span(venue: RunningVenue) -> None:
    bob = venue.client("bob")
    orders, fills = (await get(bob, "/v1/orders"))["orders"], (await get(bob, "/v1/fills"))["fills"]
    assert len(orders) == len(fills) == 3
    for path, name, newest in (("/v1/orders", "orders", orders), ("/v1/fills", "fills", fills)):
        assert await all_pages(bob, f"{path}?order=oldest&limit=2", name) == newest[::-1]
        assert (await get(bob, f"{path}?start=2023-12-01T02:01:00Z"))[name] == newest[:1]
        assert (await get(bob, f"{path}?end=2023-12-01T02:01:00Z&order=oldest"))[name] == newest[:0:-1]
    assert (await get(bob, f"/v1/fills?order_id={orders[1]['order_id']}"))["fills"] == fills[1:2]
    foreign = await venue.client("alice").get(f"/v1/fills?order_id={orders[1]['order_id']}")
    assert (foreign.status_code, foreign.json()["code"]) == (404, "unknown_order")


async def test_the_ledger_ends_at_the_account(venue: RunningVenue) -> None:
    bob = venue.client("bob")
    body = {"symbol": "PRND-OX", "side": "buy", "price": "470000", "quantity": 1}
    resting = (await bob.post("/v1/orders", json=body)).json()
    await bob.patch(f"/v1/orders/{resting['order_id']}", json={"quantity": 2})
    await bob.delete(f"/v1/orders/{resting['order_id']}")
    page = await get(bob, "/v1/account/ledger")
    LedgerPage.model_validate(page)
    account, lines = await get(bob, "/v1/account"), page["lines"]
    assert [line["cause"] for line in lines[:5]] == ["release", "amend", "reserve", "trade", "reserve"]
    assert {line["cause"] for line in lines[9:]} == {"deposit", "receipt"}
    assert lines[0]["balance"]["cash"] == account["cash"]
    assert lines[0]["balance"]["reserved"] == account["reserved"] == "0.00"
    assert lines[3]["cash"] == "-1419409.35"
    assert (lines[3]["fee"], lines[3]["quantity"], lines[3]["balance"]["quantity"]) == ("709.35", 3, 1_006)
    assert sum(Decimal(line["cash"]) for line in lines) == Decimal(account["cash"])
    assert await all_pages(bob, "/v1/account/ledger?limit=2", "lines") == lines
    assert await all_pages(bob, "/v1/account/ledger?limit=3&order=oldest", "lines") == lines[::-1]
    late = [line for line in lines if line["time"] > "2023-12-01T02:01"]
    assert await all_pages(bob, "/v1/account/ledger?start=2023-12-01T02:01:00Z&order=oldest", "lines") == late[::-1]
    assert (await get(bob, "/v1/account/ledger?end=2023-12-01T02:01:00Z"))["lines"] == lines[len(late) :]
    operator = venue.client("operator")
    assert (await get(operator, "/v1/account/ledger?account=3"))["lines"] == lines
    fees = (await get(operator, "/v1/account/ledger?account=1"))["lines"]
    assert [line["cause"] for line in fees] == ["fee"] * 3
    assert fees[0]["balance"]["cash"] == (await get(operator, "/v1/account?account=1"))["cash"]


async def test_deposits_and_withdrawals(venue: RunningVenue) -> None:
    bob, operator = venue.client("bob"), venue.client("operator")
    await operator.post("/v1/admin/accounts/3/cash", json={"amount": "-12.34"})
    page = await get(bob, "/v1/account/cash_movements")
    CashMovementsPage.model_validate(page)
    assert [(one["cause"], one["amount"]) for one in page["cash_movements"]] == [
        ("withdrawal", "-12.34"), ("deposit", "1000000000.00"),
    ]  # fmt: skip
    oldest = await all_pages(bob, "/v1/account/cash_movements?limit=1&order=oldest", "cash_movements")
    assert oldest == page["cash_movements"][::-1]


REFUSED = [
    (f"{PATH}/candles?interval=2m", "interval"),
    (f"{PATH}/candles?limit=1001", "limit"),
    (f"{PATH}/candles?gaps=fill", "gaps"),
    (f"{PATH}/candles?start=2023-12-01", "start"),
    (f"{PATH}/candles?start=2023-02-30T00:00:00Z", "start"),
    (f"{PATH}/candles?cursor=EngineFault", "cursor"),  # a number, but of no second that the venue can name
    (f"{PATH}/candles?cursor=EngineFault&start=2023-12-01T02:00:00Z&gaps=flat", "cursor"),
    (f"{PATH}/candles?interval=1d&cursor=AAAAAAX14QA", "cursor"),  # 100,000,000 is after all days
    (f"{PATH}/trades?date=yesterday", "date"),
    (f"{PATH}/trades?date=0", "date"),
    (f"{PATH}/trades?date=1701388800", "date"),
    (f"{PATH}/trades?date=2023-12-01T00:00:00Z", "date"),
    (f"{PATH}/trades?date=20231201", "date"),
    (f"{PATH}/trades?cursor=x", "cursor"),
    ("/v1/orders?start=2023-12-01T02:00:00", "start"),
    ("/v1/orders?end=9999-12-01T02:00:00Z", "end"),
    ("/v1/orders?client_order_id=", "client_order_id"),
    ("/v1/fills?start=2023-12-01T02:00:00Z&end=2023-12-01T02:00:00Z", "end"),
    ("/v1/fills?order=best", "order"),
    ("/v1/account/ledger?cursor=AAAA", "cursor"),
    ("/v1/account/ledger?cursor=%2B", "cursor"),
    ("/v1/account/cash_movements?limit=501", "limit"),
]


async def test_a_refusal_names_the_field(refusing_venue: RunningVenue) -> None:
    bob = refusing_venue.client("bob")
    for query, field in REFUSED:
        reply = await bob.get(query)
        assert (reply.status_code, [error["field"] for error in reply.json()["errors"]]) == (422, [field]), query
    for path, sentence in (
        (f"{PATH}/trades?date=2026-02-30", "must be a day of the calendar, as 2023-12-01"),
        ("/v1/reports/bulletins/abc", "must be a trading day, as 2026-03-02, or a month, as 2026-03"),
    ):
        assert [error["message"] for error in (await bob.get(path)).json()["errors"]] == [sentence]


async def test_a_cursor_of_another_ledger_is_refused(refusing_venue: RunningVenue) -> None:
    cursor = (await get(refusing_venue.client("bob"), "/v1/account/ledger?limit=1"))["next_cursor"]
    for client, query in (("alice", ""), ("bob", "&order=oldest")):
        reply = await refusing_venue.client(client).get(f"/v1/account/ledger?cursor={cursor}{query}")
        assert (reply.status_code, reply.json()["code"]) == (422, "invalid_cursor")
