"""Cancels that the venue sends for a key: when its socket is lost, and when its dead-man timer runs out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection

from matching_engine.records import Event
from services.gateway.order_entry.cancel_all import CancelAll
from services.gateway.problems import ProblemError
from services.venue_state.keys import ApiKey
from services.venue_state.orders import VenueOrder
from tests.integration.served_venue import Served, served_venue
from tests.integration.test_websocket_orders import ask, limit, open_socket

pytestmark = pytest.mark.anyio

DESK = ApiKey(7, 2, "desk", frozenset({"trade"}))


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    async with served_venue(tmp_path) as running:
        yield running


async def place_and_ask(served: Served, socket: ClientConnection, **params: Any) -> asyncio.Future[VenueOrder]:
    """Places an order, asks for cancel_on_disconnect; returns a future with the order once it has ended."""
    ended: asyncio.Future[VenueOrder] = asyncio.get_running_loop().create_future()

    def listen(order: VenueOrder, _event: Event) -> None:
        if not order.leaves_lots and not ended.done():
            ended.set_result(order)

    placed = await ask(socket, {"method": "place_order", "params": limit("buy", "473000", 3), "req_id": 1})
    assert placed["result"]["state"] == "new"
    served.venue.state.order_listeners[2] = listen
    reply = await ask(socket, {"method": "cancel_on_disconnect", "params": params, "req_id": 2})
    assert reply["result"] == {"enabled": params["enabled"], "after_close": params.get("after_close", False)}
    return ended


async def test_a_lost_socket_cancels_the_account_s_orders_in_the_key_s_name(served: Served) -> None:
    socket = await open_socket(served)
    ended = await place_and_ask(served, socket, enabled=True)
    socket.transport.abort()
    order = await ended
    assert (order.state, order.reason) == ("canceled", 196)
    key = served.venue.state.find_key(served.venue.keys["alice"].key)
    assert key is not None
    batches = [batch async for batch in served.venue.journal.read(after_seq=order.updated_seq - 1)]
    command = batches[0].command_list[order.updated_seq - batches[0].first_seq]
    assert (command.actor, command.account) == (key.key_id, 2)


async def test_a_graceful_close_counts_only_where_it_was_chosen(served: Served) -> None:
    async with open_socket(served) as socket:
        ended = await place_and_ask(served, socket, enabled=True)
    alice = served.venue.client("alice")
    async with open_socket(served) as again:  # By its reply, the end of the first socket was seen.
        await ask(again, {"method": "ping", "req_id": 1})
        assert len((await alice.get("/v1/orders?state=open")).json()["orders"]) == 1
        assert not ended.done()
        ended = await place_and_ask(served, again, enabled=True, after_close=True)
    await ended
    await asyncio.gather(*served.venue.order_entry.cancel_all.tasks)
    assert (await alice.get("/v1/orders?state=open")).json()["orders"] == []


async def test_it_is_off_until_asked_for_and_may_be_taken_back(served: Served) -> None:
    async with open_socket(served) as socket:
        question = {"method": "cancel_on_disconnect", "params": {}, "req_id": 3}
        assert (await ask(socket, question))["result"] == {"enabled": False, "after_close": False}
        await place_and_ask(served, socket, enabled=True, after_close=True)
        assert (await ask(socket, question))["result"] == {"enabled": True, "after_close": True}
        await ask(socket, {**question, "params": {"enabled": False}})
    assert not served.venue.order_entry.cancel_all.tasks
    assert len(served.venue.state.orders.open) == 1


async def test_a_timer_is_armed_and_disarmed_over_rest_and_socket(served: Served) -> None:
    alice, timers = served.venue.client("alice"), served.venue.order_entry.cancel_all
    key = served.venue.state.find_key(served.venue.keys["alice"].key)
    assert key is not None
    armed = (await alice.put("/v1/orders/cancel_all_after", json={"seconds": 86_400})).json()
    assert (armed["seconds"], armed["cancels_at"][:10], timers.is_armed(key.key_id)) == (86_400, "2023-12-02", True)
    async with open_socket(served) as socket:
        off = await ask(socket, {"method": "cancel_all_after", "params": {"seconds": 0}, "req_id": 1})
        assert (off["result"], timers.is_armed(key.key_id)) == ({"seconds": 0, "cancels_at": None}, False)
    refused = await alice.put("/v1/orders/cancel_all_after", json={"seconds": 86_401})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "seconds")


class Timers:
    """The timers of an event loop, which the test lets run out."""

    def __init__(self) -> None:
        self.running: list[Timer] = []

    def call_later(self, seconds: float, call: Callable[[], None]) -> Timer:
        timer = Timer(self, seconds, call)
        self.running.append(timer)
        return timer


class Timer:
    def __init__(self, timers: Timers, seconds: float, call: Callable[[], None]) -> None:
        self.timers, self.seconds, self.call = timers, seconds, call

    def cancel(self) -> None:
        self.timers.running.remove(self)


async def test_only_the_last_timer_of_a_key_runs_out() -> None:
    timers, canceled = Timers(), list[int]()

    async def mass_cancel(key: ApiKey) -> Event:
        canceled.append(key.key_id)
        return Event(number=2)

    cancel_all = CancelAll(mass_cancel, timers.call_later)
    for seconds in (5, 60, 30):
        cancel_all.arm(DESK, seconds)
    assert [timer.seconds for timer in timers.running] == [30]
    timers.running[0].call()
    assert not cancel_all.is_armed(DESK.key_id)
    await asyncio.gather(*cancel_all.tasks)
    assert canceled == [DESK.key_id]
    cancel_all.arm(DESK, 5)
    cancel_all.arm(DESK, 0)
    assert timers.running == [timers.running[0]]


async def test_a_cancel_that_is_refused_for_now_is_sent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    answers: list[ProblemError | Event] = [
        ProblemError(503, "inbox_full", "full"), ProblemError(429, "too_many_requests", "many"), Event(number=1),
    ]  # fmt: skip
    monkeypatch.setattr("services.gateway.order_entry.cancel_all.FIRST_PAUSE_S", 0)

    async def mass_cancel(_key: ApiKey) -> Event:
        answer = answers.pop(0)
        if isinstance(answer, ProblemError):
            raise answer
        return answer

    await CancelAll(mass_cancel).now(DESK, "a test")
    assert answers == []
