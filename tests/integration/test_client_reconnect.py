"""The client when its venue stops or its connection is cut, over real sockets."""

from __future__ import annotations

import asyncio
import json
import socket
from pathlib import Path
from typing import Any

import pytest
from rex_client import OutcomeUnknown, RexClient, RexError, Unreachable
from websockets.exceptions import InvalidStatus

from load_tests.servers.server_process import free_port
from services.gateway.freshness import Freshness
from services.gateway.websocket import resumes
from services.gateway.websocket.liveness import CLOSE_CUT_OFF, CUT_OFF_REASON
from services.values.times import second_text
from tests.integration.served_venue import Served, served_venue, serving
from tests.integration.venue import running_venue
from tests.patience import PATIENCE_S, WebSocketClient

pytestmark = pytest.mark.anyio

ORDER = {"symbol": "PRND-OX", "side": "buy", "price": "473000", "quantity": 1}
Json = dict[str, Any]


def listener() -> socket.socket:
    return socket.create_server(("127.0.0.1", free_port()))


async def test_a_subscription_survives_a_restart_of_the_server(tmp_path: Path) -> None:
    async with running_venue(tmp_path) as venue, asyncio.timeout(PATIENCE_S):
        listening = listener()
        address = listening.getsockname()
        client = RexClient(f"http://127.0.0.1:{address[1]}", venue.keys["alice"].key)
        async with serving(venue, listening):
            pushes = client.subscribe(["orders"])
            assert (await anext(pushes))["type"] == "snapshot"
            await client.connect()
            order = await client.place_order(ORDER)
            assert (await anext(pushes))["data"]["orders"] == [order]
        with pytest.raises(Unreachable):
            await client.place_order(ORDER)
        async with serving(venue, socket.create_server(address)):
            await client.connect()
            again = await anext(pushes)
            assert (again["type"], again["data"]["orders"]) == ("resumed", [])
            canceled = await client.cancel_order(order_id=order["order_id"])
            assert (await anext(pushes))["data"]["orders"] == [canceled]
            await client.close()
        with pytest.raises(StopAsyncIteration):
            await anext(pushes)


async def test_a_cut_subscription_tells_what_was_missed_or_begins_anew_where_the_venue_cannot_tell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with served_venue(tmp_path) as served, asyncio.timeout(PATIENCE_S):
        through = await Severable.before(served)
        alice, bob = await served.client("alice"), await served.client("bob")
        async with RexClient(through.url, served.venue.keys["alice"].key) as client:
            pushes = client.subscribe(["orders", "fills"])
            assert [(await anext(pushes))["type"] for _ in range(2)] == ["snapshot", "snapshot"]
            through.sever()
            await alice.place_order(ORDER)
            await bob.place_order(ORDER | {"side": "sell"})
            fills = (await alice.fills())["fills"]
            told: dict[str, list[Json]] = {"orders": [], "fills": []}
            while told != {"orders": fills, "fills": fills}:
                push = await anext(pushes)
                assert push["type"] in ("resumed", "update")
                told[push["channel"]] += push["data"]["fills"]
                assert len(told[push["channel"]]) <= len(fills)
            monkeypatch.setattr(resumes, "RESUME_COMMANDS", -1)
            through.sever()
            assert (await anext(pushes))["type"] == "snapshot"
        through.close()


async def test_a_reply_lost_on_the_way_is_an_unknown_outcome_and_the_retry_tells(tmp_path: Path) -> None:
    async with served_venue(tmp_path) as served, asyncio.timeout(PATIENCE_S):
        through = await Severable.before(served)
        alice = served.venue.keys["alice"].key
        async with RexClient(through.url, alice) as client:
            await client.connect()
            through.hold_replies()
            reply = await client.submit_order({**ORDER, "client_order_id": "lost"})
            await through.reply_held.wait()
            through.sever()
            with pytest.raises(OutcomeUnknown):
                await reply
        direct = await served.client("alice")
        retried = await direct.place_order({**ORDER, "client_order_id": "lost"})
        assert (await direct.orders())["orders"] == [retried], "it had arrived, and stands there once"
        through.close()


async def test_a_wrong_key_and_an_absent_venue_are_told_apart(tmp_path: Path) -> None:
    async with served_venue(tmp_path) as served:
        async with RexClient(served.url, "rex_wrong") as client:
            with pytest.raises(RexError) as refused:
                await client.connect()
            assert (refused.value.status, refused.value.code) == (401, "unknown_key")
            with pytest.raises(RexError) as refused:
                await client.venue()
            assert (refused.value.status, refused.value.code) == (401, "unknown_key")
            with pytest.raises(RexError):
                await anext(client.subscribe(["ticker"], ["*"]))
        url = served.url
    async with RexClient(url, "rex_any") as client:
        for call in (client.connect, client.venue, client.accounts):
            with pytest.raises(Unreachable):
                await call()


@pytest.mark.parametrize(("ends", "code"), [("revoked", "unknown_key"), ("expired", "key_expired")])
async def test_a_key_that_ends_is_no_fault_of_the_network(tmp_path: Path, ends: str, code: str) -> None:
    async with served_venue(tmp_path) as served, asyncio.timeout(PATIENCE_S):
        operator, clock = await served.client("operator"), served.venue.clock
        expires_s = clock.now_ns // 10**9 + 3600
        issued = await operator.issue_key("desk", ["read", "trade"], account=2, expires=second_text(expires_s))
        async with RexClient(served.url, issued["key"]) as client:
            pushes = client.subscribe(["orders"])
            await anext(pushes)
            await client.connect()
            order = await client.place_order(ORDER)
            assert (await anext(pushes))["data"]["orders"] == [order]
            if ends == "revoked":
                await operator.revoke_key(issued["key_id"])
            else:
                clock.now_ns = expires_s * 10**9
            with pytest.raises(RexError) as ended:
                await anext(pushes)
            assert (ended.value.status, ended.value.code) == (401, code)
            for call in (client.place_order(ORDER), client.submit_order(ORDER), client.ping(), client.connect()):
                with pytest.raises(RexError) as refused:
                    await call
                assert (refused.value.status, refused.value.code) == (401, code)


@pytest.mark.parametrize("over_socket", [True, False])
async def test_a_refusal_keeps_what_the_venue_says_of_the_next_try(tmp_path: Path, over_socket: bool) -> None:
    async with served_venue(tmp_path) as served, asyncio.timeout(PATIENCE_S):
        limits = {"orders": {"per_s": 1, "burst": 1}}
        operator = await served.client("operator")
        issued = await operator.issue_key("desk", ["read", "trade"], account=2, limits=limits)
        async with RexClient(served.url, issued["key"]) as client:
            if over_socket:
                await client.connect()
            await client.place_order(ORDER)
            with pytest.raises(RexError) as refused:
                await client.place_order(ORDER)
        error = refused.value
        assert (error.status, error.code, error.rate_class) == (429, "rate_limited", "orders")
        assert error.retry_after_ms is not None
        assert 0 < error.retry_after_ms <= 1000
        assert error.next_step
        assert error.request_id


async def test_a_client_of_a_gateway_that_is_cut_off_goes_on_where_it_was_at_the_next_gateway(tmp_path: Path) -> None:
    """The next gateway has the same address here, as behind a proxy: the first one again, when it is cut off no more."""
    ties = Ties()
    async with running_venue(tmp_path, freshness=Freshness(ties.are_cut)) as venue, asyncio.timeout(PATIENCE_S):
        alice = {"authorization": f"Bearer {venue.keys['alice'].key}"}
        async with serving(venue, listener()) as served:
            url = served.url.replace("http", "ws") + "/v1/ws"
            client = await served.client("alice")
            pushes = client.subscribe(["orders"])
            assert (await anext(pushes))["type"] == "snapshot"
            async with WebSocketClient(url, additional_headers=alice) as socket, WebSocketClient(url) as public:
                ties.cut = True
                for closed in (socket, public):
                    await closed.wait_closed()
                    assert (closed.close_code, closed.close_reason) == (CLOSE_CUT_OFF, CUT_OFF_REASON)
            with pytest.raises(InvalidStatus) as refused:
                await WebSocketClient(url, additional_headers=alice)
            assert json.loads(refused.value.response.body or b"")["code"] == "cut_off"
            ready = await venue.client(None).get("/readyz")
            assert (ready.status_code, ready.json()["code"]) == (503, "cut_off")
            patient = await served.clients.enter_async_context(RexClient(served.url, patience_s=PATIENCE_S))
            connecting = asyncio.create_task(patient.connect())
            order = await client.post_order(ORDER)
            assert not connecting.done()
            ties.cut = False
            push = await anext(pushes)
            assert (push["type"], push["data"]["orders"]) == ("resumed", [order])
            await connecting


class Ties:
    """Whether the gateway is cut off, as the test sets it."""

    cut = False

    def are_cut(self) -> bool:
        return self.cut


async def test_whoever_cancels_a_client_that_is_leaving_need_not_wait_for_ever(tmp_path: Path) -> None:
    async with served_venue(tmp_path) as served, asyncio.timeout(PATIENCE_S):
        client = await served.client("alice")
        await client.connect()
        leaving = asyncio.create_task(client.close())
        await asyncio.sleep(0)
        assert not leaving.done()
        leaving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leaving
        with pytest.raises(Unreachable):
            await client.place_order(ORDER)


class Severable:
    """A wire between client and venue that a test can cut."""

    def __init__(self, server: asyncio.Server) -> None:
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        self.reply_held = asyncio.Event()
        self._server = server
        self._holding = False
        self.replies_to_drop = 0
        """How many replies are lost on the way, each with its connection."""
        self._writers: list[asyncio.StreamWriter] = []
        self._tasks: list[asyncio.Task[None]] = []

    @classmethod
    async def before(cls, served: Served) -> Severable:
        wires: list[Severable] = []

        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            host, port = served.url.removeprefix("http://").split(":")
            venue_reader, venue_writer = await asyncio.open_connection(host, int(port))
            wire = wires[0]
            wire._writers += [writer, venue_writer]
            wire._tasks += [
                asyncio.create_task(wire._carry(reader, venue_writer, is_reply=False)),
                asyncio.create_task(wire._carry(venue_reader, writer, is_reply=True)),
            ]

        wires.append(cls(await asyncio.start_server(connected, "127.0.0.1", 0)))
        return wires[0]

    def hold_replies(self) -> None:
        self._holding = True

    def sever(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    def close(self) -> None:
        self.sever()
        self._server.close()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, is_reply: bool) -> None:
        while data := await reader.read(65_536):
            if is_reply and self._holding:
                self.reply_held.set()
            elif is_reply and self.replies_to_drop:
                self.replies_to_drop -= 1
                writer.transport.abort()
            else:
                writer.write(data)
