"""The log of operators and administrators: who did what, when and why; never a secret; by cursor, key, kind and time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from services.read_model.tables import records
from services.venue_state.keys import key_hash
from tests.integration.logged_in import PASSWORD, add_user, logged_in
from tests.integration.venue import START_NS, RunningVenue, running_venue

pytestmark = pytest.mark.anyio

SIGNED = {"reason": "board decision", "name": "Li Na"}
TERMS = {"band_rate": "0.08", "collar_rate": "0", "max_quantity": 500, "note": "wider", **SIGNED}
LISTING = {
    "symbol": "SC-OX", "name_en": "Scandium oxide", "name_zh": "氧化钪", "category": "deep_processed", "family": "oxide",
    "unit": "kg", "lot_size": 10, "tick_size": "1.00", "reference_price": "6000.00", "band_rate": "0.06",
    "max_quantity": 1000, "spec": "", "note": "", **SIGNED,
}  # fmt: skip
HOUR_NS = 3600 * 10**9
ORDER = {"symbol": "PRND-OX", "side": "buy", "price": "473000", "quantity": 1}


async def read_log(venue: RunningVenue, **query: Any) -> dict[str, Any]:
    reply = await venue.client("operator").get("/v1/admin/log", params=query)
    assert reply.status_code == 200, reply.text
    page: dict[str, Any] = reply.json()
    return page


async def kinds(venue: RunningVenue, **query: Any) -> list[str]:
    return [action["kind"] for action in (await read_log(venue, **query))["actions"]]


async def act(venue: RunningVenue, method: str, path: str, body: Any = None) -> dict[str, Any]:
    reply = await venue.client("operator").request(method, path, json=body)
    assert reply.status_code < 300, reply.text
    answer: dict[str, Any] = reply.json()
    return answer


async def test_each_action_is_there_with_its_fields_as_the_api_writes_them(venue: RunningVenue) -> None:
    assert await kinds(venue) == [], "the first start is the venue's own"
    steps: list[tuple[str, str, Any, str, dict[str, Any]]] = [
        ("POST", "/accounts", {"name": "new", "owner": 2}, "open_account", {"owner": 2, "account_class": 0, "name": "new"}),
        ("POST", "/accounts/2/cash", {"amount": "12.50"}, "deposit", {"account": 2, "amount": "12.50"}),
        ("POST", "/accounts/2/cash", {"amount": "-1.00"}, "withdraw", {"account": 2, "amount": "1.00"}),
        ("POST", "/accounts/3/inventory", {"symbol": "PRND-OX", "quantity": 7}, "receive",
         {"account": 3, "symbol": "PRND-OX", "quantity": 7}),
        ("POST", "/instruments/PRND-OX/halt", None, "halt", {"symbol": "PRND-OX"}),
        ("POST", "/halt", {"reason": "news", "name": "Li Na"}, "halt",
         {"symbol": "*", "reason": "news", "name": "Li Na"}),
        ("POST", "/resume", None, "resume", {"symbol": "*"}),
        ("PUT", "/instruments/ND-OX/phase", {"phase": "call_auction"}, "set_phase",
         {"symbol": "ND-OX", "phase": "call_auction"}),
        ("PUT", "/instruments/ND-OX/collar", {"rate": "0.05"}, "set_collar", {"symbol": "ND-OX", "rate": "0.050000"}),
        ("PUT", "/fees/1", {"maker_rate": "0.0003", "taker_rate": "0"}, "set_fees",
         {"account_class": 1, "maker_rate": "0.000300", "taker_rate": "0.000000"}),
        ("PUT", "/instruments/ND-OX/volatility_band", {"rate": "0.03", "auction_seconds": 120}, "set_volatility_band",
         {"symbol": "ND-OX", "rate": "0.030000", "auction_seconds": 120}),
        ("PATCH", "/instruments/ND-OX", TERMS, "change_instrument",
         {"symbol": "ND-OX", **TERMS, "band_rate": "0.080000", "collar_rate": "0.000000"}),
        ("POST", "/instruments", LISTING, "list_instrument",
         {**LISTING, "band_rate": "0.060000", "reference_price_source": "assumed"}),
        ("POST", "/kill_switch/on", None, "kill_switch_on", {"account": 0}),
        ("POST", "/accounts/2/kill_switch/off", None, "kill_switch_off", {"account": 2}),
    ]  # fmt: skip
    for method, path, body, _, _ in steps:
        await act(venue, method, f"/v1/admin{path}", body)
    found = (await read_log(venue, order="oldest"))["actions"]
    assert [(action["kind"], action["fields"]) for action in found] == [(kind, fields) for *_, kind, fields in steps]
    assert {action["key_name"] for action in found} == {"operator"}
    assert [(action["person"], action["why"]) for action in found if action["kind"] == "halt"] == [
        (None, None), ("Li Na", "news"),
    ]  # fmt: skip
    assert found[0]["time"].startswith("2023-12-01T")
    assert [action["seq"] for action in found] == sorted(action["seq"] for action in found)


async def test_the_limits_of_an_account_have_the_names_of_the_request(venue: RunningVenue) -> None:
    """What is no limit is null, as it is where the account is read."""
    some = {"max_order_quantity": 500, "max_order_value": "5000.00", "max_day_turnover": "9000.00"}
    for limits in (some, {"max_open_orders": 7}):
        await act(venue, "PUT", "/v1/admin/accounts/2/limits", limits)
    found = (await read_log(venue, order="oldest"))["actions"]
    none = {"max_order_quantity": None, "max_order_value": None, "max_open_orders": None}
    assert [(action["kind"], action["fields"]) for action in found] == [
        ("set_order_limits", {"account": 2, **none, "max_order_quantity": 500, "max_order_value": "5000.00"}),
        ("set_turnover_limit", {"account": 2, "max_day_turnover": "9000.00"}),
        ("set_order_limits", {"account": 2, **none, "max_open_orders": 7}),
        ("set_turnover_limit", {"account": 2, "max_day_turnover": None}),
    ]


async def test_the_trades_of_a_decision_have_their_ids_as_texts(venue: RunningVenue) -> None:
    for name, side in (("alice", "buy"), ("bob", "sell")):
        (await venue.client(name).post("/v1/orders", json=ORDER | {"side": side})).raise_for_status()
    trade_id = (await venue.client("alice").get("/v1/fills")).json()["fills"][0]["trade_id"]
    body = {"decision": "exclude", "trade_ids": [trade_id], **SIGNED}
    await act(venue, "POST", "/v1/admin/decisions", body)
    (decision,) = (await read_log(venue))["actions"]
    assert decision["fields"] == {**body, "finding": ""}


WHY = {"rex-why": "margin%20call%20%E8%BF%BD%E4%BF%9D"}


async def test_what_has_no_field_for_a_reason_has_the_one_of_the_header(tmp_path: Path) -> None:
    """Also after a restart, and with an idempotency key, whose repeat is still one request."""
    requests: list[tuple[str, str, Any]] = [
        ("POST", "accounts/2/cash", {"amount": "12.50"}),
        ("PUT", "accounts/3/limits", {"max_open_orders": 7}),
        ("POST", "kill_switch/on", None),
        ("POST", "halt", {"reason": "news"}),
        ("PUT", "keys/{key_id}/limits", {"reason": "market maker"}),
        ("DELETE", "keys/{key_id}", None),
        ("POST", "users", {"name": "li.na", "role": "visitor", "account": 0}),
    ]
    async with running_venue(tmp_path) as venue:
        operator = venue.client("operator")
        issued = (await operator.post("/v1/admin/keys", json={"name": "desk", "scopes": ["read"]}, headers=WHY)).json()
        for number, (method, path, body) in enumerate(requests):
            is_repeatable = method != "DELETE" and path != "users"
            key = {"idempotency-key": f"request-{number}"} if is_repeatable else {}
            for _ in range(2 if is_repeatable else 1):
                url = f"/v1/admin/{path.format(key_id=issued['key_id'])}"
                reply = await operator.request(method, url, json=body, headers=WHY | key)
                assert reply.status_code < 300, reply.text
        refused = await operator.post("/v1/admin/accounts/2/cash", json={"amount": "-99999999999.00"}, headers=WHY)
        assert (refused.status_code, refused.json()["code"]) == (409, "insufficient_funds")
        await act(venue, "POST", "/v1/admin/resume")
        found = (await read_log(venue, order="oldest"))["actions"]
    said = "margin call 追保"
    assert [(action["kind"], action["why"]) for action in found] == [
        ("key_issued", said), ("deposit", said), ("set_order_limits", said), ("set_turnover_limit", said),
        ("kill_switch_on", said), ("halt", "news"), ("key_limits_set", "market maker"), ("key_revoked", said),
        ("user_added", said), ("resume", None),
    ]  # fmt: skip
    assert found[1]["fields"] == {"account": 2, "amount": "12.50", "reason": said}
    async with running_venue(tmp_path) as venue:
        assert (await read_log(venue, order="oldest"))["actions"] == found
        async with venue.read_database.connect() as connection:
            kept = await connection.scalars(select(records.c.type).distinct())
            assert "reason_given" not in kept.all(), "the actions have it"


async def test_the_amount_of_a_target_is_the_one_that_was_asked_for(venue: RunningVenue) -> None:
    target = {"year": 2023, "month": 12, "name": "the board's", "why": "plan"}
    targets = [
        target | {"metric": "tonnes", "amount": "1200.500"},
        target | {"metric": "net_traded", "amount": "24000000000.00"},
    ]
    for one in targets:
        await act(venue, "POST", "/v1/admin/targets", one)
    found = (await read_log(venue, kind="target_set", order="oldest"))["actions"]
    assert [{name: action["fields"][name] for name in targets[0]} for action in found] == targets


async def test_keys_are_logged_without_their_secret_and_its_hash(venue: RunningVenue) -> None:
    issued = await act(venue, "POST", "/v1/admin/keys", {"name": "desk", "scopes": ["read"], "account": 2})
    limits = {"reads": {"per_s": 1, "burst": 2}, "reason": "too many queries"}
    await act(venue, "PUT", f"/v1/admin/keys/{issued['key_id']}/limits", limits)
    await act(venue, "DELETE", f"/v1/admin/keys/{issued['key_id']}")
    text = (await venue.client("operator").get("/v1/admin/log")).text
    assert issued["key"] not in text
    assert key_hash(issued["key"]).hex() not in text
    revoked, limited, first = (await read_log(venue))["actions"]
    assert (first["kind"], first["fields"]["name"], first["fields"]["scopes"]) == ("key_issued", "desk", ["read"])
    assert (limited["kind"], limited["why"]) == ("key_limits_set", "too many queries")
    assert (revoked["kind"], revoked["fields"]) == ("key_revoked", {"key_id": issued["key_id"]})


async def test_what_members_do_and_what_is_refused_is_no_action(venue: RunningVenue) -> None:
    alice = venue.client("alice")
    order = (await alice.post("/v1/orders", json=ORDER)).json()
    assert (await alice.delete("/v1/orders?symbol=*")).status_code == 200
    operator = venue.client("operator")
    too_much = await operator.post("/v1/admin/accounts/2/cash", json={"amount": "-1000000000.01"})
    assert too_much.status_code == 409
    assert await kinds(venue) == []
    order = (await alice.post("/v1/orders", json=ORDER)).json()
    assert (await operator.delete(f"/v1/orders/{order['order_id']}")).status_code == 200
    assert (await operator.delete("/v1/orders?symbol=PRND-OX&account=2&side=buy")).status_code == 200
    assert (await operator.delete("/v1/orders?symbol=*")).status_code == 200
    all_of_all, mass, single = (await read_log(venue))["actions"]
    assert all_of_all["fields"] == {"account": 0, "symbol": "*", "side": None}
    assert (single["kind"], single["fields"]) == ("cancel", {"order_id": order["order_id"]})
    assert (mass["kind"], mass["fields"]) == ("mass_cancel", {"account": 2, "symbol": "PRND-OX", "side": "buy"})


async def test_filters_and_cursors(venue: RunningVenue) -> None:
    issued = await act(venue, "POST", "/v1/admin/keys", {"name": "second", "scopes": ["admin"]})
    second = venue.client(None)
    second.headers["authorization"] = f"Bearer {issued['key']}"
    for number in range(4):
        assert (await second.post("/v1/admin/accounts", json={"name": f"n{number}"})).status_code == 201
    venue.clock.now_ns = START_NS + HOUR_NS
    await act(venue, "POST", "/v1/admin/halt")
    everything = [*["open_account"] * 4, "key_issued"]
    assert await kinds(venue, end="2023-12-01T03:00:00Z") == everything
    assert await kinds(venue, start="2023-12-01T03:00:00Z") == ["halt"]
    assert await kinds(venue, who="second") == await kinds(venue, who=issued["key_id"]) == ["open_account"] * 4
    assert await kinds(venue, kind="halt", who="second") == []
    for order in ("newest", "oldest"):
        found, query = list[int](), {"order": order, "limit": 2}
        while True:
            page = await read_log(venue, **query)
            found += [action["seq"] for action in page["actions"]]
            if page["next_cursor"] is None:
                break
            query["cursor"] = page["next_cursor"]
        assert found == sorted(found, reverse=order == "newest")
        assert len(set(found)) == 6
    for wrong in ({"cursor": "x"}, {"start": "yesterday"}, {"order": "random"}, {"whom": "x"}):
        reply = await venue.client("operator").get("/v1/admin/log", params=wrong)
        assert (reply.status_code, [error["field"] for error in reply.json()["errors"]]) == (422, [*wrong])


async def test_a_user_is_named_and_found_by_name(venue: RunningVenue) -> None:
    await add_user(venue, "li.na", "operator")
    person = await logged_in(venue, "li.na")
    assert (await person.post("/v1/admin/halt")).status_code == 200
    (action,) = (await read_log(venue, who="li.na"))["actions"]
    assert (action["kind"], action["key_name"], action["person"]) == ("halt", None, "li.na")
    await act(venue, "POST", "/v1/admin/users", {"name": "wang", "role": "auditor", "password": PASSWORD})
    (added,) = (await read_log(venue, kind="user_added"))["actions"]
    assert (added["fields"]["name"], added["key_name"], "password_hash" in added["fields"]) == (
        "wang",
        "operator",
        False,
    )
