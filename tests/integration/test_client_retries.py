"""A patient client over a wire that loses replies, and against rate limits: it sends again what is safe, and nothing twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest
from rex_client import OutcomeUnknown, RexClient, RexError, Unreachable, pages, retries, subscriptions
from rex_client.rate_limit import RateLimit

from services.gateway.server.server import listen
from tests.faults.cutting_proxy import CuttingProxy
from tests.integration.served_venue import Served, served_venue, serving
from tests.integration.test_client_reconnect import ORDER, Severable
from tests.integration.venue import running_venue
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.anyio

LOST = 2
"""How many replies are lost."""


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retries, "FIRST_PAUSE_S", 0.01)
    monkeypatch.setattr(subscriptions, "AGAIN_SECONDS", 0.01)


@pytest.fixture(scope="module")
async def served(tmp_path_factory: pytest.TempPathFactory, anyio_backend: str) -> AsyncIterator[Served]:
    async with served_venue(tmp_path_factory.mktemp("served")) as running:
        yield running


@pytest.fixture
async def wire(served: Served) -> AsyncIterator[Severable]:
    through = await Severable.before(served)
    async with asyncio.timeout(PATIENCE_S):
        yield through
    through.close()


def behind(wire: Severable, served: Served, name: str, patience_s: float = PATIENCE_S) -> RexClient:
    return RexClient(wire.url, served.venue.keys[name].key, patience_s=patience_s)


async def placed(served: Served, client_order_id: str) -> list[dict[str, Any]]:
    """The orders with an id, read without the wire."""
    return (await (await served.client("alice")).orders(client_order_id=client_order_id))["orders"]  # type: ignore[no-any-return]


@pytest.mark.parametrize("over_socket", [True, False])
async def test_an_order_whose_replies_are_lost_is_placed_once_and_answered(
    served: Served, wire: Severable, over_socket: bool
) -> None:
    async with behind(wire, served, "alice") as client:
        if over_socket:
            await client.connect()
        name = f"placed-{over_socket}"
        wire.replies_to_drop = LOST
        order = await client.place_order({**ORDER, "client_order_id": name})
        assert wire.replies_to_drop == 0
        assert await placed(served, name) == [order]

        wire.replies_to_drop = LOST
        canceled = await client.cancel_order(client_order_id=name)
        assert wire.replies_to_drop == 0
        assert (canceled["state"], canceled["reason"]) == ("canceled", "requested")
        assert await placed(served, name) == [canceled]
        with pytest.raises(RexError) as refused:
            await client.cancel_order(order_id=order["order_id"])
        assert (refused.value.code, refused.value.after_unknown_outcome) == ("order_not_open", False)


@pytest.mark.parametrize("over_socket", [True, False])
async def test_what_a_repeat_could_do_twice_is_sent_once(served: Served, wire: Severable, over_socket: bool) -> None:
    async with behind(wire, served, "alice") as client:
        if over_socket:
            await client.connect()
        direct = await served.client("alice")
        before = (await direct.account())["open_orders"]
        for call in (client.place_order(ORDER), client.mixed_batch([{"place": ORDER}]), client.mass_cancel("ND-OX")):
            wire.replies_to_drop = 1
            with pytest.raises(OutcomeUnknown):
                await call
            await client.venue()  # Over the socket, the next call needs a connection again.
            if over_socket:
                await client.connect()
        assert (await direct.account())["open_orders"] == before + 2
        await direct.mass_cancel("*")


@pytest.mark.parametrize("over_socket", [True, False])
async def test_an_amend_whose_reply_is_lost_does_not_undo_the_next(
    served: Served, wire: Severable, over_socket: bool
) -> None:
    async with behind(wire, served, "alice") as client:
        order = await client.place_order(ORDER)
        if over_socket:
            await client.connect()
        wire.replies_to_drop = LOST
        with pytest.raises(OutcomeUnknown):
            await client.amend_order(order_id=order["order_id"], quantity=5)
        assert wire.replies_to_drop == LOST - 1, "it was sent once"
    assert (await (await served.client("alice")).order(order["order_id"]))["quantity"] == 5


async def test_a_batch_is_sent_again_if_each_of_its_orders_has_an_id(served: Served, wire: Severable) -> None:
    orders = [{**ORDER, "client_order_id": f"batch-{number}"} for number in range(2)]
    async with behind(wire, served, "alice") as client:
        wire.replies_to_drop = LOST
        results = await client.place_batch(orders)
        assert [result["order"] for result in results] == [
            order for name in ("batch-0", "batch-1") for order in await placed(served, name)
        ]
        wire.replies_to_drop = 1
        with pytest.raises(OutcomeUnknown):
            await client.place_batch([*orders, ORDER])


async def test_what_adds_up_is_sent_again_and_carried_out_once(served: Served, wire: Severable) -> None:
    bob, operator = await served.client("bob"), await served.client("operator")
    account = served.venue.keys["bob"].account
    before = await bob.account()
    async with behind(wire, served, "operator") as client:
        calls = (
            client.change_cash(account, "12.50", idempotency_key="deposit-6"),
            client.change_cash(account, "5.00"),
            client.change_inventory(account, "PRND-OX", 1),
            client.open_account("carol"),
            client.set_collar("PRND-OX", "0"),
        )
        for call in calls:
            wire.replies_to_drop = LOST
            assert (await call)["seq"]
            assert wire.replies_to_drop == 0
    after = await bob.account()
    assert Decimal(after["cash"]) == Decimal(before["cash"]) + Decimal("17.50")
    assert lots(after, "PRND-OX") == lots(before, "PRND-OX") + 1
    assert [one["name"] for one in (await operator.accounts())["accounts"]].count("carol") == 1
    for key, amount in (("deposit-6", "12.50"), ("deposit-7", "7.00"), ("deposit-7", "7.00")):
        await operator.change_cash(account, amount, idempotency_key=key)
    assert Decimal((await bob.account())["cash"]) == Decimal(after["cash"]) + Decimal("7.00")


async def test_a_key_is_issued_once_since_no_repeat_would_tell_it(served: Served, wire: Severable) -> None:
    async with behind(wire, served, "operator") as client:
        wire.replies_to_drop = LOST
        with pytest.raises(OutcomeUnknown):
            await client.issue_key("desk", ["read"], account=served.venue.keys["bob"].account)
        assert wire.replies_to_drop == LOST - 1


def lots(account: dict[str, Any], symbol: str) -> int:
    return sum(holding["quantity"] for holding in account["holdings"] if holding["symbol"] == symbol)


async def test_the_first_connection_of_subscriptions_is_tried_again(served: Served, wire: Severable) -> None:
    wire.replies_to_drop = LOST
    async with behind(wire, served, "alice") as client:
        both = [client.subscribe([channel]) for channel in ("orders", "fills")]
        assert [(await anext(pushes))["type"] for pushes in both] == ["snapshot", "snapshot"]
    assert wire.replies_to_drop == 0


async def test_without_patience_each_subscription_learns_that_there_is_no_connection(
    served: Served, wire: Severable
) -> None:
    wire.replies_to_drop = 1
    async with behind(wire, served, "alice", patience_s=0.0) as client:
        for pushes in [client.subscribe([channel]) for channel in ("orders", "fills")]:
            with pytest.raises(Unreachable):
                await anext(pushes)


async def test_a_closed_client_does_not_connect_any_more(served: Served, wire: Severable) -> None:
    wire.hold_replies()
    async with behind(wire, served, "alice") as client:
        pushes = client.subscribe(["orders"])
        await wire.reply_held.wait()
    with pytest.raises(StopAsyncIteration):
        await anext(pushes)
    await asyncio.sleep(0)
    assert client._socket.is_ended
    assert all(task.done() for task in client._socket.subscriptions._tasks)


async def test_cancel_on_disconnect_is_sent_again(served: Served, wire: Severable) -> None:
    async with behind(wire, served, "alice") as client:
        await client.connect()
        wire.replies_to_drop = LOST
        assert await client.cancel_on_disconnect(True) == {"enabled": True, "after_close": False}
        assert wire.replies_to_drop == 0
        assert await client.cancel_on_disconnect(False) == {"enabled": False, "after_close": False}


@pytest.mark.parametrize("over_socket", [True, False])
async def test_over_a_wire_that_cuts_at_random_each_order_is_placed_once(served: Served, over_socket: bool) -> None:
    direct, proxy = await served.client("bob"), CuttingProxy(served.url, Random(7))
    names = [f"cut-{over_socket}-{number}" for number in range(60)]

    async def lane(mine: list[str]) -> list[dict[str, Any]]:
        async with RexClient(proxy.url, served.venue.keys["bob"].key, patience_s=PATIENCE_S) as client:
            if over_socket:
                await client.connect()
            return [await client.place_order({**ORDER, "client_order_id": name}) for name in mine]

    async with asyncio.timeout(PATIENCE_S), proxy.running():
        answered = await asyncio.gather(*(lane(names[start::4]) for start in range(4)))
    orders = [order async for page in pages(direct.orders, "open") for order in page["orders"]]
    assert sum(proxy.fates.values()) > 8
    assert sorted(order["client_order_id"] for order in orders) == sorted(names)
    given = {order["client_order_id"]: order["order_id"] for lane in answered for order in lane}
    assert given == {order["client_order_id"]: order["order_id"] for order in orders}
    await direct.mass_cancel("*")


async def test_an_outcome_stays_unknown_when_the_patience_ends(
    served: Served, wire: Severable, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the clock of the client, all its patience passes with the second reply that is lost."""
    clock = SimpleNamespace(monotonic=lambda: 0.0 if wire.replies_to_drop > LOST else 2.0 * PATIENCE_S)
    monkeypatch.setattr(retries, "time", clock)
    async with behind(wire, served, "alice") as client:
        wire.replies_to_drop = 2 * LOST
        with pytest.raises(OutcomeUnknown):
            await client.place_order({**ORDER, "client_order_id": "unknown"})
    assert wire.replies_to_drop == LOST, "it was sent again, until the patience ended"
    assert len(await placed(served, "unknown")) == 1


async def limited_key(served: Served, **rates: dict[str, int]) -> str:
    operator = await served.client("operator")
    issued = await operator.issue_key("limited", ["read", "trade"], account=2, limits=rates)
    key: str = issued["key"]
    return key


@pytest.mark.parametrize("over_socket", [True, False])
async def test_a_rate_limit_is_waited_for(served: Served, over_socket: bool) -> None:
    key = await limited_key(served, orders={"per_s": 2, "burst": 1})
    async with RexClient(served.url, key, patience_s=PATIENCE_S) as client:
        if over_socket:
            await client.connect()
        orders = [await client.place_order(ORDER) for _ in range(3)]
        assert len({order["order_id"] for order in orders}) == 3
        assert client.rate_limits["orders"] == RateLimit(remaining=0, reset_s=1)
        assert set(client.rate_limits) <= {"orders", "reads"}


async def test_a_wait_that_the_patience_does_not_suffice_for_is_not_begun(tmp_path: Path) -> None:
    """The clock of the venue's limits stands still: no token comes back between the orders."""
    async with (
        running_venue(tmp_path, limit_clock=lambda: 10**15) as venue,
        serving(venue, listen("127.0.0.1", 0)) as served,
    ):
        key = await limited_key(served, orders={"per_s": 1, "burst": 1})
        async with RexClient(served.url, key, patience_s=0.05) as client:
            await client.place_order(ORDER)
            with pytest.raises(RexError) as refused:
                await client.place_order(ORDER)
            assert (refused.value.code, refused.value.after_unknown_outcome) == ("rate_limited", False)


async def test_a_reconnection_waits_for_a_rate_limit(served: Served, wire: Severable) -> None:
    key = await limited_key(served, reads={"per_s": 5, "burst": 1})
    async with RexClient(wire.url, key, patience_s=PATIENCE_S) as client:
        await client.connect()  # The handshake takes the only token.
        wire.sever()
        order = await client.place_order({**ORDER, "client_order_id": "reconnected"})
        assert await placed(served, "reconnected") == [order]
        assert (await client.ping())["seq"] >= order["seq"]


async def test_subscriptions_wait_for_a_rate_limit(served: Served) -> None:
    key = await limited_key(served, reads={"per_s": 20, "burst": 1})
    async with RexClient(served.url, key, patience_s=PATIENCE_S) as client, asyncio.timeout(PATIENCE_S):
        for channel in ("ticker", "top", "status"):
            async with client.subscribe([channel], ["*"]) as pushes:
                assert (await anext(pushes))["type"] == "snapshot"
