"""An act that needs two persons, over two gateways of the scaled mode: what two persons decide at once takes effect once."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from decimal import Decimal

import httpx
import pytest
from rex_client import Proposed, RexClient

from services.read_model import second_person
from tests.faults.scaled_venue import ScaledVenue, scaled_venue
from tests.patience import AsyncHttpClient

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

PROPOSALS = 20
PASSWORD = "a password of the test's own"


def people_confirm_from_their_first_day() -> None:
    """For a gateway's process: the venue is not a day old."""
    second_person.OTHERS_PASSWORD_NS = 0


@pytest.fixture
def venue(postgres_url: str) -> Iterator[ScaledVenue]:
    def two_persons(name: str) -> dict[str, str]:
        return {"REX_FOUR_EYES": "deposit"} if name.startswith("gateway") else {}

    mutants = {"gateway": people_confirm_from_their_first_day}
    with scaled_venue(postgres_url, sequencers=1, mutants=mutants, variables_of=two_persons) as running:
        yield running


@asynccontextmanager
async def logged_in(operator: RexClient, gateway: str, name: str) -> AsyncIterator[AsyncHttpClient]:
    """An administrator's browser at this gateway."""
    if name not in {user["name"] for user in (await operator.users())["users"]}:
        await operator.add_user(name, "admin", password=PASSWORD)
    async with AsyncHttpClient(base_url=gateway, headers={"origin": gateway}) as person:
        while (await person.post("/v1/session", json={"name": name, "password": PASSWORD})).status_code != 201:
            """The gateway has not read of the user yet."""
        yield person


async def test_decisions_at_both_gateways_at_once_take_effect_once(venue: ScaledVenue) -> None:
    first, second = venue.gateways()
    async with RexClient(first, venue.operator_key) as operator, AsyncExitStack() as opened:
        account = (await operator.open_account("a member"))["account"]
        ann, ben, ann_too = [
            await opened.enter_async_context(logged_in(operator, gateway, name))
            for name, gateway in (("ann", first), ("ben", second), ("ann", second))
        ]

        async def end(person: AsyncHttpClient, proposal: int, how: str) -> httpx.Response:
            body = None if how == "confirm" else {"reason": "no"}
            return await person.post(f"/v1/admin/proposals/{proposal}/{how}", json=body)

        found, booked = Counter[str](), 0
        for number in range(PROPOSALS):
            with pytest.raises(Proposed) as waiting:
                await operator.change_cash(account, "1.00")
            proposal = waiting.value.proposal
            other = "reject" if number % 4 == 3 else "confirm"
            decisions = [
                end(ann, proposal, "confirm"),
                end(ben, proposal, other),
                end(ann_too, proposal, "confirm"),
            ]
            answers = await asyncio.gather(*decisions)
            done = {(answer.json()["state"], answer.json()["seq"]) for answer in answers if answer.is_success}
            assert len(done) == 1, [answer.text for answer in answers]
            codes = {answer.json()["code"] for answer in answers if not answer.is_success}
            assert codes <= {"proposal_ended", "not_found"}, codes  # `second` may not have read the proposal yet
            [(state, _)] = done
            found[state] += 1
            booked += state == "confirmed"
        cash = (await operator.account(account))["cash"]
    assert Decimal(cash) == booked
    assert sum(found.values()) == PROPOSALS
    assert booked > 0
