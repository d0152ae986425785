from __future__ import annotations

from typing import Any

import pytest

from tests.integration.venue import RunningVenue

pytestmark = pytest.mark.anyio


def limit(side: str, price: str, quantity: int, **more: Any) -> dict[str, Any]:
    return {"symbol": "PRND-OX", "side": side, "price": price, "quantity": quantity, **more}


async def test_an_order_is_placed_read_and_canceled(venue: RunningVenue) -> None:
    alice = venue.client("alice")
    placed = await alice.post("/v1/orders", json=limit("buy", "473000", 3, client_order_id="a-1"))
    assert placed.status_code == 201
    order = placed.json()
    assert order == {
        "order_id": order["order_id"],
        "client_order_id": "a-1",
        "account": 2,
        "symbol": "PRND-OX",
        "side": "buy",
        "order_type": "limit",
        "time_in_force": "day",
        "price": "473000.00",
        "quantity": 3,
        "leaves_qty": 3,
        "cum_qty": 0,
        "avg_px": None,
        "fees": "0.00",
        "state": "new",
        "reason": None,
        "trading_date": "2023-12-01",
        "created_at": order["created_at"],
        "updated_at": order["created_at"],
        "seq": int(order["order_id"]),
        "stop_price": None,
        "triggered": None,
        "protection_price": None,
        "display_quantity": None,
        "expire_time": None,
        "post_only": False,
        "self_trade_prevention": "cancel_newest",
        "reason_text": None,
    }
    assert order["created_at"].startswith("2023-12-01T02:00:00.")
    assert (await alice.get(f"/v1/orders/{order['order_id']}")).json() == order
    assert (await alice.get("/v1/orders?state=open")).json() == {"orders": [order], "next_cursor": None}

    canceled = await alice.delete(f"/v1/orders/{order['order_id']}")
    assert canceled.status_code == 200
    assert (canceled.json()["state"], canceled.json()["reason"], canceled.json()["leaves_qty"]) == (
        "canceled",
        "requested",
        0,
    )
    again = await alice.delete(f"/v1/orders/{order['order_id']}")
    assert (again.status_code, again.json()["code"]) == (409, "order_not_open")
    assert (await alice.get("/v1/orders?state=open")).json()["orders"] == []


async def test_both_sides_of_a_trade_see_it_at_once(venue: RunningVenue) -> None:
    alice, bob = venue.client("alice"), venue.client("bob")
    resting = (await alice.post("/v1/orders", json=limit("sell", "473000", 5))).json()
    taken = (await bob.post("/v1/orders", json=limit("buy", "473100", 2, client_order_id="b-1"))).json()
    assert (taken["state"], taken["cum_qty"], taken["leaves_qty"]) == ("filled", 2, 0)
    assert (taken["avg_px"], taken["fees"]) == ("473000.000000", "473.00")
    maker = (await alice.get(f"/v1/orders/{resting['order_id']}")).json()
    assert (maker["state"], maker["cum_qty"], maker["leaves_qty"]) == ("partially_filled", 2, 3)

    (fill,) = (await bob.get("/v1/fills")).json()["fills"]
    assert fill == {
        "trade_id": str(int(taken["order_id"]) << 20 | 1),
        "order_id": taken["order_id"],
        "client_order_id": "b-1",
        "symbol": "PRND-OX",
        "side": "buy",
        "liquidity": "taker",
        "price": "473000.00",
        "quantity": 2,
        "amount": "946000.00",
        "fee": "473.00",
        "trading_date": "2023-12-01",
        "time": taken["updated_at"],
        "seq": int(taken["order_id"]),
        "busted": False,
    }
    (other,) = (await alice.get("/v1/fills")).json()["fills"]
    assert (other["side"], other["liquidity"], other["client_order_id"]) == ("sell", "maker", None)
    assert (other["trade_id"], other["order_id"]) == (fill["trade_id"], resting["order_id"])

    account = (await bob.get("/v1/account")).json()
    assert (account["cash"], account["reserved"], account["available"]) == (
        "999053527.00",
        "0.00",
        "999053527.00",
    )
    assert {"symbol": "PRND-OX", "quantity": 1002, "reserved": 0, "available": 1002} in account["holdings"]


async def test_a_declined_order_is_an_order(venue: RunningVenue) -> None:
    alice = venue.client("alice")
    reply = await alice.post("/v1/orders", json=limit("buy", "900000", 1))
    assert reply.status_code == 201
    assert (reply.json()["state"], reply.json()["reason"]) == ("rejected", "price_above_band")
    assert reply.json()["reason_text"] == "A price is above the day's upper limit. Limit: 501,300.00."
    closed = (await alice.get("/v1/orders?state=closed")).json()["orders"]
    assert closed == [reply.json()]


async def test_a_repeat_returns_the_order_as_it_stands(venue: RunningVenue) -> None:
    alice = venue.client("alice")
    body = limit("buy", "473000", 3, client_order_id="once")
    first = await alice.post("/v1/orders", json=body)
    await alice.delete("/v1/orders?client_order_id=once")
    second = await alice.post("/v1/orders", json=body)
    assert (first.status_code, second.status_code) == (201, 200)
    assert second.json()["order_id"] == first.json()["order_id"]
    assert second.json()["state"] == "canceled"
    other = await alice.post("/v1/orders", json={**body, "quantity": 4})
    assert (other.status_code, other.json()["code"]) == (422, "client_order_id_reused")
    assert other.json()["errors"][0]["field"] == "client_order_id"
    assert len((await alice.get("/v1/orders?client_order_id=once")).json()["orders"]) == 1


async def test_a_repeat_of_an_order_that_memory_has_forgotten(venue: RunningVenue) -> None:
    alice = venue.client("alice")
    body = limit("buy", "900000", 3, client_order_id="old")
    first = (await alice.post("/v1/orders", json=body)).json()
    venue.state.orders.ended.clear()
    second = await alice.post("/v1/orders", json=body)
    assert first["reason_text"] == "A price is above the day's upper limit. Limit: 501,300.00."
    forgotten = first | {"reason_text": "A price is above the day's upper limit."}
    assert (second.status_code, second.json()) == (200, forgotten)
    closed = await alice.delete(f"/v1/orders/{first['order_id']}")
    assert (closed.status_code, closed.json()["code"]) == (409, "order_not_open")


async def test_a_batch_answers_each_order_in_its_place(venue: RunningVenue) -> None:
    alice = venue.client("alice")
    orders = [
        limit("buy", "473000", 1, client_order_id="1"),
        limit("buy", "473000.50", 1),
        limit("buy", "900000", 1),
        limit("buy", "473000", 2, client_order_id="1"),
        limit("buy", "473000", 1, client_order_id="1"),
        {**limit("buy", "1", 1), "symbol": "GOLD"},
    ]
    reply = await alice.post("/v1/orders/batch", json={"orders": orders})
    assert reply.status_code == 200
    results = reply.json()["results"]
    assert [result["order"] and result["order"]["state"] for result in results] == [
        "new",
        None,
        "rejected",
        None,
        "new",
        None,
    ]
    assert [result["error"] and result["error"]["code"] for result in results] == [
        None,
        "price_off_tick",
        None,
        "client_order_id_reused",
        None,
        "unknown_symbol",
    ]
    assert results[4]["order"]["order_id"] == results[0]["order"]["order_id"]
    reply = await alice.post("/v1/orders/batch", json={"orders": orders[1:2]})
    assert reply.json()["results"][0]["error"]["code"] == "price_off_tick", "also where no order goes on"


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"symbol": "GOLD"}, "unknown_symbol", "symbol"),
        ({"price": "473000.50"}, "price_off_tick", "price"),
        ({"price": "0"}, "invalid_price", "price"),
        ({"order_type": "market", "price": None, "time_in_force": "day"}, "invalid_time_in_force", "time_in_force"),
        ({"quantity": 10**40}, "invalid_quantity", "quantity"),
        ({"surprise": 1}, "validation_failed", "surprise"),
    ],
)
async def test_what_the_venue_does_not_look_at(
    refusing_venue: RunningVenue, change: dict[str, Any], code: str, field: str
) -> None:
    """One of each kind: all of them are in the tests of order bodies and order commands."""
    alice, before = refusing_venue.client("alice"), refusing_venue.sequencer.last_seq
    body = {**limit("buy", "473000", 1, client_order_id="x"), **change}
    reply = await alice.post("/v1/orders", json=body)
    assert (reply.status_code, reply.headers["content-type"]) == (422, "application/problem+json")
    assert reply.json()["code"] == code
    assert [error["field"] for error in reply.json()["errors"]] == [field]
    assert refusing_venue.sequencer.last_seq == before
    assert (await alice.get("/v1/orders?client_order_id=x")).json()["orders"] == [], "the id is free"


async def test_pages_of_orders(venue: RunningVenue) -> None:
    alice = venue.client("alice")
    orders = [limit("buy", "473000", n + 1) for n in range(5)]
    await alice.post("/v1/orders/batch", json={"orders": orders})
    seen: list[int] = []
    cursor = ""
    while True:
        page = (await alice.get(f"/v1/orders?limit=2{cursor}")).json()
        seen += [order["quantity"] for order in page["orders"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert seen == [5, 4, 3, 2, 1]
    for wrong in ("x", "!!", "AAAA", "%00", "AAAAAAAAAAAA"):
        reply = await alice.get(f"/v1/orders?cursor={wrong}")
        assert (reply.status_code, reply.json()["code"]) == (422, "invalid_cursor")
