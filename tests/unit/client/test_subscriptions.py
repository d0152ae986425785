"""A subscription that the venue could not take just now is sent again only while it is wanted, and once on each connection."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from rex_client import RexError, Subscription, subscriptions
from rex_client.subscriptions import Subscriptions

pytestmark = pytest.mark.anyio

LATER = RexError({"status": 429, "code": "rate_limited", "retry_after_ms": 0})


class Wire:
    """An open connection that holds back the first reply and answers everything else at once."""

    is_open = True

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.first_sent = asyncio.Event()
        self.first: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    async def open(self) -> None: ...

    async def send(self, method: str, params: Any) -> asyncio.Future[Any]:
        self.sent.append(method)
        if len(self.sent) == 1:
            self.first_sent.set()
            return self.first
        reply: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        reply.set_result({})
        return reply


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscriptions, "AGAIN_SECONDS", 0.0)


async def ended(all_of_them: Subscriptions) -> None:
    while all_of_them._tasks:
        await asyncio.wait(all_of_them._tasks)


def subscribed(all_of_them: Subscriptions) -> Subscription:
    subscription = Subscription(["orders"], None, all_of_them.remove)
    all_of_them.add(subscription)
    return subscription


async def test_after_its_end_it_is_not_sent_again() -> None:
    wire = Wire()
    all_of_them = Subscriptions(wire)
    subscription = subscribed(all_of_them)
    await wire.first_sent.wait()
    subscription.close()
    wire.first.set_exception(LATER)
    await ended(all_of_them)
    assert wire.sent == ["subscribe", "unsubscribe"]


async def test_a_new_connection_subscribes_once() -> None:
    wire = Wire()
    all_of_them = Subscriptions(wire)
    subscribed(all_of_them)
    await wire.first_sent.wait()
    all_of_them.begin()
    wire.first.set_exception(LATER)
    await ended(all_of_them)
    assert wire.sent == ["subscribe", "subscribe"]


async def test_while_it_is_wanted_it_is_sent_again() -> None:
    wire = Wire()
    all_of_them = Subscriptions(wire)
    subscribed(all_of_them)
    await wire.first_sent.wait()
    wire.first.set_exception(LATER)
    await ended(all_of_them)
    assert wire.sent == ["subscribe", "subscribe"]


async def test_a_channel_that_nobody_reads_any_more_is_not_resumed_again() -> None:
    wire = Wire()
    all_of_them = Subscriptions(wire)
    subscription = Subscription(["orders"], None, all_of_them.remove)
    subscription.positions["orders", None] = {"incarnation": "a", "seq": 7}
    wire.is_open = False
    all_of_them.add(subscription)
    wire.is_open = True
    all_of_them.begin()
    await wire.first_sent.wait()
    subscription.close()
    wire.first.set_exception(LATER)
    await ended(all_of_them)
    assert wire.sent == ["subscribe", "unsubscribe"]
