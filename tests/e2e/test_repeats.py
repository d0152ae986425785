"""What one gateway does, the other one knows: an administrative request that is sent to both at once, with one idempotency key,
is carried out once; what one lists, changes and delists, the other one trades. Also under the next leader."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable, Iterator
from decimal import Decimal
from typing import Any

import httpx
import pytest
from rex_client import RexClient

from load_tests.servers.postgres import PostgresServer
from tests.faults.scaled_venue import ScaledVenue, scaled_venue
from tests.faults.traders import open_traders
from tests.integration.postgres_journal import until
from tests.integration.test_client_methods import SCANDIUM, SIGNED
from tests.patience import AsyncHttpClient

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

DEPOSITS = 40
SYMBOL = str(SCANDIUM["symbol"])


@pytest.fixture(scope="module")
def running(shared_postgres: PostgresServer) -> Iterator[ScaledVenue]:
    with scaled_venue(shared_postgres.create_database("rex_repeats")) as venue:
        yield venue


@pytest.fixture
def venue(running: ScaledVenue) -> ScaledVenue:
    """With both sequencers: a test kills the one that leads."""
    running.start_missing()
    return running


async def test_deposits_sent_to_both_gateways_are_booked_once(venue: ScaledVenue) -> None:
    async with RexClient(venue.url, venue.operator_key) as operator:
        account = (await operator.open_account("a member"))["account"]
    path = f"/v1/admin/accounts/{account}/cash"
    headers = {"authorization": f"Bearer {venue.operator_key}"}
    async with AsyncHttpClient(headers=headers) as http:

        async def deposit(number: int) -> list[httpx.Response]:
            key = {"idempotency-key": f"deposit-{number}"}
            sent = [http.post(gateway + path, json={"amount": "1.00"}, headers=key) for gateway in venue.gateways()]
            return await asyncio.gather(*sent)

        answers = await asyncio.gather(*map(deposit, range(DEPOSITS)))
        assert {answer.status_code for each in answers for answer in each} == {200}
        assert all(one.json()["seq"] == other.json()["seq"] for one, other in answers)
        assert await _cash(http, venue, account) == DEPOSITS

        # The next leader finds them in the journal.
        venue.processes[venue.leader()].signal(signal.SIGKILL)
        again = await _until_answered(deposit, 0)
        assert {answer.json()["seq"] for answer in again} == {answers[0][0].json()["seq"]}
        too_much, key = {"amount": "-99.00"}, {"idempotency-key": "too-much"}
        refused = [await http.post(gateway + path, json=too_much, headers=key) for gateway in venue.gateways()]
        assert [answer.json()["code"] for answer in refused] == ["insufficient_funds"] * 2
        assert await _cash(http, venue, account) == DEPOSITS


async def _cash(http: AsyncHttpClient, venue: ScaledVenue, account: int) -> Decimal:
    answer = await http.get(f"{venue.url}/v1/account", params={"account": account})
    answer.raise_for_status()
    return Decimal(answer.json()["cash"])


async def _until_answered(
    deposit: Callable[[int], Awaitable[list[httpx.Response]]], number: int
) -> list[httpx.Response]:
    while True:
        answers = await deposit(number)
        if all(answer.status_code == 200 for answer in answers):
            return answers


async def seen(client: RexClient, **fields: Any) -> None:
    """Waits until a gateway shows the instrument with these fields."""
    wanted = {"symbol": SYMBOL, **fields}.items()
    await until(client.instruments, lambda shown: any(wanted <= one.items() for one in shown))


async def test_what_one_gateway_lists_changes_and_delists_is_so_at_the_other(venue: ScaledVenue) -> None:
    first, second = venue.gateways()
    buyer, _ = await open_traders(venue)
    order = {"symbol": SYMBOL, "side": "buy", "price": "6000.00", "quantity": 1, "time_in_force": "gtc"}
    async with (
        RexClient(first, venue.operator_key) as operator,
        RexClient(second, venue.operator_key) as other_operator,
        RexClient(second, buyer.key) as trader,
    ):
        await operator.list_instrument(SCANDIUM, **SIGNED)
        await seen(trader, upper_limit="6360.00")
        resting = await trader.place_order(order)
        assert resting["state"] == "new"
        await other_operator.change_instrument(SYMBOL, {"band_rate": "0.02"}, **SIGNED)
        await seen(operator, upper_limit="6120.00")
        await operator.delist_instrument(SYMBOL, **SIGNED)
        await seen(trader, phase="delisted")
        ended = await trader.order(resting["order_id"])
        assert (ended["state"], ended["reason"]) == ("canceled", "instrument_delisted")
        killed = venue.processes[venue.leader()]
        killed.signal(signal.SIGKILL)
        killed.ended()
        venue.leader()
        venue.wait_ready()
        refused = await trader.place_order(order)
        assert (refused["state"], refused["reason"]) == ("rejected", "no_longer_listed")
