"""Market data without a key: which routes and channels answer, and the limits of an address."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from itertools import chain
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from services.commands.attachments import RateLimit
from services.gateway.http.market import AuctionIndication, Depth, Ticker
from services.gateway.http.report_reads import WITHOUT_A_KEY
from services.gateway.http.venue import Calendar, FeeSchedule, Venue, VenueTime
from services.gateway.limits import rate_limits
from services.gateway.limits.rate_limits import PUBLIC
from services.gateway.problems import ProblemError
from services.gateway.schemas import Reply
from services.gateway.websocket.market_requests import check_options, instruments_of
from services.gateway.websocket.messages import SubscribeParams, decode_params
from tests.integration.served_venue import Served, served_venue
from tests.integration.venue import MAX_PUBLIC_WEBSOCKETS, RunningVenue, running_venue
from tests.patience import PATIENCE_S, WebSocketClient

pytestmark = pytest.mark.anyio

SYMBOL = "PRND-OX"
MINUTE_NS = 60 * 10**9
NOTICE_S = 3_600
"""Of a planned close: more than PATIENCE_S, so that who waits for it all is noticed."""
PATHS: dict[str, type[Reply]] = {
    "/v1/time": VenueTime,
    "/v1/venue": Venue,
    "/v1/calendar": Calendar,
    "/v1/calendar?year=2024": Calendar,
    "/v1/fees": FeeSchedule,
    f"/v1/market/{SYMBOL}/depth": Depth,
    f"/v1/market/{SYMBOL}/ticker": Ticker,
    f"/v1/market/{SYMBOL}/auction": AuctionIndication,
}


@pytest.fixture
async def venue(tmp_path: Path) -> AsyncIterator[RunningVenue]:
    async with running_venue(tmp_path, limit_clock=lambda: 0) as running:
        yield running


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    async with served_venue(tmp_path) as running:
        yield running


async def ask(socket: ClientConnection, method: str, **params: Any) -> dict[str, Any]:
    """The reply to a request; pushes before it are dropped."""
    await socket.send(json.dumps({"method": method, "params": params, "req_id": 1}))
    while True:
        message: dict[str, Any] = json.loads(await socket.recv())
        if "req_id" in message:
            return message


def open_socket(served: Served, name: str | None = None) -> WebSocketClient:
    headers = {"authorization": f"Bearer {served.venue.keys[name].key}"} if name else {}
    return WebSocketClient(served.url.replace("http", "ws") + "/v1/ws", additional_headers=headers)


async def test_public_routes_answer_as_their_models_say_and_change_nothing(venue: RunningVenue) -> None:
    public = venue.client(None)
    for path, model in PATHS.items():
        reply = await public.get(path)
        assert reply.status_code == 200, path
        assert model.model_validate(reply.json()).model_dump() == reply.json()
    tickers = (await public.get("/v1/market/tickers")).json()
    assert [ticker["symbol"] for ticker in tickers] == [listed.symbol for listed in venue.state.instruments]
    assert tickers[0] == (await public.get(f"/v1/market/{tickers[0]['symbol']}/ticker")).json()
    for method, path in (("GET", "/v1/orders"), ("GET", "/v1/account"), ("POST", "/v1/market/tickers")):
        assert (await public.request(method, path)).json()["code"] == "missing_key"
    wrong = await public.get("/v1/venue", headers={"authorization": "Bearer rex_wrong"})
    assert wrong.json()["code"] == "unknown_key"


async def test_the_years_figure_its_days_its_months_and_its_last_day_are_public(venue: RunningVenue) -> None:
    public, alice = venue.client(None), venue.client("alice")
    for name, side in (("bob", "sell"), ("alice", "buy")):
        order = {"symbol": SYMBOL, "side": side, "price": "473000", "quantity": 2}
        await venue.client(name).post("/v1/orders", json=order)
    await venue.projector.reached(venue.sequencer.last_seq)
    for path in ("", "?format=json", "?format=csv", "/days", f"/days?product={SYMBOL}", "/months", "/last_day"):
        reply = await public.get(f"/v1/reports/turnover/2023{path}")
        of_alice = await alice.get(f"/v1/reports/turnover/2023{path}")
        assert (reply.status_code, reply.content) == (200, of_alice.content), path
        assert reply.headers["ratelimit-policy"].startswith('"public"')
    days = (await public.get(f"/v1/reports/turnover/2023/days?product={SYMBOL}")).json()
    assert (days["product"], days["net"], days["trades"]) == (SYMBOL, "946000.00", 1)


@pytest.mark.parametrize(
    "address",
    [
        "2023?format=pdf", "2023?format=xlsx", "2023?seq=5", "2023?at_least_seq=5", "2023?%73eq=5", "2023?format=csv&seq=5",
        "2023/days?at_least_seq=1", "2023/months?at_least_seq=1", "2023/last_day?seq=5", "2023/members", "2023/ladder",
        "2023/splits?by=product", "2023/proof", "2023/certificate", "2023/range?after_seq=0&to_seq=9", "2023/fees",
        "2023/days/",
    ],
)  # fmt: skip
async def test_other_reports_need_a_key(refusing_venue: RunningVenue, address: str) -> None:
    """Those that name members or take long: files, moments of the past, waits."""
    reply = await refusing_venue.client(None).get(f"/v1/reports/turnover/{address}")
    assert (reply.status_code, reply.json()["code"]) == (401, "missing_key")


async def test_fees_are_those_of_the_account_class(venue: RunningVenue) -> None:
    operator = venue.client("operator")
    await operator.put("/v1/admin/fees/0", json={"maker_rate": "0.0001", "taker_rate": "0.0002"})
    fees = {"account_class": 0, "maker_rate": "0.000100", "taker_rate": "0.000200"}
    assert (await venue.client(None).get("/v1/fees")).json() == fees
    assert (await venue.client("alice").get("/v1/fees")).json() == fees


KINDS = [("/healthz", 200), ("/ui/", 404), ("/nowhere", 404), ("/v1/time", 200), ("/v1/account", 401)]


async def test_answers_without_a_key_wait_for_the_turn_of_their_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of each kind, each from an address of its own; members' answers do not wait. A minute passes until the last turn: if it
    is still to come, they did not."""
    monkeypatch.setattr(rate_limits, "MOST_TURN_NS", MINUTE_NS)
    monkeypatch.setattr(rate_limits, "MOST_PROBE_NS", MINUTE_NS)
    async with running_venue(tmp_path, keyless=RateLimit(per_s=1, burst=2)) as venue:
        alice, lines = venue.client("alice"), list[list[asyncio.Task[httpx.Response]]]()
        for number, (path, status) in enumerate(KINDS):
            public = venue.client(None)
            public._transport = httpx.ASGITransport(venue.app, client=(f"10.0.0.{number}", 1))
            first = [await public.get(path) for _ in range(2)]
            assert [answer.status_code for answer in first] == [status, status]
            lines.append([asyncio.create_task(public.get(path)) for _ in range(60)])
        for (path, status), waiting in zip(KINDS, lines, strict=True):
            assert (await waiting[0]).status_code == status, path
        for _ in range(10):
            assert (await alice.get("/v1/account")).status_code == 200
            await asyncio.sleep(0)  # Such an answer lets no other task begin.
        assert not any(waiting[-1].done() for waiting in lines)
        for task in chain(*lines):
            task.cancel()
        await asyncio.gather(*chain(*lines), return_exceptions=True)


async def test_who_waits_for_a_turn_holds_no_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Few reports without a key are under way at once: one address that waits must not keep the others from theirs."""
    monkeypatch.setattr(rate_limits, "MOST_TURN_NS", MINUTE_NS)
    path = "/v1/reports/turnover/2023"
    async with running_venue(tmp_path, keyless=RateLimit(per_s=1, burst=1), limit_clock=lambda: 0) as venue:
        flood, other = venue.client(None), venue.client(None)
        other._transport = httpx.ASGITransport(venue.app, client=("10.0.0.2", 1))
        assert (await flood.get(path)).status_code == 200
        waiting = [asyncio.create_task(flood.get(path)) for _ in range(2 * WITHOUT_A_KEY)]
        for _ in range(10):
            await asyncio.sleep(0)
        assert (await other.get(path)).status_code == 200
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)


async def test_a_refused_handshake_waits_for_its_turn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate_limits, "MOST_TURN_NS", MINUTE_NS)
    async with running_venue(tmp_path, keyless=RateLimit(per_s=1, burst=1)) as venue:
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        async def receive() -> Any:
            return {"type": "websocket.connect"}

        headers = [(b"host", b"127.0.0.1:8000"), (b"authorization", b"Bearer rex_wrong")]
        scope = {
            "type": "websocket",
            "path": "/v1/ws",
            "headers": headers,
            "client": ("127.0.0.1", 1),
            "query_string": b"",
        }
        await venue.app({**scope}, receive, send)
        assert [message["type"] for message in sent] == ["websocket.close"]
        waiting = [asyncio.ensure_future(venue.app({**scope}, receive, send)) for _ in range(60)]
        await waiting[0]
        for _ in range(10):
            await asyncio.sleep(0)
        assert not waiting[-1].done()
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)


async def test_an_address_without_a_key_has_its_own_limit(venue: RunningVenue) -> None:
    public = venue.client(None)
    for _ in range(PUBLIC.burst):
        assert (await public.get("/v1/time")).status_code == 200
    refused = await public.get("/v1/time")
    assert (refused.status_code, refused.json()["code"], refused.json()["rate_class"]) == (
        429,
        "rate_limited",
        "public",
    )
    assert refused.headers["ratelimit-policy"] == f'"public";q={PUBLIC.burst};w={PUBLIC.burst // PUBLIC.per_s}'
    assert (await venue.client("alice").get("/v1/time")).status_code == 200


async def test_a_socket_without_a_key_follows_the_market_and_nothing_else(served: Served) -> None:
    async with open_socket(served) as socket:
        for params in ({"channels": ["orders"]}, {"channels": ["balances"]}, {"channels": ["alerts"]}):
            assert (await ask(socket, "subscribe", **params))["error"]["code"] == "missing_key"
        accepted = await ask(socket, "subscribe", channels=["depth"], symbols=[SYMBOL], levels=10, interval_ms=100)
        assert accepted["result"] == {"channels": ["depth"], "symbols": [SYMBOL], "levels": 10, "interval_ms": 100}
        assert json.loads(await socket.recv())["type"] == "snapshot"
        order = {"symbol": SYMBOL, "side": "buy", "price": "473000.00", "quantity": 1}
        assert (await ask(socket, "place_order", **order))["error"]["code"] == "missing_key"
        alice = await served.client("alice")
        placed = await alice.place_order(order)
        assert json.loads(await socket.recv())["seq"] == placed["seq"]
        for _ in range(20):  # More than a connection that follows nothing may send without a key.
            await ask(socket, "ping")
        key = served.venue.keys["alice"].key
        assert (await ask(socket, "authenticate", key=key))["result"]["name"] == "alice"
        assert "result" in await ask(socket, "subscribe", channels=["orders"])


async def test_the_sockets_without_a_key_are_bounded(served: Served) -> None:
    sockets = [await open_socket(served) for _ in range(MAX_PUBLIC_WEBSOCKETS + 1)]
    replies = [await ask(socket, "subscribe", channels=["status"]) for socket in sockets]
    assert ["error" in reply for reply in replies] == [False] * MAX_PUBLIC_WEBSOCKETS + [True]
    assert replies[-1]["error"]["code"] == "too_many_websockets"
    key = served.venue.keys["alice"].key
    await ask(sockets[0], "authenticate", key=key)
    assert "result" in await ask(sockets[-1], "subscribe", channels=["status"])
    for socket in sockets:
        await socket.close()


async def test_a_socket_lists_its_subscriptions(served: Served) -> None:
    async with open_socket(served, "alice") as socket:
        await ask(socket, "subscribe", channels=["depth", "trades"], symbols=["*"])
        await ask(socket, "subscribe", channels=["depth"], symbols=[SYMBOL], levels=50)
        await ask(socket, "subscribe", channels=["candles"], symbols=[SYMBOL, "ND-OX"], interval="5m")
        await ask(socket, "subscribe", channels=["orders", "turnover"])
        await ask(socket, "unsubscribe", channels=["trades"], symbols=["*"])
        await ask(socket, "subscribe", channels=["trades"], symbols=["ND-OX"], latest=3)
        listed = (await ask(socket, "subscriptions"))["result"]["subscriptions"]
    assert sorted(listed, key=str) == sorted(
        [
            {"channels": ["depth"], "symbols": ["*"]},
            {"channels": ["depth"], "symbols": [SYMBOL], "levels": 50},
            {"channels": ["candles"], "symbols": [SYMBOL, "ND-OX"], "interval": "5m"},
            {"channels": ["trades"], "symbols": ["ND-OX"], "latest": 3},
            {"channels": ["turnover"]},
            {"channels": ["orders"]},
        ],
        key=str,
    )


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"channels": ["candles"], "symbols": [SYMBOL]}, "interval"),
        ({"channels": ["candles"], "symbols": [SYMBOL], "interval": "2m"}, "interval"),
        ({"channels": ["depth"], "symbols": [SYMBOL], "levels": 20}, "levels"),
        ({"channels": ["trades"], "symbols": [SYMBOL], "levels": 10}, "levels"),
        ({"channels": ["ticker"], "symbols": [SYMBOL], "interval_ms": 100}, "interval_ms"),
        ({"channels": ["depth"], "symbols": [SYMBOL], "interval_ms": 7}, "interval_ms"),
        ({"channels": ["ticker"], "symbols": [SYMBOL], "latest": 10}, "latest"),
        ({"channels": ["trades"], "symbols": [SYMBOL], "latest": 51}, "latest"),
        ({"channels": ["top"]}, "symbols"),
    ],
)
async def test_a_wrong_option_is_named(refusing_venue: RunningVenue, params: dict[str, Any], field: str) -> None:
    def read() -> None:
        decoded = decode_params(msgspec.Raw(json.dumps(params).encode()), SubscribeParams)
        check_options(decoded)
        instruments_of(refusing_venue.state, decoded)

    with pytest.raises(ProblemError) as refused:
        read()
    assert [error.field for error in refused.value.errors] == [field]


async def test_replies_carry_times_where_they_are_asked_for(served: Served) -> None:
    order = {"symbol": SYMBOL, "side": "buy", "price": "473000.00", "quantity": 1}
    async with open_socket(served, "alice") as socket:
        assert "time_in" not in await ask(socket, "place_order", **order)
        assert (await ask(socket, "options", times=True))["result"] == {"heartbeat": False, "times": True}
        for method, params in (("place_order", order), ("ping", {}), ("nonsense", {})):
            reply = await ask(socket, method, **params)
            assert "2023-12-01T" < reply["time_in"] <= reply["time_out"], method


async def test_a_planned_close_is_announced(served: Served) -> None:
    async with open_socket(served) as socket:
        await ask(socket, "ping")
        liveness = served.venue.channels.liveness
        closing = liveness.announce_shutdown(NOTICE_S, "the venue is stopping")

        async def leave() -> None:
            push = json.loads(await socket.recv())
            assert (push["channel"], push["type"], push["data"]["reason"]) == (
                "venue",
                "server_shutdown",
                "the venue is stopping",
            )
            assert push["data"]["at"].startswith("2023-12-01T03:00:0")
            await socket.close()

        async with asyncio.timeout(PATIENCE_S):  # It waits for its clients to leave, not for the whole notice.
            await asyncio.gather(closing, leave())
    await liveness.announce_shutdown(NOTICE_S, "nobody is left to wait for")
    with pytest.raises(ConnectionClosed):
        await socket.recv()


async def test_the_client_takes_options_and_learns_of_a_planned_close(served: Served) -> None:
    alice = await served.client("alice")
    five, one = [alice.subscribe(["candles"], [SYMBOL], interval=interval) for interval in ("5m", "1m")]
    async with asyncio.timeout(PATIENCE_S):
        assert [(await anext(pushes))["data"]["interval"] for pushes in (five, one)] == ["5m", "1m"]
        assert alice.closing_at is None
        liveness = served.venue.channels.liveness
        closing = asyncio.create_task(liveness.announce_shutdown(NOTICE_S, "the venue is stopping"))
        await alice.ping()  # Its reply comes after the announcement.
        assert alice.closing_at is not None
        await alice.close()
        await closing


async def test_a_session_that_a_restart_ended_is_nobodys_where_no_key_is_needed(venue: RunningVenue) -> None:
    """A browser keeps its cookie over a restart of the venue, and shows public pages then."""
    browser = venue.client(None)
    browser.headers["cookie"] = "rex_session=rexs_of_another_start"
    assert (await browser.get("/v1/venue")).status_code == 200
    assert (await browser.get("/v1/orders")).json()["code"] == "session_ended"
    who = await browser.get("/v1/session")
    assert who.json()["role"] is None
    assert who.headers["set-cookie"].startswith("rex_session=; ")
    assert "Max-Age=0" in who.headers["set-cookie"]
    program = await browser.get("/v1/venue", headers={"authorization": "Bearer rexs_of_another_start"})
    assert program.json()["code"] == "session_ended"


async def test_such_a_session_follows_the_market(served: Served) -> None:
    cookie = {"cookie": "rex_session=rexs_of_another_start", "origin": served.url}
    async with WebSocketClient(served.url.replace("http", "ws") + "/v1/ws", additional_headers=cookie) as socket:
        assert "result" in await ask(socket, "subscribe", channels=["ticker"], symbols=[SYMBOL])
        assert (await ask(socket, "subscribe", channels=["orders"]))["error"]["status"] in (401, 403)
