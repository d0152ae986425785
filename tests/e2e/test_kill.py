"""kill -9 under load: the restarted venue holds everything that the clients' own ledger has as acknowledged, and a deposit sent
again with its Idempotency-Key is one deposit."""

from __future__ import annotations

import asyncio
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from rex_client import OutcomeUnknown, RexClient, Unreachable

from tests.faults.venue_process import VenueProcess, rex, serve
from tests.patience import AsyncHttpClient

pytestmark = [pytest.mark.anyio, pytest.mark.smoke]

CASH = Decimal("900000000.00")
LOTS = 100_000
IN_FLIGHT = 32
KILL_AFTER = 300
"""The acknowledged orders of each side before the process is killed; the next ones are under way."""


def an_order(side: str, number: int) -> dict[str, Any]:
    """An order within three ticks of the other side's, so that most orders trade, some in parts, and some rest."""
    price = 160 + Decimal(number % 3) / 10
    quantity = 1 + number % 7
    return {
        "symbol": "NDFEB-N35",
        "side": side,
        "price": f"{price:.2f}",
        "quantity": quantity,
        "time_in_force": "gtc",
        "client_order_id": f"{side}-{number}",
    }


class Trader:
    """One account and the orders that the venue acknowledged to it."""

    def __init__(self, side: str, account: int, key: str) -> None:
        self.side, self.account, self.key = side, account, key
        self.acknowledged: dict[str, dict[str, Any]] = {}
        self.unknown: list[int] = []
        self.number = 0
        self.enough = asyncio.Event()

    async def trade(self, url: str) -> None:
        """Places orders, many concurrently, until the venue is gone."""
        async with RexClient(url, self.key) as client:
            await client.connect()
            async with asyncio.TaskGroup() as lanes:
                for _ in range(IN_FLIGHT):
                    lanes.create_task(self._lane(client))

    async def _lane(self, client: RexClient) -> None:
        while True:
            self.number += 1
            number = self.number
            try:
                order = await client.place_order(an_order(self.side, number))
            except (OutcomeUnknown, Unreachable):
                self.unknown.append(number)
                return
            self.acknowledged[order["client_order_id"]] = order
            if len(self.acknowledged) == KILL_AFTER:
                self.enough.set()


async def open_traders(venue: VenueProcess) -> list[Trader]:
    traders = []
    async with RexClient(venue.url, venue.operator_key) as operator:
        for side in ("buy", "sell"):
            account = (await operator.open_account(f"{side}er"))["account"]
            await operator.change_cash(account, str(CASH))
            await operator.change_inventory(account, "NDFEB-N35", LOTS)
            key = await operator.issue_key(side, ["read", "trade"], account=account)
            traders.append(Trader(side, account, key["key"]))
    return traders


async def all_pages(client: RexClient, kind: str) -> list[dict[str, Any]]:
    found, cursor = [], None
    while True:
        page = await (client.orders(state="all", cursor=cursor) if kind == "orders" else client.fills(cursor=cursor))
        found += page[kind]
        cursor = page["next_cursor"]
        if cursor is None:
            return found


async def retry(venue: VenueProcess, trader: Trader) -> None:
    """Sends the orders without a reply again: the same client_order_id gives the first order's state and never a second
    order."""
    async with RexClient(venue.url, trader.key) as client:
        before = {order["client_order_id"]: order["order_id"] for order in await all_pages(client, "orders")}
        for number in trader.unknown:
            order = await client.place_order(an_order(trader.side, number))
            assert order["order_id"] == before.get(order["client_order_id"], order["order_id"])


async def check_ledger(venue: VenueProcess, trader: Trader) -> Decimal:
    """Checks that every acknowledged order exists, once, filled at least as far, and that balances are funding plus fills.
    Returns the turnover."""
    async with RexClient(venue.url, trader.key) as client:
        placed = await all_pages(client, "orders")
        fills = await all_pages(client, "fills")
        account = await client.account()
    orders = {order["client_order_id"]: order for order in placed}
    assert len(orders) == len(placed), "no order was placed twice"
    for client_order_id, acknowledged in trader.acknowledged.items():
        order = orders[client_order_id]
        assert order["order_id"] == acknowledged["order_id"]
        assert order["cum_qty"] >= acknowledged["cum_qty"]
        assert order["cum_qty"] + order["leaves_qty"] == order["quantity"]
    for client_order_id, order in orders.items():
        filled = sum(fill["quantity"] for fill in fills if fill["client_order_id"] == client_order_id)
        assert filled == order["cum_qty"]
    amount = sum((Decimal(fill["amount"]) for fill in fills), Decimal())
    fees = sum((Decimal(fill["fee"]) for fill in fills), Decimal())
    lots = sum(fill["quantity"] for fill in fills)
    sign = 1 if trader.side == "sell" else -1
    assert Decimal(account["cash"]) == CASH + sign * amount - fees
    assert account["holdings"][0]["quantity"] == LOTS - sign * lots
    return amount


async def test_a_killed_venue_has_everything_it_acknowledged(tmp_path: Path) -> None:
    with serve(tmp_path) as venue:
        traders = await open_traders(venue)
        async with asyncio.TaskGroup() as load:
            for trader in traders:
                load.create_task(trader.trade(venue.url))
            for trader in traders:
                await trader.enough.wait()
            venue.process.kill()
    assert any(trader.unknown for trader in traders), "it was killed with orders under way"

    with serve(tmp_path) as venue:
        turnovers = [await check_ledger(venue, trader) for trader in traders]
        assert turnovers[0] == turnovers[1] > 0, "what was bought was sold, and something was"
        for trader in traders:
            await retry(venue, trader)
        for trader in traders:
            await check_ledger(venue, trader)
        assert venue.stop() == 0

    proof = rex("journal", "verify", "--data-dir", tmp_path, "--prove", "--json")
    assert (proof.exit_status, json.loads(proof.out)["good"]) == (0, True), proof.out + proof.err


DEPOSITS = 200
KILL_AFTER_DEPOSITS = 60


async def deposit(client: AsyncHttpClient, account: int, number: int) -> int | None:
    """Deposits one yuan under the key of this number; returns the command's seq, None where no reply came."""
    try:
        reply = await client.post(
            f"/v1/admin/accounts/{account}/cash", json={"amount": "1.00"}, headers={"idempotency-key": f"d-{number}"}
        )
    except httpx.HTTPError:
        return None
    return int(reply.json()["seq"]) if reply.status_code == 200 else None


def administrator(venue: VenueProcess) -> AsyncHttpClient:
    headers = {"authorization": f"Bearer {venue.operator_key}"}
    return AsyncHttpClient(base_url=venue.url, headers=headers)


async def test_a_deposit_sent_again_after_a_kill_is_one_deposit(tmp_path: Path) -> None:
    seqs: dict[int, int] = {}
    with serve(tmp_path) as venue:
        async with administrator(venue) as client, asyncio.TaskGroup() as lanes:
            account = (await client.post("/v1/admin/accounts", json={"name": "client"})).json()["account"]
            numbers = iter(range(DEPOSITS))

            async def lane() -> None:
                for number in numbers:
                    seq = await deposit(client, account, number)
                    if seq is None:
                        return
                    seqs[number] = seq
                    if len(seqs) == KILL_AFTER_DEPOSITS:
                        venue.process.kill()

            for _ in range(IN_FLIGHT):
                lanes.create_task(lane())
    assert KILL_AFTER_DEPOSITS <= len(seqs) < DEPOSITS

    with serve(tmp_path) as venue:
        async with administrator(venue) as client:
            again = {number: await deposit(client, account, number) for number in range(DEPOSITS)}
            assert {number: again[number] for number in seqs} == seqs
            assert len(set(again.values())) == DEPOSITS
            accounts = (await client.get("/v1/admin/accounts")).json()["accounts"]
    cash = next(one["cash"] for one in accounts if one["account"] == account)
    assert cash == f"{DEPOSITS}.00"
