"""For any bytes the venue answers with a documented status, names the wrong field, and keeps its books.

All examples run on one venue, each as a new member in a market that a new maker quotes: so one that fails, fails again. They
share what no order can undo: sequence numbers, last prices, and the accounts and keys that other examples have added.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from hypothesis import given, settings
from hypothesis import strategies as st

from services.venue.first_start import Existing, Seeding
from services.venue_state.keys import ApiKey
from tests.integration.venue import CASH_FEN, LOTS, RunningVenue, running_venue

ORDER = {"symbol": "PRND-OX", "quantity": 5}
Served = tuple[BlockingPortal, RunningVenue]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(running_venue(tmp_path_factory.mktemp("venue"))) as venue,
    ):
        yield portal, venue


def post(served: Served, name: str, path: str, body: bytes) -> httpx.Response:
    portal, venue = served

    async def send() -> httpx.Response:
        return await venue.client(name).post(path, content=body, headers={"content-type": "application/json"})

    return portal.call(send)


def new_member(served: Served) -> None:
    """Replaces `member` and `maker` by new accounts. Only the maker has orders: one on each side of PRND-OX."""
    portal, venue = served
    instruments = {symbol: instrument.number for symbol, instrument in venue.state.by_symbol.items()}
    seeding = Seeding(Existing(instruments, {}, len(venue.state.accounts), frozenset()), {})
    for name in ("member", "maker"):
        seeding.trader(name, CASH_FEN, LOTS)

    async def open_accounts() -> None:
        assert (await venue.client("operator").delete("/v1/orders", params={"symbol": "*"})).status_code == 200
        await venue.order_entry.execute(ApiKey(0, 0, "first start", frozenset()), seeding.submission)

    portal.call(open_accounts)
    venue.keys.update(seeding.keys)
    quotes = [{**ORDER, "side": side, "price": price} for side, price in (("buy", "472900"), ("sell", "473100"))]
    quoted = post(served, "maker", "/v1/orders/batch", json.dumps({"orders": quotes}).encode())
    assert [result["order"]["state"] for result in quoted.json()["results"]] == ["new", "new"]


@contextmanager
def books_balance(venue: RunningVenue) -> Iterator[None]:
    """What happens within leaves the sum of all cash, and the gateway's books are the engine's."""
    accounts = venue.state.accounts.values()
    cash_fen = sum(account.cash_fen for account in accounts)
    yield
    assert sum(account.cash_fen for account in accounts) == cash_fen
    for account in accounts:
        assert (account.cash_fen, account.reserved_fen) == venue.engine.cash(account.account)


_junk: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
_prices = st.sampled_from(
    ["473000", "473100.00", "472900", "0", "-1", "9" * 16, "0.00000001", "501400", "1e9", "٣", ""]
)
_fields = {
    "symbol": st.sampled_from(["PRND-OX", "NDFEB-N35", "GOLD", "", "prnd-ox", "x" * 300]) | _junk,
    "side": st.sampled_from(["buy", "sell"]) | _junk,
    "order_type": st.sampled_from(["limit", "market"]) | _junk,
    "time_in_force": st.sampled_from(["day", "gtc", "ioc", None]) | _junk,
    "price": _prices | _junk,
    "quantity": st.integers(-2, 5) | st.integers() | _junk,
    "client_order_id": st.sampled_from(["a", "b", "x" * 36, "x" * 37, "é", "a b", "\x00"]) | _junk,
}
_sound = st.fixed_dictionaries(
    {
        "symbol": st.just("PRND-OX"),
        "side": st.sampled_from(["buy", "sell"]),
        "price": st.sampled_from(["472900", "473100.00"]),  # the maker's, so that some orders trade and some rest
        "quantity": st.integers(1, 7),
    },
    optional={"order_type": st.just("limit"), "time_in_force": st.sampled_from(["day", "gtc", "ioc"])},
)
_changes = st.sampled_from(list(_fields)).flatmap(lambda name: st.tuples(st.just(name), _fields[name] | _junk))
_spoilt = st.builds(lambda order, change: {**order, change[0]: change[1]}, _sound, _changes)
_orders = _sound | _spoilt | st.fixed_dictionaries({}, optional=_fields)


def count(orders: Iterable[dict[str, Any]], placed: Counter[str]) -> None:
    """Counts the orders that were placed, and those that traded."""
    for order in orders:
        placed[order["state"]] += 1
        placed["traded"] += order["cum_qty"] > 0


@pytest.mark.hypothesis
def test_any_order_body(served: Served) -> None:
    placed: Counter[str] = Counter()

    @settings(deadline=None)
    @given(
        st.one_of(
            *[_orders.map(lambda order: json.dumps(order).encode())] * 6,
            st.binary(max_size=200),
            _junk.map(json.dumps).map(str.encode),
        )
    )
    def answered(body: bytes) -> None:
        new_member(served)
        with books_balance(served[1]):
            reply = post(served, "member", "/v1/orders", body)
        placed[f"status {reply.status_code}"] += 1
        if reply.status_code in (200, 201):
            assert reply.json()["state"] in ("new", "partially_filled", "filled", "canceled", "rejected")
            count([reply.json()], placed)
        else:
            assert reply.status_code in (400, 422)
            assert reply.headers["content-type"] == "application/problem+json"
            assert reply.status_code == 400 or reply.json()["errors"][0]["field"]

    answered()
    assert min(placed[what] for what in ("new", "traded", "status 422")) > 0, placed


@pytest.mark.hypothesis
def test_any_batch(served: Served) -> None:
    placed: Counter[str] = Counter()

    @settings(deadline=None)
    @given(st.lists(_orders, max_size=4))
    def answered(orders: list[Any]) -> None:
        new_member(served)
        with books_balance(served[1]):
            reply = post(served, "member", "/v1/orders/batch", json.dumps({"orders": orders}).encode())
        placed[f"status {reply.status_code}"] += 1
        if reply.status_code == 200:
            results = reply.json()["results"]
            assert len(results) == len(orders)
            assert all((result["order"] is None) != (result["error"] is None) for result in results)
            count([result["order"] for result in results if result["order"]], placed)
        else:
            assert reply.status_code == 422
            assert all(error["field"].startswith("orders") for error in reply.json()["errors"])

    answered()
    assert min(placed[what] for what in ("new", "traded", "status 422")) > 0, placed


@settings(deadline=None)
@given(
    st.sampled_from(["accounts/{}/inventory", "accounts", "keys", "accounts/{}/cash", "accounts/999999/cash"]),
    st.binary(max_size=60) | st.dictionaries(
        st.sampled_from(["name", "owner", "scopes", "account", "symbol", "extra"]), _junk, max_size=3
    ).map(json.dumps).map(str.encode),
)  # fmt: skip
def test_any_administrative_body(served: Served, path: str, body: bytes) -> None:
    new_member(served)
    path = path.format(served[1].keys["member"].account)
    reply = post(served, "operator", f"/v1/admin/{path}", body)
    assert reply.status_code in (200, 201, 400, 404, 409, 422)
    assert reply.status_code < 400 or reply.headers["content-type"] == "application/problem+json"


def test_hostile_paths_and_queries(served: Served) -> None:
    portal, venue = served

    async def get(path: str) -> httpx.Response:
        return await venue.client("alice").get(path)

    for path in (
        "/v1/orders/%00",
        "/v1/orders/../../etc/passwd",
        "/v1/orders?symbol=%ff",
        "/v1/orders?client_order_id=%00",
        "/v1/orders?account=99999999999999999999",
        "/v1/market/%F0%9F%92%A9/depth",
        "/v1/market/PRND-OX/depth?levels=1e3",
        "/v1/fills?limit=-1",
        "/v1//orders",
        "/v1/ws",
    ):
        reply = portal.call(get, path)
        assert reply.status_code in (200, 403, 404, 422), path
        assert reply.status_code == 200 or reply.headers["content-type"] == "application/problem+json", path
