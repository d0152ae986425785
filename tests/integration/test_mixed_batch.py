"""Mixed batches, lists of cancels and tests of orders, over REST and WebSocket, through the whole venue."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.served_venue import Served, served_venue
from tests.integration.test_websocket_orders import ask, limit, open_socket
from tests.integration.venue import RunningVenue

pytestmark = pytest.mark.anyio


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    async with served_venue(tmp_path) as running:
        yield running


MIXED: list[dict[str, Any]] = [
    {"place": limit("buy", "473000", 3, client_order_id="a")},
    {"amend": {"client_order_id": "a", "quantity": 5}},
    {"place": limit("buy", "473000.50", 1)},
    {"amend": {"client_order_id": "nobody", "quantity": 5}},
    {"cancel": {"client_order_id": "a"}},
    {"cancel": {"client_order_id": "a"}},
    {"place": limit("sell", "473000", 900_000_000)},
    {"place": limit("sell", "474000", 1, client_order_id="b")},
    {"amend": {"client_order_id": "b", "price": "473900"}},
    {"amend": {"client_order_id": "b"}},
    {"cancel": {"order_id": "999999", "client_order_id": "b"}},
]


def outcomes(results: list[dict[str, Any]]) -> list[Any]:
    """The client_order_id and state of each order, as it stands after the batch, or the code of the problem."""
    return [
        (result["order"]["client_order_id"], result["order"]["state"]) if result["order"] else result["error"]["code"]
        for result in results
    ]


EXPECTED = [
    ("a", "canceled"), ("a", "canceled"), "price_off_tick", "unknown_order", ("a", "canceled"), "order_not_open",
    "invalid_quantity", ("b", "new"), ("b", "new"), "invalid_option", "validation_failed",
]  # fmt: skip


async def test_each_request_of_a_mixed_batch_has_its_result_in_order(served: Served) -> None:
    alice, journal = served.venue.client("alice"), served.venue.state.last_seq
    reply = await alice.post("/v1/orders/mixed_batch", json={"requests": MIXED})
    assert reply.status_code == 200, reply.text
    assert outcomes(reply.json()["results"]) == EXPECTED
    assert served.venue.state.last_seq == journal + 6, "what is no command takes no number"
    assert (await alice.get("/v1/orders?state=open")).json()["orders"][0]["price"] == "473900.00"


async def test_a_batch_in_one_frame_has_one_reply_with_the_same_results(served: Served) -> None:
    async with open_socket(served) as socket:
        reply = await ask(socket, {"method": "batch", "params": {"requests": MIXED}, "req_id": 7})
        assert reply["req_id"] == 7
        assert outcomes(reply["result"]["results"]) == EXPECTED
        refused = await ask(
            socket, {"method": "batch", "params": {"requests": [{"place": {"symbol": 3}}]}, "req_id": 8}
        )
        assert refused["error"]["code"] == "validation_failed"
        assert refused["error"]["errors"][0]["field"] == "requests.0.place.symbol"


async def test_a_body_that_breaks_the_schema_is_refused_whole(refusing_venue: RunningVenue) -> None:
    cancel, place = {"cancel": {"order_id": "1"}}, limit("buy", "473000", 1)
    for requests, field in (
        ([], "requests"),
        ([{}], "requests.0"),
        ([cancel | {"place": place}], "requests.0"),
        ([cancel] * 501, "requests"),
        ([cancel, {"amend": {"order_id": "x"}}], "requests.1.amend.order_id"),
        ([{"place": place | {"sid": "x"}}], "requests.0.place.sid"),
    ):
        reply = await refusing_venue.client("alice").post("/v1/orders/mixed_batch", json={"requests": requests})
        assert (reply.status_code, reply.json()["errors"][0]["field"]) == (422, field), reply.text


async def test_five_hundred_orders_are_placed_and_canceled_by_their_ids(served: Served) -> None:
    alice = served.venue.client("alice")
    places = [{"place": limit("buy", "470000", 1, client_order_id=f"c-{number}")} for number in range(500)]
    placed = (await alice.post("/v1/orders/mixed_batch", json={"requests": places})).json()["results"]
    seqs = [int(result["order"]["order_id"]) for result in placed]
    assert seqs == list(range(seqs[0], seqs[0] + 500))
    ids = {
        "order_ids": [str(seq) for seq in seqs[:250]],
        "client_order_ids": [f"c-{number}" for number in range(250, 500)],
    }
    canceled = (await alice.post("/v1/orders/cancel", json=ids)).json()["results"]
    assert [result["order"]["client_order_id"] for result in canceled] == [f"c-{number}" for number in range(500)]
    assert {result["order"]["state"] for result in canceled} == {"canceled"}
    key = served.venue.state.find_key(served.venue.keys["alice"].key)
    assert key is not None
    assert served.venue.order_entry.pending.in_flight[key.key_id] == 0


async def test_a_list_of_cancels_over_the_socket_and_by_an_operator(served: Served) -> None:
    bob = served.venue.client("bob")
    orders = [(await bob.post("/v1/orders", json=limit("sell", "474000", 1))).json()["order_id"] for _ in range(2)]
    async with open_socket(served) as socket:
        reply = await ask(socket, {"method": "cancel_orders", "params": {"order_ids": orders}, "req_id": 1})
        assert [result["error"]["code"] for result in reply["result"]["results"]] == ["unknown_order"] * 2
    operator = served.venue.client("operator")
    canceled = await operator.post("/v1/orders/cancel", json={"order_ids": orders})
    assert [result["order"]["state"] for result in canceled.json()["results"]] == ["canceled"] * 2
    empty = await operator.post("/v1/orders/cancel", json={})
    assert (empty.status_code, empty.json()["errors"][0]["field"]) == (422, "order_ids")
    mixed = await operator.post("/v1/orders/mixed_batch", json={"requests": [{"cancel": {"order_id": orders[0]}}]})
    assert mixed.json()["code"] == "scope_missing"


async def test_a_test_places_nothing_and_says_what_the_order_costs(served: Served) -> None:
    alice, seq = served.venue.client("alice"), served.venue.state.last_seq
    body = limit("buy", "473000", 3, client_order_id="t")
    tested = (await alice.post("/v1/orders/test", json=body)).json()
    assert served.venue.state.last_seq == seq == tested["seq"]
    account = (await alice.get("/v1/account")).json()
    placed = (await alice.post("/v1/orders", json=body)).json()
    after = (await alice.get("/v1/account")).json()
    assert (tested["verdict"], tested["reason"], tested["price"]) == ("accepted", None, placed["price"])
    assert (account["reserved"], after["reserved"]) == ("0.00", tested["reserve"])
    assert tested["available_after"] == after["available"]
    async with open_socket(served) as socket:
        repeated = (await ask(socket, {"method": "test_order", "params": body, "req_id": 1}))["result"]
        assert (repeated["verdict"], repeated["repeats"]) == ("repeated", placed["order_id"])
        too_much = {**limit("sell", "473500", 5_000), "client_order_id": "u"}
        poor = (await ask(socket, {"method": "test_order", "params": too_much, "req_id": 2}))["result"]
        rejected = (await alice.post("/v1/orders", json=too_much)).json()
        assert (poor["verdict"], poor["reason"], poor["reason_text"]) == (
            "rejected", rejected["reason"], rejected["reason_text"],
        )  # fmt: skip
        off_tick = await ask(socket, {"method": "test_order", "params": limit("buy", "473000.50", 1), "req_id": 3})
        assert off_tick["error"]["code"] == "price_off_tick"


async def test_the_fees_of_a_test_are_those_of_the_fills(served: Served) -> None:
    alice, bob = served.venue.client("alice"), served.venue.client("bob")
    maker = (await bob.post("/v1/orders/test", json=limit("sell", "473100", 3))).json()["fee_as_maker"]
    taker = (await alice.post("/v1/orders/test", json=limit("buy", "473100", 3))).json()["fee_as_taker"]
    await bob.post("/v1/orders", json=limit("sell", "473100", 3))
    await alice.post("/v1/orders", json=limit("buy", "473100", 3))
    fills = [(await client.get("/v1/fills")).json()["fills"][0]["fee"] for client in (bob, alice)]
    assert fills == [maker, taker]
