from __future__ import annotations

import asyncio
import math

import pytest

from matching_engine.records import Event
from services.commands import administrative as admin
from services.gateway.order_entry import request_tracker
from services.gateway.order_entry.idempotency import REQUEST_KEY, RequestKey
from services.gateway.order_entry.order_entry import OrderEntry
from services.gateway.problems import ProblemError
from services.market_data import Market
from services.messaging import Submission
from services.messaging.link.window import LinkWindow
from services.venue_state.state import VenueState
from tests.unit.gateway.order_entry.test_order_entry import OPERATOR, NoPast
from tests.unit.read_model.history import History, opening

pytestmark = pytest.mark.anyio


class LinkedGateway:
    """Order entry before the window of a link; what is sent arrives nowhere until the test says so."""

    def __init__(self) -> None:
        self.venue, self.state, self.window = History(), VenueState(), LinkWindow(100)
        self.sent: list[Submission] = []
        self.state.apply(self.venue.batch(opening()))
        self.entry = OrderEntry(self.state, self, NoPast(self.state), Market())  # type: ignore[arg-type]
        self.cash_fen = self.state.accounts[2].cash_fen
        self.amount_fen = 100

    async def put(self, submission: Submission) -> None:
        self.window.add(submission, sent=True, now_s=0.0)
        self.sent.append(submission)

    def withdraw(self, request_id: int) -> bool:
        return self.window.withdraw(request_id)

    async def deposit(self, digest: str = "d") -> Event:
        REQUEST_KEY.set(RequestKey("key", digest, OPERATOR.key_id))
        return await self.entry.execute(OPERATOR, lambda sender: admin.change_cash(sender, 2, self.amount_fen))

    async def begin(self, digest: str = "d") -> asyncio.Task[Event]:
        asking = asyncio.create_task(self.deposit(digest))
        await asyncio.sleep(0)
        return asking

    def execute(self) -> None:
        batch = self.venue.batch(self.sent)
        self.window.answer(batch)
        self.state.apply(batch)
        self.entry.pending.resolve(batch)
        self.sent.clear()


async def code_of(asking: asyncio.Task[Event]) -> str:
    with pytest.raises(ProblemError) as refused:
        await asking
    return refused.value.code


async def unknown(gateway: LinkedGateway) -> None:
    """A request that has no reply in time, and may still be carried out."""
    first = await gateway.begin()
    gateway.entry.pending.give_up(math.inf)
    assert await code_of(first) == "outcome_unknown"
    assert await code_of(await gateway.begin()) == "outcome_unknown"
    assert len(gateway.sent) == 1


async def test_a_request_of_unknown_outcome_is_carried_out_by_a_retry_once_it_is_proven_not_to_be_executed() -> None:
    gateway = LinkedGateway()
    await unknown(gateway)
    gateway.sent.clear()
    gateway.window.not_taken(0)  # The leader died with it.
    again = await gateway.begin()
    assert len(gateway.sent) == 1
    gateway.execute()
    assert (await again).seq == gateway.state.last_seq - 1
    assert gateway.state.accounts[2].cash_fen == gateway.cash_fen + 100


async def test_a_request_of_unknown_outcome_that_is_carried_out_late_answers_its_retries() -> None:
    gateway = LinkedGateway()
    await unknown(gateway)
    gateway.execute()
    gateway.window.not_taken(0)
    assert (await gateway.deposit()).seq == gateway.state.last_seq - 1
    assert (gateway.sent, gateway.state.accounts[2].cash_fen) == ([], gateway.cash_fen + 100)


async def test_a_request_of_unknown_outcome_that_is_refused_late_may_be_sent_again() -> None:
    gateway = LinkedGateway()
    gateway.amount_fen = -(10**15)
    await unknown(gateway)
    gateway.execute()
    gateway.amount_fen = -100
    again = await gateway.begin()
    assert len(gateway.sent) == 1
    gateway.execute()
    assert (await again).seq == gateway.state.last_seq - 1
    assert gateway.state.accounts[2].cash_fen == gateway.cash_fen - 100


async def test_of_more_requests_than_are_remembered_an_old_one_stays_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_tracker, "MAX_GIVEN_UP", 1)
    gateway = LinkedGateway()
    await unknown(gateway)
    other = asyncio.create_task(gateway.entry.execute(OPERATOR, lambda sender: admin.change_cash(sender, 2, 1)))
    await asyncio.sleep(0)
    gateway.entry.pending.give_up(math.inf)
    assert await code_of(other) == "outcome_unknown"
    gateway.window.not_taken(0)
    assert await code_of(await gateway.begin()) == "outcome_unknown"


async def test_after_the_proof_the_key_is_free_for_another_request() -> None:
    gateway = LinkedGateway()
    await unknown(gateway)
    assert await code_of(await gateway.begin("other")) == "idempotency_key_reused"
    gateway.window.not_taken(0)
    again = await gateway.begin("other")
    assert not again.done()
    again.cancel()
