"""The operators' routes: kill switches, limits, fees, collars, phases, auctions, busts."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from services.commands.attachments import BustText
from tests.integration.venue import RunningVenue

pytestmark = pytest.mark.anyio

ADMIN, SYMBOL = "/v1/admin", "PRND-OX"


def order(side: str, price: str, quantity: int, **more: Any) -> dict[str, Any]:
    return {"symbol": SYMBOL, "side": side, "price": price, "quantity": quantity, **more}


async def place(venue: RunningVenue, name: str, body: dict[str, Any]) -> dict[str, Any]:
    placed: dict[str, Any] = (await venue.client(name).post("/v1/orders", json=body)).json()
    return placed


async def done(reply: httpx.Response) -> dict[str, Any]:
    assert reply.status_code == 200, reply.text
    answer: dict[str, Any] = reply.json()
    return answer


async def ticker(venue: RunningVenue) -> dict[str, Any]:
    return await done(await venue.client("alice").get(f"/v1/market/{SYMBOL}/ticker"))


async def instrument(venue: RunningVenue) -> dict[str, Any]:
    listed = (await venue.client("alice").get("/v1/instruments")).json()
    return next(one for one in listed if one["symbol"] == SYMBOL)


async def test_a_kill_switch_refuses_orders_and_amends_and_takes_cancels(venue: RunningVenue) -> None:
    operator, alice = venue.client("operator"), venue.client("alice")
    resting = await place(venue, "alice", order("buy", "472000", 2))
    await done(await operator.post(f"{ADMIN}/accounts/2/kill_switch/on"))
    assert (await alice.get("/v1/account")).json()["kill_switch"] is True
    assert (await place(venue, "alice", order("buy", "472000", 1)))["reason"] == "account_kill_switch"
    amended = await alice.patch(f"/v1/orders/{resting['order_id']}", json={"quantity": 1})
    assert (amended.status_code, amended.json()["code"]) == (409, "account_kill_switch")
    assert (await place(venue, "bob", order("buy", "472000", 1)))["state"] == "new"
    assert (await alice.delete(f"/v1/orders/{resting['order_id']}")).json()["state"] == "canceled"
    await done(await operator.post(f"{ADMIN}/accounts/2/kill_switch/off"))
    assert (await place(venue, "alice", order("buy", "472000", 1)))["state"] == "new"

    await done(await operator.post(f"{ADMIN}/kill_switch/on"))
    assert (await place(venue, "bob", order("buy", "472000", 1)))["reason"] == "venue_kill_switch"
    for path in ("/v1/venue", "/healthz", "/readyz"):
        assert (await done(await alice.get(path)))["kill_switch"] is True
    await done(await operator.post(f"{ADMIN}/kill_switch/off"))
    assert (await done(await alice.get("/v1/venue")))["kill_switch"] is False


async def test_limits_hold_and_are_told(venue: RunningVenue) -> None:
    operator, alice = venue.client("operator"), venue.client("alice")
    limits = {
        "max_order_quantity": 5,
        "max_order_value": "1900000.00",
        "max_open_orders": 1,
        "max_day_turnover": "1000000.00",
    }
    await done(await operator.put(f"{ADMIN}/accounts/2/limits", json=limits))
    assert (await done(await alice.get("/v1/account")))["limits"] == limits
    assert venue.state.last_seq == venue.sequencer.last_seq, "both commands of the change are there"
    for body, reason, numbers in (
        (order("buy", "473000", 6), "order_quantity_limit", "At most: 5 lots."),
        (order("buy", "473000", 5), "order_value_limit", "At most: ¥ 1,900,000.00."),
        (order("buy", "473000", 3), "turnover_limit", "At most: ¥ 1,000,000.00; so far: ¥ 0.00."),
    ):
        refused = await place(venue, "alice", body)
        assert (refused["state"], refused["reason"]) == ("rejected", reason)
        assert refused["reason_text"].endswith(numbers)
    assert (await place(venue, "alice", order("buy", "473000", 2)))["state"] == "new"
    assert (await place(venue, "alice", order("buy", "473000", 1)))["reason"] == "open_orders_limit"
    await place(venue, "bob", order("sell", "473000", 2))
    account = await done(await alice.get("/v1/account"))
    assert (account["day_turnover"], account["open_orders"]) == ("946000.00", 0)
    await done(await operator.put(f"{ADMIN}/accounts/2/limits", json={}))
    assert set((await done(await alice.get("/v1/account")))["limits"].values()) == {None}


async def test_fees_are_those_of_the_account_s_class(venue: RunningVenue) -> None:
    operator, alice = venue.client("operator"), venue.client("alice")
    rates = {"maker_rate": "0.0001", "taker_rate": "0.000200"}
    await done(await operator.put(f"{ADMIN}/fees/7", json=rates))
    assert (await operator.get(f"{ADMIN}/fees")).json() == [
        {"account_class": 0, "maker_rate": "0.000500", "taker_rate": "0.000500"},
        {"account_class": 7, "maker_rate": "0.000100", "taker_rate": "0.000200"},
    ]
    opened = (await operator.post(f"{ADMIN}/accounts", json={"name": "favored", "account_class": 7})).json()
    account = await done(await operator.get(f"/v1/account?account={opened['account']}"))
    assert (account["account_class"], account["maker_rate"], account["taker_rate"]) == (7, "0.000100", "0.000200")
    assert (await done(await alice.get("/v1/account")))["taker_rate"] == "0.000500"


async def test_a_collar_holds_orders_near_the_last_price(venue: RunningVenue) -> None:
    operator = venue.client("operator")
    await done(await operator.put(f"{ADMIN}/instruments/{SYMBOL}/collar", json={"rate": "0.01"}))
    assert (await instrument(venue))["collar_rate"] == "0.010000"
    refused = await place(venue, "alice", order("buy", "480000", 1))
    assert (refused["state"], refused["reason"]) == ("rejected", "price_outside_collar")
    market = {"symbol": SYMBOL, "side": "buy", "order_type": "market", "quantity": 1}
    assert (await place(venue, "alice", market))["protection_price"] == "477700.00"
    await done(await operator.put(f"{ADMIN}/instruments/{SYMBOL}/collar", json={"rate": "0"}))
    assert (await place(venue, "alice", order("buy", "480000", 1)))["state"] == "new"


async def test_a_call_auction_collects_and_trades_at_one_price(venue: RunningVenue) -> None:
    operator = venue.client("operator")
    await done(await operator.put(f"{ADMIN}/instruments/{SYMBOL}/phase", json={"phase": "call_auction"}))
    assert (await instrument(venue))["phase"] == "call_auction"
    market = {"symbol": SYMBOL, "side": "buy", "order_type": "market", "quantity": 1}
    assert (await place(venue, "alice", market))["reason"] == "not_in_auction"
    await place(venue, "alice", order("buy", "474000", 5))
    sell = await place(venue, "bob", order("sell", "472000", 3))
    assert (sell["state"], sell["cum_qty"]) == ("new", 0)
    now = await ticker(venue)
    assert (now["phase"], now["auction_ends_at"], now["last"]) == ("call_auction", None, None)
    assert [now[f"indicative_{name}"] for name in ("price", "volume", "imbalance")] == ["473000.00", 3, 2]

    await done(await operator.put(f"{ADMIN}/instruments/{SYMBOL}/phase", json={"phase": "auction_matching"}))
    now = await ticker(venue)
    assert (now["phase"], now["last"], now["indicative_price"]) == ("auction_matching", "473000.00", None)
    assert (await place(venue, "alice", order("buy", "474000", 5)))["reason"] == "market_closed"
    (trade,) = (await venue.client("alice").get(f"/v1/market/{SYMBOL}/trades")).json()
    assert (trade["auction"], trade["taker_side"], trade["quantity"]) == (True, None, 3)
    for name in ("alice", "bob"):
        (fill,) = (await venue.client(name).get("/v1/fills")).json()["fills"]
        assert (fill["liquidity"], fill["price"], fill["fee"]) == ("auction", "473000.00", "709.50")


async def test_a_volatility_auction_takes_over_and_ends_by_itself(venue: RunningVenue) -> None:
    operator = venue.client("operator")
    band = {"rate": "0.01", "auction_seconds": 120}
    await done(await operator.put(f"{ADMIN}/instruments/{SYMBOL}/volatility_band", json=band))
    listed = await instrument(venue)
    assert (listed["volatility_rate"], listed["auction_seconds"]) == ("0.010000", 120)
    await place(venue, "bob", order("sell", "480000", 2))
    rests = await place(venue, "alice", order("buy", "480000", 1))
    assert (rests["state"], rests["cum_qty"]) == ("new", 0)
    now = await ticker(venue)
    assert (now["phase"], now["auction_ends_at"][:19]) == ("call_auction", "2023-12-01T02:02:00")
    assert (now["indicative_price"], now["indicative_volume"], now["indicative_imbalance"]) == ("480000.00", 1, -1)
    venue.clock.now_ns += 121 * 10**9
    await place(venue, "alice", order("buy", "450000", 1))
    now = await ticker(venue)
    assert (now["phase"], now["auction_ends_at"], now["last"]) == ("continuous", None, "480000.00")


async def test_a_bust_gives_everything_back(venue: RunningVenue) -> None:
    operator, alice, bob = venue.client("operator"), venue.client("alice"), venue.client("bob")

    async def balances() -> list[Any]:
        accounts = [await done(await client.get("/v1/account")) for client in (alice, bob)]
        return [(account["cash"], account["holdings"], account["day_turnover"]) for account in accounts]

    before = await balances()
    await place(venue, "bob", order("sell", "473000", 3))
    taken = await place(venue, "alice", order("buy", "473000", 2))
    (fill,) = (await alice.get("/v1/fills")).json()["fills"]
    path = f"{ADMIN}/trades/{fill['trade_id']}/bust"
    await alice.delete("/v1/orders?symbol=*")
    await bob.delete("/v1/orders?symbol=*")
    reply = await done(await operator.post(path, json={"reason": "fat finger"}))
    assert reply == {"trade_id": fill["trade_id"], "seq": venue.sequencer.last_seq}
    assert await balances() == before
    for client in (alice, bob):
        (one,) = (await client.get("/v1/fills")).json()["fills"]
        assert (one["busted"], one["trade_id"]) == (True, fill["trade_id"])
    assert (await alice.get(f"/v1/orders/{taken['order_id']}")).json() == taken
    (trade,) = (await alice.get(f"/v1/market/{SYMBOL}/trades")).json()
    assert trade["busted"] is True
    now = await ticker(venue)
    assert (now["trades"], now["volume"], now["turnover"], now["last"]) == (0, 0, "0.00", "473000.00")
    row = [row async for row in venue.journal.read(reply["seq"] - 1)][-1]
    assert BustText.model_validate_json(row.attachments[0]).reason == "fat finger"
    again = await operator.post(path, json={"reason": "fat finger"})
    assert (again.status_code, again.json()["code"]) == (404, "unknown_trade")


async def test_a_bust_that_cannot_be_given_back_is_declined(venue: RunningVenue) -> None:
    operator = venue.client("operator")
    await place(venue, "bob", order("sell", "473000", 2))
    await place(venue, "alice", order("buy", "473000", 2))
    await place(venue, "alice", order("sell", "490000", 1_002))
    (fill,) = (await venue.client("alice").get("/v1/fills")).json()["fills"]
    reply = await operator.post(f"{ADMIN}/trades/{fill['trade_id']}/bust", json={"reason": "x"})
    assert (reply.status_code, reply.json()["code"]) == (409, "insufficient_inventory")
    assert reply.json()["detail"] == "The buyer has too few lots available to give back."
    await venue.client("alice").delete("/v1/orders?symbol=*")
    cash = (await done(await venue.client("bob").get("/v1/account")))["cash"]
    await done(await operator.post(f"{ADMIN}/accounts/3/cash", json={"amount": f"-{cash}"}))
    reply = await operator.post(f"{ADMIN}/trades/{fill['trade_id']}/bust", json={"reason": "x"})
    assert (reply.status_code, reply.json()["code"]) == (409, "insufficient_funds")
    assert reply.json()["detail"] == (
        "The seller has too little cash available to give back, or the venue too little for the fees."
    )


CANNOT: list[tuple[str, str, Any, int, str, str | None]] = [
    ("PUT", "/accounts/99/limits", {}, 404, "unknown_account", None),
    ("PUT", "/accounts/2/limits", {"max_order_value": "-5"}, 422, "invalid_amount", "max_order_value"),
    ("POST", "/accounts/99/kill_switch/on", None, 404, "unknown_account", None),
    ("POST", "/kill_switch/maybe", None, 422, "validation_failed", "switch"),
    ("PUT", "/fees/256", {"maker_rate": "0", "taker_rate": "0"}, 422, "validation_failed", "account_class"),
    ("PUT", "/instruments/GOLD/collar", {"rate": "0.1"}, 404, "unknown_symbol", None),
    ("PUT", "/instruments/ND-OX/phase", {"phase": "halted"}, 422, "validation_failed", "phase"),
    ("PUT", "/instruments/ND-OX/volatility_band", {"rate": "0.1", "auction_seconds": 0}, 422, "invalid_expiry",
     "auction_seconds"),
    ("POST", "/trades/x/bust", {"reason": "x"}, 404, "unknown_trade", None),
    ("POST", "/trades/1048577/bust", {"reason": "x"}, 404, "unknown_trade", None),
    ("POST", "/trades/1048577/bust", {"reason": "a\nb"}, 422, "validation_failed", "reason"),
    ("POST", "/accounts", {"name": "\x1b[2J"}, 422, "validation_failed", "name"),
]  # fmt: skip
"""What is beyond a field's bounds is in test_gateway_bounds.py."""


async def test_what_an_operator_cannot_do(refusing_venue: RunningVenue) -> None:
    for method, path, body, status, code, field in CANNOT:
        reply = await refusing_venue.client("operator").request(method, f"{ADMIN}{path}", json=body)
        assert (reply.status_code, reply.json()["code"]) == (status, code), path
        assert [error["field"] for error in reply.json()["errors"]] == ([] if field is None else [field])
