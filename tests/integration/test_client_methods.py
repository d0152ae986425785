"""Every REST operation and WebSocket method × the client. One without a row here fails; so does a row without one."""

from __future__ import annotations

import asyncio
import inspect
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, date, datetime
from typing import Any

import httpx
import pytest
from rex_client import RexClient, RexError

from services.gateway.websocket import connection, order_pipeline
from tests.integration.served_venue import Served, served_venue
from tests.integration.test_client_reconnect import ORDER, Severable
from tests.integration.test_gateway_routes import operations_of
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.anyio

Json = dict[str, Any]
Call = Callable[[RexClient], Awaitable[Any]]
OXIDE, YEAR, DAY = "PRND-OX", 2023, date(2023, 12, 1)
START, END = datetime(2023, 12, 1, tzinfo=UTC), "2023-12-02T00:00:00+08:00"
SIGNED: Json = {"reason": "a test", "name": "Li Na"}
PAGE: Json = {"start": START, "end": END, "order": "oldest", "limit": 5, "cursor": None}
SCANDIUM = {
    "symbol": "SC-OX", "name_en": "Scandium oxide", "name_zh": "氧化钪", "category": "deep_processed",
    "family": "separated_oxide", "unit": "kg", "lot_size": 10, "tick_size": "1.00", "reference_price": "6000.00",
    "band_rate": "0.06", "max_quantity": 1000,
}  # fmt: skip
RATE = {"per_s": 200, "burst": 1000}

ROUTES: dict[str, Call] = {
    "GET /v1/venue": lambda client: client.venue(),
    "GET /v1/time": lambda client: client.time(),
    "GET /v1/calendar": lambda client: client.calendar(YEAR),
    "GET /v1/fees": lambda client: client.fees(),
    "GET /v1/instruments": lambda client: client.instruments(),
    "GET /v1/market/tickers": lambda client: client.tickers(),
    "GET /v1/market/{symbol}/ticker": lambda client: client.ticker(OXIDE),
    "GET /v1/market/{symbol}/depth": lambda client: client.depth(OXIDE, 5),
    "GET /v1/market/{symbol}/auction": lambda client: client.auction(OXIDE),
    "GET /v1/market/{symbol}/trades": lambda client: client.past_trades(OXIDE, date=DAY, start=START, end=END, limit=5),
    "GET /v1/market/trades/{trade_id}": lambda client: client.trade("1"),
    "GET /v1/market/{symbol}/candles": lambda client: client.candles(
        OXIDE, "5m", start=START, end=END, limit=5, gaps="flat"
    ),
    "POST /v1/orders": lambda client: client.post_order(ORDER),
    "POST /v1/orders/batch": lambda client: client.place_batch([ORDER]),
    "POST /v1/orders/mixed_batch": lambda client: client.mixed_batch([{"place": ORDER}]),
    "POST /v1/orders/test": lambda client: client.test_order(ORDER),
    "POST /v1/orders/cancel": lambda client: client.cancel_orders(["1"], ["a"]),
    "PUT /v1/orders/cancel_all_after": lambda client: client.cancel_all_after(0),
    "PATCH /v1/orders": lambda client: client.amend_order(client_order_id="a", quantity=2),
    "PATCH /v1/orders/{order_id}": lambda client: client.amend_order(order_id="1", quantity=2),
    "DELETE /v1/orders": lambda client: client.mass_cancel(OXIDE, "buy"),
    "DELETE /v1/orders/{order_id}": lambda client: client.cancel_order(order_id="1"),
    "GET /v1/orders": lambda client: client.orders("open", symbol=OXIDE, client_order_id="a", account=2, **PAGE),
    "GET /v1/orders/{order_id}": lambda client: client.order("1"),
    "GET /v1/fills": lambda client: client.fills(symbol=OXIDE, order_id="1", account=2, **PAGE),
    "GET /v1/account": lambda client: client.account(2),
    "GET /v1/account/ledger": lambda client: client.ledger(account=2, **PAGE),
    "GET /v1/account/cash_movements": lambda client: client.cash_movements(account=2, **PAGE),
    "GET /v1/session": lambda client: client.session(),
    "POST /v1/admin/halt": lambda client: client.halt(),
    "POST /v1/admin/resume": lambda client: client.resume(),
    "POST /v1/admin/instruments/{symbol}/halt": lambda client: client.halt(OXIDE),
    "POST /v1/admin/instruments/{symbol}/resume": lambda client: client.resume(OXIDE),
    "PUT /v1/admin/instruments/{symbol}/phase": lambda client: client.set_phase(OXIDE, "continuous"),
    "PUT /v1/admin/instruments/{symbol}/collar": lambda client: client.set_collar(OXIDE, "0.05"),
    "PUT /v1/admin/instruments/{symbol}/volatility_band": lambda client: client.set_volatility_band(OXIDE, "0.03", 120),
    "POST /v1/admin/instruments": lambda client: client.list_instrument(SCANDIUM, **SIGNED),
    "PATCH /v1/admin/instruments/{symbol}": lambda client: client.change_instrument(
        OXIDE, {"max_quantity": 50}, **SIGNED
    ),
    "POST /v1/admin/instruments/{symbol}/delist": lambda client: client.delist_instrument("ND-OX", **SIGNED),
    "POST /v1/admin/kill_switch/{switch}": lambda client: client.kill_switch(on=False),
    "POST /v1/admin/accounts/{account}/kill_switch/{switch}": lambda client: client.kill_switch(on=True, account=3),
    "PUT /v1/admin/accounts/{account}/limits": lambda client: client.set_limits(3, max_open_orders=5),
    "POST /v1/admin/trades/{trade_id}/bust": lambda client: client.bust_trade("1", "a test"),
    "POST /v1/admin/targets": lambda client: client.set_target({"year": YEAR, "amount": "1", "name": "a", "why": "b"}),
    "POST /v1/admin/decisions": lambda client: client.decide("exclude", ["1"], finding="ring-7", **SIGNED),
    "POST /v1/admin/context": lambda client: client.add_context(YEAR, "output", "1", "t", source="a book", name="Li"),
    "POST /v1/admin/control_groups": lambda client: client.declare_control([2, 3], **SIGNED),
    "POST /v1/admin/control_groups/{seq}/end": lambda client: client.end_control(1, **SIGNED),
    "POST /v1/admin/measures": lambda client: client.impose_measure([3], "warning", DAY, **SIGNED),
    "POST /v1/admin/measures/{seq}/lift": lambda client: client.lift_measure(1, **SIGNED),
    "GET /v1/admin/log": lambda client: client.admin_log(who="operator", kind="deposit", **PAGE),
    "GET /v1/admin/proposals": lambda client: client.proposals("all", limit=5),
    "POST /v1/admin/proposals/{seq}/confirm": lambda client: client.confirm_proposal(1),
    "POST /v1/admin/proposals/{seq}/reject": lambda client: client.reject_proposal(1, "a test"),
    "POST /v1/admin/proposals/{seq}/withdraw": lambda client: client.withdraw_proposal(1, "a test"),
    "GET /v1/alerts": lambda client: client.alerts("all", limit=5),
    "POST /v1/alerts/{alert_id}/acknowledge": lambda client: client.acknowledge_alert("1", "Li Na"),
    "GET /v1/admin/accounts": lambda client: client.accounts(limit=5),
    "POST /v1/admin/accounts": lambda client: client.open_account("a desk"),
    "POST /v1/admin/accounts/{account}/cash": lambda client: client.change_cash(3, "1"),
    "POST /v1/admin/accounts/{account}/inventory": lambda client: client.change_inventory(3, OXIDE, 1),
    "GET /v1/admin/keys": lambda client: client.keys(limit=5),
    "POST /v1/admin/keys": lambda client: client.issue_key("a desk", ["read"], account=2, limits={"reads": RATE}),
    "PUT /v1/admin/keys/{key_id}/limits": lambda client: client.set_key_limits("1", reads=RATE, reason="a test"),
    "DELETE /v1/admin/keys/{key_id}": lambda client: client.revoke_key("1"),
    "GET /v1/admin/fees": lambda client: client.fees_by_class(),
    "PUT /v1/admin/fees/{account_class}": lambda client: client.set_fees(7, maker_rate="0.0003", taker_rate="0.0005"),
    "GET /v1/admin/users": lambda client: client.users(limit=5),
    "POST /v1/admin/users": lambda client: client.add_user("wang.fang", "auditor", password="a long password"),
    "PUT /v1/admin/users/{user_id}/role": lambda client: client.set_user_role("1", "auditor"),
    "PUT /v1/admin/users/{user_id}/password": lambda client: client.set_user_password("1", "a long password"),
    "POST /v1/admin/users/{user_id}/link": lambda client: client.user_link("1"),
    "DELETE /v1/admin/users/{user_id}": lambda client: client.remove_user("1"),
    "GET /v1/reports/turnover/{year}": lambda client: client.turnover(YEAR, at_least_seq=1),
    "GET /v1/reports/turnover/{year}/last_day": lambda client: client.last_day(YEAR, at_least_seq=1),
    "GET /v1/reports/turnover/{year}/range": lambda client: client.turnover_of_range(YEAR, after_seq=0, to_seq=1),
    "GET /v1/reports/turnover/{year}/changed_hands": lambda client: client.changed_hands(YEAR),
    "GET /v1/reports/turnover/{year}/ladder": lambda client: client.ladder(YEAR),
    "GET /v1/reports/turnover/{year}/splits": lambda client: client.splits(YEAR, "product"),
    "GET /v1/reports/turnover/{year}/concentration": lambda client: client.concentration(YEAR),
    "GET /v1/reports/turnover/{year}/effects": lambda client: client.effects(YEAR),
    "GET /v1/reports/turnover/{year}/months": lambda client: client.months(YEAR),
    "GET /v1/reports/turnover/{year}/fees": lambda client: client.fee_income(YEAR),
    "GET /v1/reports/turnover/{year}/flagged": lambda client: client.flagged(YEAR),
    "GET /v1/reports/turnover/{year}/forecasts": lambda client: client.forecasts(YEAR),
    "GET /v1/reports/turnover/{year}/members": lambda client: client.members(YEAR),
    "GET /v1/reports/turnover/{year}/proof": lambda client: client.proof(YEAR),
    "GET /v1/reports/turnover/{year}/certificate": lambda client: client.certificate(YEAR),
    "GET /v1/reports/turnover/{year}/days": lambda client: client.turnover_days(YEAR, product=OXIDE),
    "GET /v1/reports/bulletins/{period}": lambda client: client.bulletin("2023-12-01"),
    "GET /v1/reports/targets/{year}": lambda client: client.targets(YEAR, limit=5),
    "GET /v1/reports/targets/{year}/progress": lambda client: client.target_progress(YEAR),
    "GET /v1/reports/decisions": lambda client: client.decisions(YEAR, limit=5, before_seq=9),
    "GET /v1/reports/index": lambda client: client.index(YEAR),
    "GET /v1/reports/quality/{date}": lambda client: client.quality(DAY),
    "GET /v1/reports/books/{symbol}": lambda client: client.past_book(OXIDE, 9, levels=3),
    "GET /v1/reports/context/{year}": lambda client: client.context(YEAR),
    "GET /v1/reports/findings/{year}": lambda client: client.findings(YEAR),
    "GET /v1/reports/abnormal_trading/{year}": lambda client: client.abnormal_trading(YEAR),
    "GET /v1/reports/control_groups": lambda client: client.control_groups(limit=5),
    "GET /v1/reports/trades": lambda client: client.counted_trades(
        year=YEAR, date=DAY, product=OXIDE, member=2, side="buy", phase="continuous", counted="yes",
        finding="ring-7", decision=1, order="1", with_sum=False,
    ),
    "GET /v1/reports/trades/{trade_id}": lambda client: client.counted_trade("1"),
    "GET /v1/reports/orders/{order_id}": lambda client: client.order_with_trades("1"),
    "GET /v1/reports/journal/{seq}": lambda client: client.journaled_command(1, first_event=1),
}  # fmt: skip

FOR_BROWSERS = "sets or ends a cookie: people log in with a browser, a program has a key"
FOR_MONITORS = "for whoever runs the venue"
NO_METHOD = {
    "POST /v1/session": FOR_BROWSERS,
    "DELETE /v1/session": FOR_BROWSERS,
    "PUT /v1/session/password": FOR_BROWSERS,
    "POST /v1/session/link": FOR_BROWSERS,
    "GET /metrics": FOR_MONITORS,
    "GET /readyz": FOR_MONITORS,
    "GET /healthz": FOR_MONITORS,
}
NO_PARAMETER = {
    "format": "files are for people",
    "cursor": "an opaque text of the page before",
    "at_least_seq": "tested in test_client_reports.py",
}
CALLS_WITH_OTHER_PARAMETERS: dict[str, tuple[Call, ...]] = {
    "GET /v1/reports/turnover/{year}/last_day": (lambda client: client.last_day(YEAR, seq=1),),
    "DELETE /v1/orders": (
        lambda client: client.cancel_order(client_order_id="a"),
        lambda client: client.mass_cancel("*", account=2),
    ),
    "GET /v1/reports/turnover/{year}": (lambda client: client.turnover(YEAR, seq=1),),
    "GET /v1/reports/trades": (lambda client: client.counted_trades(year=YEAR, limit=5),),
    "GET /v1/market/{symbol}/trades": (
        lambda client: client.trades(OXIDE, 5),
        lambda client: client.past_trades(OXIDE),
    ),
}
MISUSED = ("validation_failed", "invalid_json", "method_not_allowed", "unsupported_media_type")
"""The codes of a request that is none of the route."""
NAMES_NOTHING = r"^\w+: .*(has no finding|no command 1 decided|there is no order)"
"""The detail of a request whose condition names something that this venue has not."""

METHODS: dict[str, Call] = {
    "place_order": lambda client: client.place_order(ORDER),
    "amend_order": lambda client: client.amend_order(order_id="1", quantity=2),
    "cancel_order": lambda client: client.cancel_order(order_id="1"),
    "mass_cancel": lambda client: client.mass_cancel(OXIDE),
    "batch": lambda client: client.mixed_batch([{"place": ORDER}]),
    "cancel_orders": lambda client: client.cancel_orders(["1"], ["a"]),
    "test_order": lambda client: client.test_order(ORDER),
    "cancel_on_disconnect": lambda client: client.cancel_on_disconnect(False),
    "cancel_all_after": lambda client: client.cancel_all_after(0),
    "subscribe": lambda client: anext(client.subscribe(["orders"])),
    "subscriptions": lambda client: client.subscriptions(),
    "ping": lambda client: client.ping(),
}
NO_CALL = {
    "authenticate": "the key goes with the handshake",
    "options": "the client pings by itself, and returns the results alone",
    "unsubscribe": "`close` of the subscription",
}


@pytest.fixture(scope="module")
async def served(tmp_path_factory: pytest.TempPathFactory, anyio_backend: str) -> AsyncIterator[Served]:
    async with served_venue(tmp_path_factory.mktemp("served")) as running:
        yield running


async def requests_of(client: RexClient, call: Call) -> list[httpx.Request]:
    """The requests that a call sends. A refusal is an answer, too, unless it says that no route takes the request."""
    sent: list[httpx.Request] = []

    async def note(request: httpx.Request) -> None:
        sent.append(request)

    client._http.event_hooks = {"request": [note]}
    try:
        await call(client)
    except RexError as refused:
        if refused.code in MISUSED and not re.search(NAMES_NOTHING, refused.detail):
            raise
    return sent


def template_of(path: str, templates: set[str]) -> str:
    """The path of the document that a request's path matches; one without parameters comes first."""
    matching = [
        template for template in templates if re.fullmatch(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(template)), path)
    ]
    return min(matching, key=lambda template: template.count("{"))


async def test_the_client_has_a_method_for_each_operation(served: Served) -> None:
    operations = {f"{each.method} {each.path}": each for each in operations_of()}
    assert set(operations) == set(ROUTES) | set(NO_METHOD)
    templates = {each.path for each in operations.values()}
    trader, operator = await served.client("alice"), await served.client("operator")
    for name, call in ROUTES.items():
        is_for_traders = "trade" in operations[name].said.get("x-scopes", ()) or "/v1/account" in name
        client = trader if is_for_traders else operator
        sent: set[str] = set()
        for each in (call, *CALLS_WITH_OTHER_PARAMETERS.get(name, ())):
            (request,) = await requests_of(client, each)
            assert f"{request.method} {template_of(request.url.path, templates)}" == name
            sent |= set(request.url.params)
        parameters = {said["name"] for said in operations[name].said.get("parameters", ()) if said["in"] == "query"}
        assert parameters - NO_PARAMETER.keys() <= sent, name


async def test_the_client_has_a_call_for_each_websocket_method(served: Served) -> None:
    makers = (connection.Connection.__init__, order_pipeline.OrderPipeline.__init__)
    known = {name for maker in makers for name in re.findall(r'"(\w+)": self\._\w+', inspect.getsource(maker))}
    assert known == set(METHODS) | set(NO_CALL)
    client = await served.client("bob")
    await client.connect()
    sent: list[str] = []
    send = client._socket.send

    async def note(method: str, params: Any) -> asyncio.Future[Json]:
        sent.append(method)
        return await send(method, params)

    client._socket.send = note  # type: ignore[method-assign]
    for method, call in METHODS.items():
        sent.clear()
        try:
            await call(client)
        except RexError as refused:
            if refused.code in (*MISUSED, "unknown_method"):
                raise
        assert sent == [method]


async def test_a_page_leads_to_the_next(served: Served) -> None:
    alice = await served.client("alice")
    for _ in range(3):
        await alice.place_order(ORDER)
    first = await alice.orders("open", limit=2, order="oldest")
    second = await alice.orders("open", limit=2, order="oldest", cursor=first["next_cursor"])
    placed = [int(order["order_id"]) for order in first["orders"] + second["orders"]]
    assert placed == sorted(placed)
    line = (await alice.ledger(limit=1))["lines"][0]
    assert (line["cause"], line["balance"]["reserved"]) == ("reserve", (await alice.account())["reserved"])
    await alice.mass_cancel(OXIDE)


async def test_a_batch_too_large_for_a_message_goes_another_way(served: Served) -> None:
    alice = await served.client("alice")
    await alice.connect()
    requests = [{"place": {**ORDER, "quantity": 10**9 + number}} for number in range(500)] + [
        {"cancel": {"order_id": "1"}}
    ]
    assert len(await alice.mixed_batch(requests[1:])) == 500
    padded = {**ORDER, "order_type": "limit", "time_in_force": "day", "self_trade_prevention": "cancel_newest"}
    results = await alice.mixed_batch([{"place": {**padded, "client_order_id": f"{n:036}"}} for n in range(400)])
    assert [result["error"] for result in results] == [None] * 400
    assert (await alice.mass_cancel(OXIDE))["canceled"] == 400


async def test_cancel_on_disconnect_holds_for_the_connections_after_it(served: Served) -> None:
    through = await Severable.before(served)
    watcher = await served.client("alice")
    async with (
        asyncio.timeout(PATIENCE_S),
        RexClient(through.url, served.venue.keys["alice"].key) as client,
        watcher.subscribe(["orders"]) as pushes,
    ):
        await anext(pushes)
        said = await client.cancel_on_disconnect(True)
        assert said == {"enabled": True, "after_close": False}
        with pytest.raises(RexError):
            await client.cancel_on_disconnect("no")  # type: ignore[arg-type]  # A refusal leaves it as it was.
        for _ in range(2):
            await client.connect()
            order = await client.place_order(ORDER)
            through.sever()
            ended: list[Json] = []
            while not ended:
                ended = [each for each in (await anext(pushes))["data"]["orders"] if each["state"] == "canceled"]
            assert (ended[0]["order_id"], ended[0]["reason"]) == (order["order_id"], "mass_cancel")
    through.close()
