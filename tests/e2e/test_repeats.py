"""An administrative request that is sent to two gateways at once, with one idempotency key, is carried out once."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable, Iterator
from decimal import Decimal

import httpx
import pytest
from rex_client import RexClient

from tests.faults.scaled_venue import ScaledVenue, scaled_venue
from tests.patience import AsyncHttpClient

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

DEPOSITS = 40


@pytest.fixture
def venue(postgres_url: str) -> Iterator[ScaledVenue]:
    with scaled_venue(postgres_url) as running:
        yield running


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
