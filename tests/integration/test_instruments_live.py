"""Instruments of a running venue: listed, changed, delisted, and learned by every reader while it runs and after a restart."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from matching_engine.limits import MAX_INSTRUMENTS
from matching_engine.records import Command
from services.commands.administrative import list_instrument
from services.commands.attachments import ListingText
from services.messaging import Submission
from tests.integration.logged_in import NOBODY
from tests.integration.test_client_methods import SCANDIUM, SIGNED
from tests.integration.venue import RunningVenue, running_venue
from tests.patience import AsyncHttpClient

pytestmark = pytest.mark.anyio

INSTRUMENTS, SYMBOL = "/v1/admin/instruments", "SC-OX"
LISTING = SCANDIUM | SIGNED
Json = dict[str, Any]


async def listed(client: AsyncHttpClient, symbol: str = SYMBOL) -> Json | None:
    found = (await client.get("/v1/instruments")).raise_for_status().json()
    return next((one for one in found if one["symbol"] == symbol), None)


async def post(client: AsyncHttpClient, path: str, body: Json) -> Json:
    answer: Json = (await client.post(path, json=body)).raise_for_status().json()
    return answer


async def refused(client: AsyncHttpClient, body: Json, **more: Any) -> tuple[int, str, list[str]]:
    reply = await client.post(INSTRUMENTS, json=body, **more)
    problem = reply.json()
    return reply.status_code, problem["code"], [error["field"] for error in problem.get("errors", [])]


async def trade(venue: RunningVenue, quantity: int = 2) -> Json:
    """Alice gets goods, and sells them to Bob."""
    operator = venue.client("operator")
    await post(operator, "/v1/admin/accounts/2/inventory", {"symbol": SYMBOL, "quantity": quantity})
    order = {"symbol": SYMBOL, "price": "6001.00", "quantity": quantity}
    await post(venue.client("alice"), "/v1/orders", order | {"side": "sell"})
    return await post(venue.client("bob"), "/v1/orders", order | {"side": "buy"})


async def test_a_listed_instrument_trades_at_once_and_after_a_restart(tmp_path: Path) -> None:
    async with running_venue(tmp_path) as venue:
        operator, alice = venue.client("operator"), venue.client("alice")
        assert await listed(alice) is None
        reply = await operator.post(INSTRUMENTS, json=LISTING)
        assert (reply.status_code, reply.json()) == (201, {"symbol": SYMBOL, "seq": venue.state.last_seq})
        instrument = await listed(alice)
        assert instrument is not None
        assert {name: instrument[name] for name in SCANDIUM} == SCANDIUM | {"band_rate": "0.060000"}
        assert (instrument["lower_limit"], instrument["upper_limit"]) == ("5640.00", "6360.00")
        assert (instrument["phase"], instrument["collar_rate"]) == ("continuous", None)
        assert (await trade(venue))["state"] == "filled"
        collar = {"rate": "0.05"}
        (await operator.put(f"{INSTRUMENTS}/{SYMBOL}/collar", json=collar)).raise_for_status()
    async with running_venue(tmp_path) as venue:
        alice = venue.client("alice")
        known = await listed(alice)
        assert known is not None
        assert (known["name_zh"], known["collar_rate"]) == ("氧化钪", "0.050000")
        ticker = (await alice.get(f"/v1/market/{SYMBOL}/ticker")).json()
        assert (ticker["last"], ticker["volume"]) == ("6001.00", 2)
        report = (await alice.get("/v1/reports/turnover/2023", params={"at_least_seq": venue.state.last_seq})).json()
        assert {line["symbol"]: line["net"] for line in report["products"]}[SYMBOL] == "120020.00"
        assert (await trade(venue))["state"] == "filled"


async def test_a_listing_that_cannot_be_is_refused_with_the_field(venue: RunningVenue) -> None:
    operator, seq = venue.client("operator"), venue.state.last_seq
    wrong: dict[str, tuple[Json, str]] = {
        "a fen is not divided": ({"tick_size": "0.01", "lot_size": 1, "reference_price": "1", "unit": "t"}, ""),
        "a tick of nothing": ({"tick_size": "0"}, "tick_size"),
        "part of a fen": ({"tick_size": "0.0005"}, "tick_size"),
        "a tick too dear": ({"tick_size": "46566.13", "lot_size": 1}, "tick_size"),
        "off the tick": ({"reference_price": "6000.50"}, "reference_price"),
        "no price": ({"reference_price": "0"}, "reference_price"),
        "no band": ({"band_rate": "0"}, "band_rate"),
        "the whole price": ({"band_rate": "1"}, "band_rate"),
        "no lots": ({"max_quantity": 0}, "max_quantity"),
        "too many lots": ({"max_quantity": 1_000_000_001}, "max_quantity"),
        "small letters": ({"symbol": "sc-ox"}, "symbol"),
        "a long symbol": ({"symbol": "A" * 17}, "symbol"),
        "a long name": ({"name_en": "A" * 81}, "name_en"),
        "a name that turns the line": ({"name_zh": "\u202e"}, "name_zh"),
        "no reason": ({"reason": ""}, "reason"),
        "no lot": ({"lot_size": 0}, "lot_size"),
    }
    assert (await operator.post(INSTRUMENTS, json=LISTING | wrong.pop("a fen is not divided")[0])).status_code == 201
    found = {name: await refused(operator, LISTING | {"symbol": "X"} | body) for name, (body, _) in wrong.items()}
    assert {name: (status, fields) for name, (status, _, fields) in found.items()} == {
        name: (422, [field]) for name, (_, field) in wrong.items()
    }
    assert venue.state.last_seq == seq + 1


async def test_a_symbol_is_listed_once_and_a_repeat_is_told_its_seq(venue: RunningVenue) -> None:
    operator, key = venue.client("operator"), {"Idempotency-Key": "one"}
    first = await operator.post(INSTRUMENTS, json=LISTING, headers=key)
    again = await operator.post(INSTRUMENTS, json=LISTING, headers=key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    count = len(venue.state.instruments)
    assert await refused(operator, LISTING) == (409, "symbol_taken", [])
    assert await refused(operator, LISTING | {"symbol": "PRND-OX"}) == (409, "symbol_taken", [])
    assert len(venue.state.instruments) == count


async def test_of_two_listings_at_one_moment_one_gets_the_number(venue: RunningVenue) -> None:
    """Another gateway's listing has taken the number, which this one does not know yet."""
    operator = venue.client("operator")
    known = venue.state.instruments.pop()
    assert await refused(operator, LISTING) == (409, "symbol_taken", [])
    venue.state.instruments.append(known)
    assert (await post(operator, INSTRUMENTS, LISTING))["symbol"] == SYMBOL


async def test_a_full_venue_names_its_room(venue: RunningVenue) -> None:
    operator, last = venue.client("operator"), venue.state.instruments[-1]

    def listing(sender: Command, number: int) -> Submission:
        text = ListingText(**last.facts | {"symbol": f"X{number}"})
        terms = {"tick_value_fen": 1, "reference_ticks": 1, "band_ppm": 1, "max_quantity_lots": 1}
        return list_instrument(sender, number, **terms, text=text)

    for number in range(last.number + 1, MAX_INSTRUMENTS - 1):
        await venue.inbox.put(listing(Command(), number))
    await venue.order_entry.execute(NOBODY, lambda sender: listing(sender, MAX_INSTRUMENTS - 1))
    problem = (await operator.post(INSTRUMENTS, json=LISTING)).json()
    assert (problem["status"], problem["code"]) == (409, "too_many")
    assert "1,024 instruments" in problem["detail"]


CHANGE = {"band_rate": "0.02", "collar_rate": "0.01", "max_quantity": 5, "name_en": "Scandium oxide 5N"} | SIGNED


ONE_EACH: list[Json] = [
    {"band_rate": "0.08"},
    {"max_quantity": 7},
    {"name_en": "Scandium"},
    {"name_zh": "钪"},
    {"note": "none is left"},
]


async def change(venue: RunningVenue, body: Json, symbol: str = SYMBOL) -> int:
    reply = await venue.client("operator").patch(f"{INSTRUMENTS}/{symbol}", json=body)
    seq: int = reply.raise_for_status().json()["seq"]
    return seq


async def test_changed_terms_hold_at_once_and_after_a_restart(tmp_path: Path) -> None:
    expected = {
        "lower_limit": "5880.00", "upper_limit": "6120.00", "collar_rate": "0.010000", "max_quantity": 5,
        "name_en": "Scandium oxide 5N", "name_zh": "氧化钪",
    }  # fmt: skip

    async def terms(venue: RunningVenue) -> Json:
        known = await listed(venue.client("alice"))
        assert known is not None
        ticker = (await venue.client("alice").get(f"/v1/market/{SYMBOL}/ticker")).json()
        assert (ticker["lower_limit"], ticker["upper_limit"]) == (known["lower_limit"], known["upper_limit"])
        return {name: known[name] for name in expected}

    async with running_venue(tmp_path) as venue:
        await post(venue.client("operator"), INSTRUMENTS, LISTING)
        low = {"symbol": SYMBOL, "side": "buy", "price": "5700.00", "quantity": 6}
        order = await post(venue.client("alice"), "/v1/orders", low)
        await change(venue, CHANGE)
        assert await terms(venue) == expected
        ended = (await venue.client("alice").get(f"/v1/orders/{order['order_id']}")).json()
        assert (ended["state"], ended["reason"]) == ("canceled", "outside_band")
        (action,) = (await venue.client("operator").get("/v1/admin/log", params={"kind": "change_instrument"})).json()[
            "actions"
        ]
        assert (action["person"], action["why"]) == ("Li Na", "a test")
        assert {name: action["fields"][name] for name in ("symbol", "band_rate", "collar_rate", "max_quantity")} == {
            "symbol": SYMBOL, "band_rate": "0.020000", "collar_rate": "0.010000", "max_quantity": 5,
        }  # fmt: skip
    async with running_venue(tmp_path) as venue:
        assert await terms(venue) == expected
        await change(venue, {"collar_rate": "0", "note": "none is left"} | SIGNED)
        known = await listed(venue.client("alice"))
        assert known is not None
        assert (known["collar_rate"], known["note"], known["upper_limit"]) == (None, "none is left", "6120.00")


async def test_changes_at_one_moment_all_hold(venue: RunningVenue) -> None:
    operator, path = venue.client("operator"), f"{INSTRUMENTS}/{SYMBOL}"
    await post(operator, INSTRUMENTS, LISTING)
    await asyncio.gather(
        operator.put(f"{path}/collar", json={"rate": "0.05"}),
        *(operator.patch(path, json=change | SIGNED) for change in ONE_EACH),
    )
    known = await listed(operator)
    assert known is not None
    assert known["upper_limit"] == "6480.00"
    assert {name: known[name] for name in ("collar_rate", "max_quantity", "name_en", "name_zh", "note")} == {
        "collar_rate": "0.050000", "max_quantity": 7, "name_en": "Scandium", "name_zh": "钪", "note": "none is left",
    }  # fmt: skip
    log = (await operator.get("/v1/admin/log", params={"kind": "change_instrument"})).json()["actions"]
    assert sorted(next(iter(action["fields"].keys() - SIGNED.keys() - {"symbol"})) for action in log) == [
        "band_rate", "max_quantity", "name_en", "name_zh", "note",
    ]  # fmt: skip
    assert {len(action["fields"]) for action in log} == {len(SIGNED) + 2}


async def test_terms_that_cannot_be_are_refused_with_the_field(venue: RunningVenue) -> None:
    operator, seq = venue.client("operator"), venue.state.last_seq
    wrong: dict[str, tuple[Json, str]] = {
        "nothing changes": ({}, "body"),
        "no band": ({"band_rate": "0"}, "band_rate"),
        "no collar at all": ({"collar_rate": "1"}, "collar_rate"),
        "no lots": ({"max_quantity": 0}, "max_quantity"),
        "no name": ({"name_zh": ""}, "name_zh"),
        "the tick": ({"tick_size": "2.00"}, "tick_size"),
        "the lot": ({"lot_size": 2}, "lot_size"),
        "the symbol": ({"symbol": "X"}, "symbol"),
        "no reason": ({"max_quantity": 5, "reason": ""}, "reason"),
    }
    for name, (body, field) in wrong.items():
        reply = await operator.patch(f"{INSTRUMENTS}/ND-OX", json=SIGNED | body)
        told = reply.status_code, [error["field"] for error in reply.json()["errors"]]
        assert told == (422, [field]), name
    assert (await operator.patch(f"{INSTRUMENTS}/NONE", json=CHANGE)).status_code == 404
    assert venue.state.last_seq == seq


async def test_a_delisted_instrument_is_out_of_trading_and_its_goods_are_released(tmp_path: Path) -> None:
    async with running_venue(tmp_path) as venue:
        operator, bob = venue.client("operator"), venue.client("bob")
        await post(operator, INSTRUMENTS, LISTING)
        await trade(venue)
        resting = await post(bob, "/v1/orders", {"symbol": SYMBOL, "side": "sell", "price": "6100.00", "quantity": 1})
        reply = await operator.post(f"{INSTRUMENTS}/{SYMBOL}/delist", json=SIGNED)
        assert (reply.status_code, reply.json()) == (200, {"seq": venue.state.last_seq})
        ended = (await bob.get(f"/v1/orders/{resting['order_id']}")).json()
        assert (ended["state"], ended["reason"]) == ("canceled", "instrument_delisted")
        (action,) = (await operator.get("/v1/admin/log", params={"kind": "delist_instrument"})).json()["actions"]
        assert (action["fields"]["symbol"], action["person"], action["why"]) == (SYMBOL, "Li Na", "a test")
    async with running_venue(tmp_path) as venue:
        operator, bob = venue.client("operator"), venue.client("bob")
        known = await listed(bob)
        assert known is not None
        assert known["phase"] == "delisted"
        assert (await bob.get(f"/v1/market/{SYMBOL}/ticker")).json()["phase"] == "delisted"
        (await operator.post("/v1/admin/resume")).raise_for_status()
        order = {"symbol": SYMBOL, "side": "sell", "price": "6100.00", "quantity": 1}
        refusal = await post(bob, "/v1/orders", order)
        assert (refusal["state"], refusal["reason"]) == ("rejected", "no_longer_listed")
        assert (await post(bob, "/v1/orders/test", order))["reason"] == "no_longer_listed"
        for method, path, body in (
            ("POST", "delist", SIGNED), ("PATCH", "", CHANGE), ("PUT", "collar", {"rate": "0.05"}), ("POST", "halt", {}),
            ("PUT", "phase", {"phase": "closed"}),
        ):  # fmt: skip
            reply = await operator.request(method, f"{INSTRUMENTS}/{SYMBOL}/{path}".rstrip("/"), json=body)
            assert (reply.status_code, reply.json()["code"]) == (409, "no_longer_listed"), path
        assert await refused(operator, LISTING) == (409, "symbol_taken", [])
        (held,) = [one for one in (await bob.get("/v1/account")).json()["holdings"] if one["symbol"] == SYMBOL]
        assert (held["quantity"], held["available"]) == (2, 2)
        await post(operator, "/v1/admin/accounts/3/inventory", {"symbol": SYMBOL, "quantity": -2})
