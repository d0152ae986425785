"""An order in a scaled venue, from the gateway that takes it to the report of another: real processes on a real PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import asyncpg
import pytest
from rex_client import RexClient, RexError

from tests.faults.scaled_venue import ScaledVenue, answered_health, scaled_venue
from tests.faults.traders import SYMBOL, Trader, open_traders
from tests.integration.postgres_journal import until
from tests.patience import PATIENCE_S, AsyncHttpClient, WebSocketClient

pytestmark = [pytest.mark.anyio, pytest.mark.slow]


@pytest.fixture
def venue(postgres_url: str) -> Iterator[ScaledVenue]:
    with scaled_venue(postgres_url) as running:
        yield running


@pytest.mark.smoke
async def test_one_order_from_one_gateway_to_the_report_of_another(venue: ScaledVenue) -> None:
    first, second = venue.gateways()
    buyer, seller = await open_traders(venue)
    async with RexClient(first, buyer.key) as one, RexClient(second, seller.key) as other:
        async with _read_database_locked(venue.database_url):
            bid = await one.place_order(_order(buyer, price="160.00", quantity=5))
            await until(lambda: answered_health(venue.processes["projector 1"].url)["journal_lag_s"])
            assert answered_health(venue.processes["projector 1"].url)["journal_lag"] > 0
        offer = await other.place_order(_order(seller, price="160.00", quantity=5))
        assert (bid["state"], offer["state"]) == ("new", "filled")
        fills = await other.fills(limit=10, cursor=None)
        assert [fill["quantity"] for fill in fills["fills"]] == [5]
        assert (await one.order(bid["order_id"]))["state"] == "filled"
    await _revoked_at_one_gateway_closed_at_another(first, second, venue.operator_key)
    reporting = venue.start("reporting 1")
    async with RexClient(reporting.url, venue.operator_key) as operator:
        today = (await operator.venue())["trading_date"]
        report = await operator.turnover(int(today[:4]), at_least_seq=offer["seq"])
        assert (report["trades"], report["net"]) == (1, fills["fills"][0]["amount"])
    async with AsyncHttpClient(headers={"authorization": f"Bearer {venue.operator_key}"}) as http:
        for address in (first, reporting.url):
            route = f"{address}/v1/reports/turnover/{today[:4]}"
            assert (await http.get(route, params={"seq": report["seq"]})).json() == report
            assert (await http.get(route, params={"seq": bid["seq"]})).json()["trades"] == 0
            quality = (await http.get(f"{address}/v1/reports/quality/{today}")).json()
            traded = {one["symbol"]: one["trades"] for one in quality["products"] if one["trades"]}
            assert (traded, quality["seq"] >= offer["seq"]) == ({SYMBOL: 1}, True)
    await _drill(reporting.url, venue.operator_key, int(today[:4]), bid, report["net"])
    async with RexClient(reporting.url, buyer.key) as reader:
        with pytest.raises(RexError) as refused:
            await reader.place_order(_order(buyer, price="160.00", quantity=1))
    assert (refused.value.status, refused.value.code) == (503, "read_only")
    async with AsyncHttpClient() as http:
        for process in venue.processes.values():  # the standby and the read-only one, too, reach the end
            await until(partial(_at_the_end, process.url, offer["seq"]))
            assert "rex_journal_lag 0" in (await http.get(f"{process.url}/metrics")).text


async def _revoked_at_one_gateway_closed_at_another(first: str, second: str, operator_key: str) -> None:
    """The second gateway learns both from the journal: that the key is valid, and that it no longer is."""
    async with RexClient(first, operator_key) as operator:
        issued = await operator.issue_key("to be revoked", ["read"])
        headers = {"authorization": f"Bearer {issued['key']}"}
        async with AsyncHttpClient(base_url=second, headers=headers) as http:
            await until(partial(_is_fine, http))
        url = second.replace("http", "ws") + "/v1/ws"
        async with WebSocketClient(url, additional_headers=headers) as socket:
            await operator.revoke_key(issued["key_id"])
            async with asyncio.timeout(PATIENCE_S):
                await socket.wait_closed()
            assert (socket.close_code, socket.close_reason) == (4001, "the key was revoked")


async def _is_fine(http: AsyncHttpClient) -> bool:
    return (await http.get("/v1/venue")).status_code == 200


async def _drill(url: str, key: str, year: int, bid: dict[str, Any], net: str) -> None:
    """From the year's trades by their links to the row that holds the order."""
    async with AsyncHttpClient(base_url=url, headers={"authorization": f"Bearer {key}"}) as http:
        page = (await http.get("/v1/reports/trades", params={"year": year})).json()
        assert page["sum"]["net"] == net
        order = (await http.get(page["trades"][0]["links"]["buy_order"])).json()
        entered = (await http.get(order["links"]["journal"])).json()
        assert (order["order_id"], entered["command"]["kind"]) == (bid["order_id"], "NEW_ORDER")


def _at_the_end(url: str, seq: int) -> bool:
    facts = answered_health(url)
    lags = facts["journal_lag"] or facts["journal_lag_s"]
    return not lags and (facts["last_seq"] if "process" in facts else facts["seq"]) >= seq


@asynccontextmanager
async def _read_database_locked(url: str) -> AsyncIterator[None]:
    """The projector can read its position and write nothing."""
    connection = await asyncpg.connect(url)
    try:
        async with connection.transaction():
            await connection.execute("LOCK TABLE position IN EXCLUSIVE MODE")
            yield
    finally:
        await connection.close()


def _order(trader: Trader, *, price: str, quantity: int) -> dict[str, object]:
    return {"symbol": SYMBOL, "side": trader.side, "price": price, "quantity": quantity, "time_in_force": "gtc"}
