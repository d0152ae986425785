"""Orders over a real WebSocket, through the whole venue, with our own client and without it."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from rex_client import RexError
from structlog.testing import capture_logs
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidStatus

from services.values.times import second_text
from tests.integration.served_venue import Served, served_venue
from tests.patience import PATIENCE_S, WebSocketClient

pytestmark = pytest.mark.anyio


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    async with served_venue(tmp_path) as running:
        yield running


def limit(side: str, price: str, quantity: int, **more: Any) -> dict[str, Any]:
    return {"symbol": "PRND-OX", "side": side, "price": price, "quantity": quantity, **more}


def open_socket(served: Served, name: str | None = "alice", **more: Any) -> WebSocketClient:
    headers = {"authorization": f"Bearer {served.venue.keys[name].key}"} if name else {}
    url = served.url.replace("http", "ws") + "/v1/ws"
    return WebSocketClient(url, additional_headers=headers, **more)


async def ask(socket: ClientConnection, message: Any) -> dict[str, Any]:
    await socket.send(message if isinstance(message, str | bytes) else json.dumps(message))
    reply: dict[str, Any] = json.loads(await socket.recv())
    return reply


async def test_an_order_over_the_socket_is_the_order_rest_shows(served: Served) -> None:
    alice = await served.client("alice")
    await alice.connect()
    placed = await alice.place_order(limit("buy", "473000", 3, client_order_id="a-1"))
    assert (placed["state"], placed["client_order_id"], placed["leaves_qty"]) == ("new", "a-1", 3)
    assert await alice.order(placed["order_id"]) == placed
    assert await alice.place_order(limit("buy", "473000", 3, client_order_id="a-1")) == placed, (
        "a repeat changes nothing"
    )
    canceled = await alice.cancel_order(client_order_id="a-1")
    assert (canceled["order_id"], canceled["state"]) == (placed["order_id"], "canceled")
    with pytest.raises(RexError) as refused:
        await alice.cancel_order(order_id=placed["order_id"])
    assert (refused.value.status, refused.value.code) == (409, "order_not_open")


async def test_each_problem_has_an_id_by_which_the_log_names_its_cause(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("secret detail")

    asked = [
        ("place_order", limit("buy", "0.001", 1), 422),
        ("place_order", limit("buy", "473000", 1), 500),
        ("test_order", limit("buy", "473000", 1), 500),
        ("unsubscribe", {"channels": ["fills"]}, 500),
        ("no_method", {}, 422),
    ]
    monkeypatch.setattr(served.venue.inbox, "put", broken)
    monkeypatch.setattr(served.venue.order_entry.tests, "test", broken)
    monkeypatch.setattr(served.venue.channels.private, "unsubscribe", broken)
    async with open_socket(served) as socket:
        with capture_logs() as lines:
            replies = [await ask(socket, {"method": method, "params": params}) for method, params, _ in asked]
            replies.append(await ask(socket, "no json"))
    errors = [reply["error"] for reply in replies]
    assert [error["status"] for error in errors] == [*(status for *_, status in asked), 400]
    assert len({error["request_id"] for error in errors} - {None}) == len(errors)
    logged = [line["request_id"] for line in lines if line["event"] == "unexpected error"]
    assert logged == [error["request_id"] for error in errors if error["status"] == 500]


async def test_pipelined_orders_are_answered_in_order_whatever_becomes_of_them(served: Served) -> None:
    bob = await served.client("bob")
    await bob.place_order(limit("sell", "473100", 2, client_order_id="s"))
    first = {"method": "place_order", "params": limit("buy", "473100", 1, client_order_id="same"), "req_id": 0}
    messages = [
        first,
        {**first, "req_id": "a repeat, which is looked up"},
        {**first, "params": limit("buy", "473100", 2, client_order_id="same"), "req_id": 2},
        {"method": "place_order", "params": limit("buy", "0.001", 1), "req_id": 3},
        {"method": "cancel_order", "params": {"client_order_id": "same"}, "req_id": 4},
        {"method": "place_order", "params": limit("buy", "473100", 900_000_000), "req_id": 5},
        {"method": "place_order", "params": limit("buy", "100", 1), "req_id": 6},
        {"method": "place_order", "params": {**limit("buy", "100", 1), "symbol": "GOLD"}, "req_id": 7},
        {"method": "cancel_order", "params": {"order_id": "999999"}, "req_id": 8},
        {"method": "place_order", "params": limit("buy", "473000", 1), "req_id": 9},
    ]
    async with open_socket(served) as socket:
        for message in messages:
            await socket.send(json.dumps(message))
        replies = [json.loads(await socket.recv()) for _ in messages]
    assert [reply["req_id"] for reply in replies] == [message["req_id"] for message in messages]
    outcomes = [
        (reply["result"]["state"], reply["result"]["reason"]) if "result" in reply else reply["error"]["code"]
        for reply in replies
    ]
    assert outcomes == [
        ("filled", None),
        ("filled", None),
        "client_order_id_reused",
        "price_off_tick",
        "order_not_open",
        "invalid_quantity",
        ("rejected", "price_below_band"),
        "unknown_symbol",
        "unknown_order",
        ("new", None),
    ]


async def test_an_order_is_amended_and_canceled_before_its_own_reply_has_come(served: Served) -> None:
    order = limit("buy", "473000", 5, client_order_id="mine")
    messages = [
        {"method": "place_order", "params": order, "req_id": 0},
        {"method": "amend_order", "params": {"client_order_id": "mine", "price": "473100", "quantity": 4}, "req_id": 1},
        {"method": "amend_order", "params": {"client_order_id": "mine", "stop_price": "473100"}, "req_id": 2},
        {"method": "amend_order", "params": {"client_order_id": "mine", "price": "0.001"}, "req_id": 3},
        {"method": "place_order", "params": limit("sell", "474000", 1), "req_id": 4},
        {"method": "mass_cancel", "params": {"symbol": "PRND-OX", "side": "buy"}, "req_id": 5},
        {"method": "amend_order", "params": {"client_order_id": "mine", "quantity": 3}, "req_id": 6},
        {"method": "amend_order", "params": {"order_id": "999999", "quantity": 3}, "req_id": 7},
        {"method": "mass_cancel", "params": {"symbol": "*"}, "req_id": 8},
        {"method": "mass_cancel", "params": {"symbol": "*", "account": 3}, "req_id": 9},
    ]
    async with open_socket(served) as socket:
        for message in messages:
            await socket.send(json.dumps(message))
        replies = [json.loads(await socket.recv()) for _ in messages]
    assert [reply["req_id"] for reply in replies] == list(range(10))
    placed, amended, rest, selling, ended = (replies[place]["result"] for place in (0, 1, 8, 4, 5))
    assert (amended["order_id"], amended["price"], amended["quantity"]) == (placed["order_id"], "473100.00", 4)
    assert (ended["canceled"], ended["side"], ended["account"], ended["symbol"]) == (1, "buy", 2, "PRND-OX")
    assert (selling["side"], rest["canceled"], rest["symbol"]) == ("sell", 1, "*")
    codes = [replies[place]["error"]["code"] for place in (2, 3, 6, 7, 9)]
    assert codes == ["invalid_trigger", "price_off_tick", "order_not_open", "unknown_order", "scope_missing"]


async def test_the_client_amends_and_cancels_over_either_way(served: Served) -> None:
    alice = await served.client("alice")
    for connects in (False, True):
        if connects:
            await alice.connect()
        order = await alice.place_order(limit("buy", "473000", 5, client_order_id=f"mine-{connects}"))
        amended = await alice.amend_order(order_id=order["order_id"], quantity=4, display_quantity=2)
        assert (amended["quantity"], amended["display_quantity"]) == (4, 2)
        amended = await alice.amend_order(client_order_id=f"mine-{connects}", price="473100.00")
        assert amended["price"] == "473100.00"
        with pytest.raises(RexError) as refused:
            await alice.amend_order(order_id=order["order_id"], price="600000.00")
        assert (refused.value.status, refused.value.code) == (409, "price_above_band")
        assert (await alice.mass_cancel("*", "sell"))["canceled"] == 0
        assert (await alice.mass_cancel("PRND-OX"))["canceled"] == 1
    reply = await alice.submit_amend({"order_id": order["order_id"], "quantity": 1})
    with pytest.raises(RexError) as ended:
        await reply
    assert ended.value.code == "order_not_open"


BAD_MESSAGES: list[tuple[Any, Any, int, str, str | None]] = [
    # message, req_id of the reply, status, code, field
    ("{", None, 400, "malformed_json", None),
    ('{"method": "ping", "params": ' + "[" * 50_000, None, 400, "malformed_json", None),
    (b"\xff\xfe", None, 400, "malformed_json", None),
    ("[1]", None, 422, "validation_failed", "message"),
    ({"req_id": 7}, 7, 422, "validation_failed", "method"),
    ({"method": 5, "req_id": 7}, 7, 422, "validation_failed", "method"),
    ({"method": "buy", "req_id": 7}, 7, 422, "validation_failed", "method"),
    ({"method": "ping", "req_id": 7, "id": 8}, 7, 422, "validation_failed", "id"),
    ({"method": "ping", "req_id": [7]}, None, 422, "validation_failed", "req_id"),
    ({"method": "ping", "req_id": "x" * 65}, None, 422, "validation_failed", "req_id"),
    ({"method": "ping", "params": {"a": 1}, "req_id": 7}, 7, 422, "validation_failed", "a"),
    ({"method": "place_order", "req_id": 7}, 7, 422, "validation_failed", "symbol"),
    ({"method": "place_order", "params": 5, "req_id": 7}, 7, 422, "validation_failed", "body"),
    ({"method": "place_order", "params": limit("buy", "473000", 0), "req_id": 7}, 7, 422, "invalid_quantity", "quantity"),
    ({"method": "place_order", "params": limit("up", "473000", 1), "req_id": 7}, 7, 422, "validation_failed", "side"),
    ({"method": "cancel_order", "params": {}, "req_id": 7}, 7, 422, "validation_failed", "order_id"),
    ({"method": "cancel_order", "params": {"order_id": "0"}, "req_id": 7}, 7, 422, "validation_failed", "order_id"),
    ({"method": "cancel_order", "params": {"order_id": 5}, "req_id": 7}, 7, 422, "validation_failed", "order_id"),
    ({"method": "amend_order", "params": {"quantity": 1}, "req_id": 7}, 7, 422, "validation_failed", "order_id"),
    ({"method": "amend_order", "params": {"order_id": "5", "price": 5}, "req_id": 7}, 7, 422, "validation_failed", "price"),
    ({"method": "amend_order", "params": {"order_id": "5", "side": "buy"}, "req_id": 7}, 7, 422, "validation_failed", "side"),
    ({"method": "mass_cancel", "params": {}, "req_id": 7}, 7, 422, "validation_failed", "symbol"),
    ({"method": "mass_cancel", "params": {"symbol": "GOLD"}, "req_id": 7}, 7, 422, "unknown_symbol", "symbol"),
    ({"method": "mass_cancel", "params": {"symbol": "*", "side": "up"}, "req_id": 7}, 7, 422, "validation_failed", "side"),
    ({"method": "subscribe", "params": {"channels": ["gossip"]}, "req_id": 7}, 7, 422, "validation_failed", "channels.0"),
    ({"method": "subscribe", "params": {"channels": []}, "req_id": 7}, 7, 422, "validation_failed", "channels"),
    ({"method": "subscribe", "params": {"channels": ["depth"]}, "req_id": 7}, 7, 422, "validation_failed", "symbols"),
    (
        {"method": "subscribe", "params": {"channels": ["depth"], "symbols": ["PRND-OX", "GOLD"]}, "req_id": 7},
        7,
        422,
        "unknown_symbol",
        "symbols.1",
    ),
    ({"method": "authenticate", "params": {"key": "rex_no"}, "req_id": 7}, 7, 422, "validation_failed", "method"),
]  # fmt: skip


async def test_a_bad_message_is_answered_and_the_connection_stays(served: Served) -> None:
    async with open_socket(served) as socket:
        for message, req_id, status, code, field in BAD_MESSAGES:
            reply = await ask(socket, message)
            answered = reply["req_id"], reply["error"]["status"], reply["error"]["code"]
            assert answered == (req_id, status, code), message
            assert field is None or reply["error"]["errors"][0]["field"] == field, message
        assert (await ask(socket, {"method": "ping", "req_id": "still here"}))["req_id"] == "still here"


async def test_a_message_over_the_limit_closes_with_1009(served: Served) -> None:
    async with open_socket(served) as socket:
        await socket.send(json.dumps({"method": "ping", "params": {"x": "y" * 65_536}}))
        with pytest.raises(ConnectionClosed) as closed:
            await socket.recv()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1009


async def test_a_key_that_comes_after_the_handshake_is_as_good(served: Served) -> None:
    async with open_socket(served, None) as socket:
        key = served.venue.keys["alice"].key
        right = await ask(socket, {"method": "authenticate", "params": {"key": key}, "req_id": 3})
        assert right["result"] == {"account": 2, "name": "alice", "scopes": ["read", "trade"]}
        placed = await ask(socket, {"method": "place_order", "params": limit("buy", "473000", 1), "req_id": 4})
        assert placed["result"]["state"] == "new"


async def closed_with(socket: ClientConnection) -> tuple[int, str]:
    """The code and reason of the venue's close; what it sends before is not looked at."""
    with contextlib.suppress(ConnectionClosed):
        async with asyncio.timeout(PATIENCE_S):
            async for _ in socket:
                pass
    assert socket.close_code is not None
    return socket.close_code, socket.close_reason or ""


@pytest.mark.parametrize("shown", ["in the handshake", "by authenticate"])
async def test_a_revoked_key_closes_its_connections(served: Served, shown: str) -> None:
    operator = await served.client("operator")
    issued = await operator.issue_key("desk", ["read", "trade"], account=2)
    url = served.url.replace("http", "ws") + "/v1/ws"
    in_handshake = {"authorization": f"Bearer {issued['key']}"} if shown == "in the handshake" else {}
    async with WebSocketClient(url, additional_headers=in_handshake) as socket, open_socket(served, "bob") as other:
        if not in_handshake:
            await ask(socket, {"method": "authenticate", "params": {"key": issued["key"]}})
        await ask(socket, {"method": "ping"})
        await operator.revoke_key(issued["key_id"])
        assert await closed_with(socket) == (4001, "the key was revoked")
        assert "result" in await ask(other, {"method": "ping"}), "the connections of other keys stay open"


async def test_a_connection_closes_when_its_key_expires(served: Served) -> None:
    operator, clock = await served.client("operator"), served.venue.clock
    expires_s = clock.now_ns // 10**9 + 3600
    issued = await operator.issue_key("desk", ["read"], account=2, expires=second_text(expires_s))
    url = served.url.replace("http", "ws") + "/v1/ws"
    headers = {"authorization": f"Bearer {issued['key']}"}
    async with WebSocketClient(url, additional_headers=headers) as socket:
        await ask(socket, {"method": "ping"})
        clock.now_ns = expires_s * 10**9
        assert await closed_with(socket) == (4001, "the key has expired")
    with pytest.raises(InvalidStatus) as refused:
        async with WebSocketClient(url, additional_headers=headers):
            pass
    assert json.loads(refused.value.response.body or b"")["code"] == "key_expired"


async def test_many_clients_at_once_keep_their_replies_apart(served: Served) -> None:
    async def trade(name: str, side: str) -> list[str]:
        client = await served.client(name)
        await client.connect()
        orders = [limit(side, "473000", 1, client_order_id=f"{name}-{side}-{n}") for n in range(100)]
        replies = [await client.submit_order(order) for order in orders]
        return [(await reply)["client_order_id"] for reply in replies]

    bought, sold = await asyncio.gather(trade("alice", "buy"), trade("bob", "sell"))
    assert bought == [f"alice-buy-{n}" for n in range(100)]
    assert sold == [f"bob-sell-{n}" for n in range(100)]
    alice = await served.client("alice")
    assert (await alice.ticker("PRND-OX"))["volume"] == 100
