"""Every kind of order over REST, through the whole venue."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.integration.venue import RunningVenue, running_venue

pytestmark = pytest.mark.anyio


def order(side: str, price: str | None, quantity: int, **more: Any) -> dict[str, Any]:
    return {"symbol": "PRND-OX", "side": side, "price": price, "quantity": quantity, **more}


async def place(venue: RunningVenue, name: str, body: dict[str, Any]) -> dict[str, Any]:
    reply = await venue.client(name).post("/v1/orders", json=body)
    assert reply.status_code == 201, reply.json()
    placed: dict[str, Any] = reply.json()
    return placed


STOP = {"order_type": "stop", "stop_price": "474000"}
AT_TEN = {"time_in_force": "gtd", "expire_time": "2023-12-01T10:30:00+08:00"}
WAITS = {"state": "new", "stop_price": "474000.00", "triggered": False}

KINDS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (
        order("buy", None, 2, **STOP),
        WAITS | {"order_type": "stop", "price": None, "protection_price": "501300.00"},
    ),
    (order("buy", "475000", 2, **STOP | {"order_type": "stop_limit"}), WAITS | {"price": "475000.00"}),
    (order("buy", "473000", 3, time_in_force="fok"), {"state": "canceled", "reason": "fill_or_kill", "cum_qty": 0}),
    (order("buy", "473000", 3, time_in_force="ioc"), {"state": "canceled", "reason": "immediate_or_cancel"}),
    (
        order("buy", None, 1, order_type="market"),
        {"state": "canceled", "reason": "no_liquidity", "order_type": "market"},
    ),
    (order("buy", "470000", 1, post_only=True), {"state": "new", "post_only": True}),
    (order("buy", "470000", 10, display_quantity=4), {"state": "new", "display_quantity": 4, "leaves_qty": 10}),
    (order("buy", "470000", 1, time_in_force="gtc"), {"state": "new", "time_in_force": "gtc"}),
    (
        order("buy", "470000", 1, **AT_TEN),
        {"state": "new", "time_in_force": "gtd", "expire_time": "2023-12-01T02:30:00Z"},
    ),
    (
        order("buy", "470000", 1, **AT_TEN | {"expire_time": "2023-12-01T01:00:00Z"}),
        {"state": "rejected", "reason": "invalid_expiry"},
    ),
    *(
        (order("buy", "470000", 1, self_trade_prevention=mode), {"state": "new", "self_trade_prevention": mode})
        for mode in ("cancel_newest", "cancel_oldest", "cancel_both", "decrement")
    ),
]
"""What is sent, and what comes back. What becomes of each in the market is in tests/scenarios."""


async def test_every_field_of_an_order_comes_back(venue: RunningVenue) -> None:
    for body, expected in KINDS:
        placed = await place(venue, "alice", body)
        assert {name: placed[name] for name in expected} == expected
        assert await as_it_stands(venue, placed) == placed


async def as_it_stands(venue: RunningVenue, placed: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = (await venue.client("operator").get(f"/v1/orders/{placed['order_id']}")).json()
    return found


async def amend(venue: RunningVenue, placed: dict[str, Any], **changes: Any) -> tuple[int, dict[str, Any]]:
    reply = await venue.client("alice").patch(f"/v1/orders/{placed['order_id']}", json=changes)
    return reply.status_code, reply.json()


async def test_every_change_of_an_order_comes_back(venue: RunningVenue) -> None:
    resting = await place(venue, "alice", order("buy", "470000", 5))
    stop = await place(
        venue, "alice", order("sell", "470000", 2, **STOP | {"order_type": "stop_limit", "stop_price": "471000"})
    )
    for placed, changes, expected in (
        (resting, {"quantity": 4}, {"quantity": 4, "leaves_qty": 4}),
        (resting, {"price": "471000", "quantity": 6}, {"price": "471000.00", "quantity": 6}),
        (resting, {"display_quantity": 2}, {"display_quantity": 2}),
        (
            stop,
            {"stop_price": "472000", "price": "471500"},
            {"stop_price": "472000.00", "price": "471500.00", "triggered": False},
        ),
    ):
        status, amended = await amend(venue, placed, **changes)
        assert (status, {name: amended[name] for name in expected}) == (200, expected)
        assert await as_it_stands(venue, placed) == amended


async def test_a_refused_amend_says_why_and_leaves_the_order(venue: RunningVenue) -> None:
    mine = await place(venue, "alice", order("buy", "473000", 5, client_order_id="mine"))
    for changes, code in (
        ({"price": "600000"}, "price_above_band"),
        ({"quantity": 50_000}, "insufficient_funds"),
        ({"stop_price": "473000"}, "invalid_trigger"),
        ({"quantity": 1_000, "display_quantity": 9}, "invalid_display"),
    ):
        status, problem = await amend(venue, mine, **changes)
        assert (status, problem["code"]) == (409, code)
        assert await as_it_stands(venue, mine) == mine
    assert (await amend(venue, mine, quantity=50_000))[1]["detail"] == (
        "The account has too little cash available. Available: ¥ 997,633,817.50."
    )
    status, problem = await amend(venue, mine)
    assert (status, problem["code"]) == (422, "invalid_option")
    status, problem = await amend(venue, mine, price="473000.50")
    assert (status, problem["errors"][0]["field"]) == (422, "price")
    bob = await venue.client("bob").patch(f"/v1/orders/{mine['order_id']}", json={"quantity": 1})
    assert (bob.status_code, bob.json()["code"]) == (404, "unknown_order")
    alice = venue.client("alice")
    assert (await alice.patch("/v1/orders?client_order_id=mine", json={"quantity": 4})).json()["quantity"] == 4
    await alice.delete("/v1/orders?client_order_id=mine")
    for reply in (
        await alice.patch("/v1/orders?client_order_id=mine", json={"quantity": 3}),
        await alice.patch(f"/v1/orders/{mine['order_id']}", json={"quantity": 3}),
    ):
        assert (reply.status_code, reply.json()["code"]) == (409, "order_not_open")


async def test_a_mass_cancel_ends_what_it_names_and_nothing_else(venue: RunningVenue) -> None:
    alice, operator = venue.client("alice"), venue.client("operator")
    for name in ("alice", "bob"):
        await place(venue, name, order("buy", "472000", 1))
        await place(venue, name, order("sell", "474000", 1))
        await place(venue, name, order("buy", None, 1, order_type="stop", stop_price="480000"))
        await place(venue, name, order("sell", "30", 1) | {"symbol": "NDFEB-N35", "price": "150"})
    for query in (
        "",
        "?side=buy",
        "?client_order_id=x&symbol=*",
        "?symbol=GOLD",
        "?symbol=*&side=both",
        "?symbol=*&side=",
    ):
        assert (await alice.delete(f"/v1/orders{query}")).status_code == 422, query
    assert (await alice.delete("/v1/orders?symbol=*&account=3")).json()["code"] == "scope_missing"
    buys = (await alice.delete("/v1/orders?symbol=PRND-OX&side=buy")).json()
    assert buys == {
        "symbol": "PRND-OX",
        "side": "buy",
        "account": 2,
        "canceled": 2,
        "seq": venue.sequencer.last_seq,
    }
    ended = (await alice.get("/v1/orders?state=closed&symbol=PRND-OX")).json()["orders"]
    assert {(one["side"], one["state"], one["reason"]) for one in ended} >= {("buy", "canceled", "mass_cancel")}
    assert (await alice.get("/v1/account")).json()["open_orders"] == 1
    of_bob = (await operator.delete("/v1/orders?symbol=*&account=3")).json()
    assert (of_bob["account"], of_bob["side"], of_bob["canceled"]) == (3, None, 3)
    everybody = (await operator.delete("/v1/orders?symbol=*")).json()
    assert (everybody["symbol"], everybody["account"], everybody["canceled"]) == ("*", None, 1)
    assert (await operator.get("/v1/orders?state=open")).json()["orders"] == []


async def test_a_venue_that_starts_again_knows_every_kind_of_order(tmp_path: Path) -> None:
    paths = ("/v1/orders", "/v1/fills", "/v1/account", "/v1/market/PRND-OX/depth", "/v1/market/PRND-OX/trades")
    async with running_venue(tmp_path) as venue:
        await place(venue, "bob", order("sell", "474000", 1))
        await place(venue, "alice", order("buy", "475000", 2, order_type="stop_limit", stop_price="474000"))
        await place(venue, "alice", order("buy", "474000", 1, display_quantity=1))
        await place(venue, "alice", order("sell", None, 2, order_type="stop", stop_price="460000"))
        iceberg = await place(
            venue, "alice", order("buy", "473000", 300, display_quantity=3, time_in_force="gtc", client_order_id="i")
        )
        await amend(venue, iceberg, quantity=200, price="472900")
        before = [(await venue.client("alice").get(path)).json() for path in paths]
    assert [one["triggered"] for one in before[0]["orders"]] == [None, False, None, True]
    async with running_venue(tmp_path) as venue:
        after = [(await venue.client("alice").get(path)).json() for path in paths]
        assert after[:2] == before[:2]
        assert {**after[2], "seq": 0} == {**before[2], "seq": 0}
        assert after[3]["bids"] == before[3]["bids"]
        assert after[4] == before[4]
        canceled = (await venue.client("alice").delete("/v1/orders?client_order_id=i")).json()
        assert (canceled["quantity"], canceled["state"]) == (200, "canceled")
