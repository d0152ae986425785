"""kill -9 under load: the restarted venue holds everything that the clients' own ledger has as acknowledged, and a deposit sent
again with its Idempotency-Key is one deposit. Many kills: the rig `kill`."""

from __future__ import annotations

import asyncio
from collections import Counter
from decimal import Decimal
from pathlib import Path
from random import Random

import httpx
import pytest
from rex_client import RexClient

from tests.faults.folder import Folder
from tests.faults.rig import Report
from tests.faults.traders import CASH, LOTS, Trader, all_fills, all_orders, check_ledgers, open_traders
from tests.faults.venue_process import VenueProcess, serve
from tests.patience import AsyncHttpClient

pytestmark = [pytest.mark.anyio, pytest.mark.smoke]

IN_FLIGHT = 32
KILL_AFTER = 600
"""The acknowledged orders before the process is killed; the next ones are under way."""


async def turnover(venue: VenueProcess, trader: Trader) -> Decimal:
    """Checks that every order has its fills, and that balances are funding plus fills. Returns the turnover."""
    async with RexClient(venue.url, trader.key) as client:
        orders, fills = await all_orders(client), await all_fills(client)
        account = await client.account()
    filled = Counter[str]()
    for fill in fills:
        filled[fill["client_order_id"]] += fill["quantity"]
    for order in orders:
        assert order["cum_qty"] == filled[order["client_order_id"]] == order["quantity"] - order["leaves_qty"]
    amount = sum((Decimal(fill["amount"]) for fill in fills), Decimal())
    fees = sum((Decimal(fill["fee"]) for fill in fills), Decimal())
    sign = 1 if trader.side == "sell" else -1
    assert Decimal(account["cash"]) == Decimal(CASH) + sign * amount - fees
    assert account["holdings"][0]["quantity"] == LOTS - sign * filled.total()
    return amount


async def test_a_killed_venue_has_everything_it_acknowledged(tmp_path: Path) -> None:
    folder, report = Folder(tmp_path), Report("kill")
    folder.report, folder.random = report, Random(1)
    with serve(tmp_path) as venue:
        folder.traders = await open_traders(venue)
        await folder.load_until(venue, KILL_AFTER, venue.kill, fewest=KILL_AFTER)
    folder.owe_late_ones()
    assert any(trader.ledger.unanswered for trader in folder.traders), "it was killed with orders under way"
    await folder.prove("a kill")

    with serve(tmp_path) as venue:
        turnovers = [await turnover(venue, trader) for trader in folder.traders]
        assert turnovers[0] == turnovers[1] > 0, "what was bought was sold, and something was"
        await check_ledgers(venue.url, folder.traders, report)  # It also sends again what was not answered.
        await check_ledgers(venue.url, folder.traders, report)
        assert report.broken == []
        for trader in folder.traders:
            await turnover(venue, trader)
        assert venue.stop() == 0
    await folder.prove("an orderly stop")
    assert (report.broken, report.counts["acknowledged"] >= KILL_AFTER) == ([], True)


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
