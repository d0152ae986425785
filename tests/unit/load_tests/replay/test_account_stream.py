from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from rex_client import OutcomeUnknown, RexError, Unreachable

from load_tests.flows.flow_message import FlowMessage
from load_tests.replay.account_stream import AccountStream, OnReply, order_body

pytestmark = pytest.mark.anyio

Json = dict[str, Any]


def new(client_order_id: str) -> FlowMessage:
    return FlowMessage(0, "new", "PRND-OX", "buy", "limit", "day", "473000.00", 1, client_order_id)


def cancel(client_order_id: str) -> FlowMessage:
    return new(client_order_id)._replace(action="cancel")


def amend(client_order_id: str, quantity: int = 2) -> FlowMessage:
    return new(client_order_id)._replace(action="amend", quantity=quantity)


def accepted(client_order_id: str) -> Json:
    return {"client_order_id": client_order_id, "order_id": f"id of {client_order_id}"}


def problem(status: int, code: str) -> RexError:
    return RexError({"status": status, "code": code})


class Wire:
    """A connection whose replies the test gives."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.replies: list[asyncio.Future[Json]] = []
        self.is_up = True
        self.sending = asyncio.Event()

    async def submit_order(self, order: Json) -> asyncio.Future[Json]:
        return self._send(f"new {order['client_order_id']}")

    async def submit_amend(self, changes: Json) -> asyncio.Future[Json]:
        assert changes["price"] == "473000.00"
        return self._send(f"amend {changes['client_order_id']}")

    async def submit_cancel(self, *, client_order_id: str) -> asyncio.Future[Json]:
        return self._send(f"cancel {client_order_id}")

    def _send(self, text: str) -> asyncio.Future[Json]:
        if not self.is_up:
            raise Unreachable("down")
        self.sent.append(text)
        self.replies.append(asyncio.get_running_loop().create_future())
        self.sending.set()
        return self.replies[-1]

    async def until(self, sent: int) -> None:
        """Waits until `sent` messages have been sent."""
        while len(self.sent) < sent:
            self.sending.clear()
            await self.sending.wait()

    def accept(self, *numbers: int) -> None:
        for number in numbers:
            self.replies[number].set_result(accepted(self.sent[number].split()[1]))

    def lose_connection(self) -> None:
        for reply in self.replies:
            if not reply.done():
                reply.set_exception(OutcomeUnknown("lost"))


@asynccontextmanager
async def stream_over(
    wire: Wire, window: int = 8, on_reply: OnReply = lambda _message, _seconds, _error: None
) -> AsyncIterator[AccountStream]:
    stream = AccountStream(wire, window, on_reply)
    running = asyncio.create_task(stream.run())
    try:
        yield stream
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


async def run_ready_tasks() -> None:
    """Runs every task that can run."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_messages_leave_in_order_without_waiting_for_replies() -> None:
    wire = Wire()
    async with stream_over(wire) as stream:
        for message in (new("a"), new("b"), cancel("a")):
            await stream.send(message)
        await wire.until(3)
        assert wire.sent == ["new a", "new b", "cancel a"]
        wire.accept(0, 1, 2)
        await stream.answered()
        assert stream.replies.acknowledged == {"a": "id of a", "b": "id of b"}
        assert stream.replies.canceled == 1


async def test_a_full_window_holds_the_next_message_back() -> None:
    wire = Wire()
    async with stream_over(wire, window=2) as stream:
        await stream.send(new("a"))
        await stream.send(new("b"))
        third = asyncio.create_task(stream.send(new("c")))
        await run_ready_tasks()
        assert wire.sent == ["new a", "new b"]
        wire.accept(1)
        await wire.until(3)
        await third
        assert wire.sent == ["new a", "new b", "new c"]


async def test_what_a_lost_connection_left_unanswered_is_sent_again_in_order() -> None:
    wire = Wire()
    async with stream_over(wire) as stream:
        for message in (new("a"), new("b"), cancel("b")):
            await stream.send(message)
        await wire.until(3)
        wire.accept(0)
        wire.is_up = False
        wire.lose_connection()
        await stream.send(new("c"))
        await run_ready_tasks()
        assert len(wire.sent) == 3
        wire.is_up = True
        await wire.until(6)
        assert wire.sent[3:] == ["new b", "cancel b", "new c"]
        wire.accept(3, 5)
        wire.replies[4].set_exception(problem(409, "order_not_open"))
        await stream.answered()
        assert stream.replies.retried == {"b"}
        assert stream.replies.too_late == 1
        assert stream.replies.unexpected == []


async def test_an_order_the_venue_was_too_busy_for_is_sent_again() -> None:
    wire = Wire()
    async with stream_over(wire) as stream:
        await stream.send(new("a"))
        await stream.send(cancel("a"))
        await wire.until(2)
        wire.replies[0].set_exception(problem(503, "inbox_full"))
        wire.replies[1].set_exception(problem(404, "unknown_order"))
        await wire.until(3)
        wire.accept(2)
        await stream.answered()
        assert wire.sent == ["new a", "cancel a", "new a"]
        assert stream.replies.unexpected == []
        assert stream.replies.acknowledged == {"a": "id of a"}


async def test_a_refused_order_is_remembered_with_its_code_and_its_cancel_finds_nothing() -> None:
    wire = Wire()
    async with stream_over(wire) as stream:
        await stream.send(new("a"))
        await stream.send(cancel("a"))
        await wire.until(2)
        wire.replies[0].set_exception(problem(422, "invalid_price"))
        wire.replies[1].set_exception(problem(404, "unknown_order"))
        await stream.answered()
        assert stream.replies.refused == {"a": "invalid_price"}
        assert stream.replies.unexpected == []


async def test_amends_leave_what_the_last_one_carried_out_says() -> None:
    wire = Wire()
    async with stream_over(wire) as stream:
        for message in (new("a"), amend("a", 2), amend("a", 3), amend("a", 9), new("b"), amend("b", 1)):
            await stream.send(message)
        await wire.until(6)
        wire.accept(0, 4)
        as_amended = {"price": "473000.00", "state": "new"}
        wire.replies[1].set_result(accepted("a") | as_amended | {"quantity": 2})
        wire.replies[2].set_result(accepted("a") | as_amended | {"quantity": 3})
        wire.replies[3].set_exception(problem(409, "price_above_band"))
        wire.replies[5].set_result(accepted("b") | as_amended | {"quantity": 4, "state": "canceled"})
        await stream.answered()
        assert stream.replies.amended == {"a": ("473000.00", 3), "b": ("473000.00", 4)}
        assert (stream.replies.declined, stream.replies.unexpected) == (1, [])


async def test_an_amend_answered_with_other_terms_is_odd() -> None:
    wire = Wire()
    async with stream_over(wire) as stream:
        await stream.send(amend("a", 2))
        await wire.until(1)
        wire.replies[0].set_result(accepted("a") | {"price": "473000.00", "state": "new", "quantity": 1})
        await stream.answered()
        assert len(stream.replies.unexpected) == 1


async def test_an_amend_sent_again_that_is_refused_may_have_been_carried_out_the_first_time() -> None:
    wire = Wire()
    async with stream_over(wire) as stream:
        for message in (new("a"), amend("a", 2), amend("a", 3)):
            await stream.send(message)
        await wire.until(3)
        wire.accept(0)
        wire.replies[1].set_result(accepted("a") | {"price": "473000.00", "state": "new", "quantity": 2})
        wire.lose_connection()
        await wire.until(4)
        assert wire.sent[3:] == ["amend a"]
        wire.replies[3].set_exception(problem(409, "order_not_open"))
        await stream.answered()
        assert (stream.replies.amended, stream.replies.declined, stream.replies.unexpected) == ({}, 1, [])


@pytest.mark.parametrize("code", ["unknown_order", "insufficient_funds", "validation_failed", "account_kill_switch"])
async def test_an_amend_refused_for_a_reason_that_no_flow_gives_is_odd(code: str) -> None:
    wire = Wire()
    async with stream_over(wire) as stream:
        await stream.send(new("a"))
        await stream.send(amend("a", 2))
        await wire.until(2)
        wire.accept(0)
        wire.replies[1].set_exception(problem(409, code))
        await stream.answered()
        assert (stream.replies.declined, stream.replies.unexpected) == (0, [f"amend a: {code}"])


@pytest.mark.parametrize("code", ["unknown_order", "forbidden"])
async def test_a_cancel_refused_for_another_reason_is_odd(code: str) -> None:
    wire = Wire()
    async with stream_over(wire) as stream:
        await stream.send(new("a"))
        await stream.send(cancel("a"))
        await wire.until(2)
        wire.accept(0)
        wire.replies[1].set_exception(problem(404, code))
        await stream.answered()
        assert stream.replies.unexpected == [f"cancel a: {code}"]


async def test_a_reply_about_another_order_is_odd() -> None:
    wire = Wire()
    async with stream_over(wire) as stream:
        await stream.send(new("a"))
        await wire.until(1)
        wire.replies[0].set_result(accepted("z"))
        await stream.answered()
        assert "a" not in stream.replies.acknowledged
        assert len(stream.replies.unexpected) == 1


async def test_latency_counts_from_when_the_message_was_due() -> None:
    wire = Wire()
    seconds: list[float] = []
    async with stream_over(wire, on_reply=lambda _message, passed, _error: seconds.append(passed)) as stream:
        await stream.send(new("a"), due=asyncio.get_running_loop().time() - 100)
        await wire.until(1)
        wire.accept(0)
        await stream.answered()
    assert 100 <= seconds[0] < 200


async def test_a_venue_that_stays_away_ends_the_replay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("load_tests.replay.account_stream.RECONNECT_TIMEOUT_S", 0.0)
    wire = Wire()
    wire.is_up = False
    stream = AccountStream(wire, 1, lambda _message, _seconds, _error: None)
    await stream.send(new("a"))
    with pytest.raises(Unreachable):
        await stream.run()


def test_the_body_is_what_the_api_takes() -> None:
    body = {"symbol": "PRND-OX", "side": "buy", "quantity": 1, "client_order_id": "a"}
    limit = {**body, "order_type": "limit", "time_in_force": "day", "price": "473000.00"}
    assert order_body(new("a")) == limit
    market = new("a")._replace(order_type="market", time_in_force="ioc", price="")
    assert order_body(market) == {**body, "order_type": "market", "time_in_force": "ioc"}
