from __future__ import annotations

from typing import Any

import pytest

from tests.integration.venue import RunningVenue

pytestmark = pytest.mark.anyio

ORDER = {"symbol": "PRND-OX", "side": "buy", "price": "473000", "quantity": 1}


async def test_a_new_account_is_opened_funded_and_trades(venue: RunningVenue) -> None:
    operator = venue.client("operator")
    opened = await operator.post("/v1/admin/accounts", json={"name": "包头 Magnets", "owner": 2})
    assert opened.status_code == 201
    number = opened.json()["account"]
    assert (number, opened.json()["name"]) == (4, "包头 Magnets")

    cash = await operator.post(f"/v1/admin/accounts/{number}/cash", json={"amount": "1000000.00"})
    assert cash.json() == {"seq": venue.sequencer.last_seq}
    await operator.post(f"/v1/admin/accounts/{number}/inventory", json={"symbol": "PRND-OX", "quantity": 7})
    await operator.post(f"/v1/admin/accounts/{number}/cash", json={"amount": "-0.01"})

    key = {"name": "desk", "scopes": ["read", "trade", "read"], "account": number}
    issued = (await operator.post("/v1/admin/keys", json=key)).json()
    assert issued["scopes"] == ["read", "trade"]
    client = venue.client(None)
    client.headers["authorization"] = f"Bearer {issued['key']}"
    account = (await client.get("/v1/account")).json()
    assert account == {
        "account": number,
        "name": "包头 Magnets",
        "cash": "999999.99",
        "reserved": "0.00",
        "available": "999999.99",
        "holdings": [{"symbol": "PRND-OX", "quantity": 7, "reserved": 0, "available": 7}],
        "seq": venue.sequencer.last_seq,
        "owner": 2,
        "account_class": 0,
        "maker_rate": "0.000500",
        "taker_rate": "0.000500",
        "limits": {
            "max_order_quantity": None, "max_order_value": None, "max_open_orders": None, "max_day_turnover": None,
        },
        "open_orders": 0,
        "day_turnover": "0.00",
        "kill_switch": False,
    }  # fmt: skip
    assert (await client.post("/v1/orders", json=ORDER)).json()["state"] == "new"
    assert (await client.get("/v1/account")).json()["reserved"] == "473236.50"
    assert (await operator.get("/v1/admin/accounts")).json()["accounts"][-1]["reserved"] == "473236.50"

    revoked = await operator.delete(f"/v1/admin/keys/{issued['key_id']}")
    assert revoked.status_code == 200
    assert (await client.get("/v1/account")).json()["code"] == "unknown_key"
    again = await operator.delete(f"/v1/admin/keys/{issued['key_id']}")
    assert (again.status_code, again.json()["code"]) == (404, "unknown_key_id")


@pytest.mark.parametrize(
    ("path", "body", "status", "code", "field"),
    [
        ("/accounts", {"name": ""}, 422, "validation_failed", "name"),
        ("/accounts", {"name": "x", "owner": 99}, 422, "unknown_account", "owner"),
        ("/accounts", {"name": "x", "owner": -1}, 422, "validation_failed", "owner"),
        ("/accounts", {"name": "x", "extra": 1}, 422, "validation_failed", "extra"),
        ("/accounts/2/cash", {"amount": "0"}, 422, "invalid_amount", "amount"),
        ("/accounts/2/cash", {"amount": "0.001"}, 422, "invalid_amount", "amount"),
        ("/accounts/2/cash", {"amount": "1000000000000000"}, 422, "invalid_amount", "amount"),
        ("/accounts/2/cash", {"amount": 5}, 422, "validation_failed", "amount"),
        ("/accounts/2/cash", {"amount": "100000000000000"}, 409, "invalid_amount", None),
        ("/accounts/2/cash", {"amount": "-1000000000.01"}, 409, "insufficient_funds", None),
        ("/accounts/99/cash", {"amount": "1"}, 404, "unknown_account", None),
        ("/accounts/x/cash", {"amount": "1"}, 422, "validation_failed", "account"),
        ("/accounts/2/inventory", {"symbol": "GOLD", "quantity": 1}, 422, "unknown_symbol", "symbol"),
        ("/accounts/2/inventory", {"symbol": "PRND-OX", "quantity": 0}, 422, "invalid_quantity", "quantity"),
        ("/accounts/2/inventory", {"symbol": "PRND-OX", "quantity": -1001}, 409, "insufficient_inventory", None),
        ("/accounts/99/inventory", {"symbol": "PRND-OX", "quantity": 1}, 404, "unknown_account", None),
        ("/keys", {"name": "x", "scopes": []}, 422, "validation_failed", "scopes"),
        ("/keys", {"name": "x", "scopes": ["root"]}, 422, "validation_failed", "scopes.0"),
        ("/keys", {"name": "x", "scopes": ["trade"]}, 422, "validation_failed", "account"),
        ("/keys", {"name": "x", "scopes": ["read"], "account": 99}, 422, "unknown_account", "account"),
        ("/keys", {"name": "x", "scopes": ["read", "trade"], "account": 1}, 422, "validation_failed", "account"),
        ("/keys", {"name": "x", "scopes": ["admin"], "account": 2}, 422, "validation_failed", "account"),
        ("/instruments/GOLD/halt", None, 404, "unknown_symbol", None),
    ],
)
async def test_what_is_refused_changes_nothing(
    refusing_venue: RunningVenue, path: str, body: Any, status: int, code: str, field: str | None
) -> None:
    operator = refusing_venue.client("operator")
    before = (await operator.get("/v1/admin/accounts")).json()["accounts"]
    reply = await operator.post(f"/v1/admin{path}", json=body)
    assert (reply.status_code, reply.json()["code"]) == (status, code)
    if field is not None:
        assert [error["field"] for error in reply.json()["errors"]] == [field]
    after = (await operator.get("/v1/admin/accounts")).json()["accounts"]
    assert [{**account, "seq": 0} for account in after] == [{**account, "seq": 0} for account in before]


@pytest.mark.parametrize("limit", [1, 5, 6])
async def test_the_pages_of_accounts_have_each_once_also_one_that_is_opened_between_them(
    venue: RunningVenue, limit: int
) -> None:
    operator = venue.client("operator")
    for name in ("carol", "dave"):
        await operator.post("/v1/admin/accounts", json={"name": name})
    whole = (await operator.get("/v1/admin/accounts")).json()
    assert whole["next_cursor"] is None
    page = (await operator.get("/v1/admin/accounts", params={"limit": limit})).json()
    await operator.post("/v1/admin/accounts", json={"name": "erin"})
    found = page["accounts"]
    while page["next_cursor"] is not None:
        page = (await operator.get("/v1/admin/accounts", params={"limit": limit, "cursor": page["next_cursor"]})).json()
        found += page["accounts"]
        assert len(page["accounts"]) <= limit
    names = [account["name"] for account in whole["accounts"]]
    assert [account["name"] for account in found] == [*names, *(["erin"] if limit <= len(names) else [])]
    assert [account["account"] for account in found] == list(range(1, len(found) + 1))


async def test_halt_and_resume(venue: RunningVenue) -> None:
    operator, alice = venue.client("operator"), venue.client("alice")

    async def phases() -> set[str]:
        return {instrument["phase"] for instrument in (await alice.get("/v1/instruments")).json()}

    await operator.post("/v1/admin/instruments/PRND-OX/halt")
    assert await phases() == {"continuous", "halted"}
    assert (await alice.post("/v1/orders", json=ORDER)).json()["reason"] == "instrument_halted"
    await operator.post("/v1/admin/instruments/PRND-OX/resume")
    assert await phases() == {"continuous"}
    await operator.post("/v1/admin/halt")
    assert await phases() == {"halted"}
    await operator.post("/v1/admin/resume")
    assert await phases() == {"continuous"}
    assert (await alice.post("/v1/orders", json=ORDER)).json()["state"] == "new"


async def test_venue_instruments_and_market(venue: RunningVenue) -> None:
    alice = venue.client("alice")
    about = (await alice.get("/v1/venue")).json()
    assert about.pop("next_changes")[0] == {
        "time": "2023-12-01T09:00:00.000000Z",
        "phase": "continuous",
        "trading_date": "2023-12-04",
    }
    assert about == {
        "name": "REX",
        "seq": venue.sequencer.last_seq,
        "incarnation": venue.journal.journal_id.hex(),
        "trading_date": "2023-12-01",
        "schedule": "always",
        "demo": False,
        "kill_switch": False,
    }
    instruments = {one["symbol"]: one for one in (await alice.get("/v1/instruments")).json()}
    assert len(instruments) == 32
    oxide = instruments["PRND-OX"]
    assert (oxide["tick_size"], oxide["reference_price"], oxide["phase"]) == ("100.00", "473000.00", "continuous")
    assert (oxide["lower_limit"], oxide["upper_limit"]) == ("444700.00", "501300.00")

    await alice.post("/v1/orders", json=ORDER)
    depth = (await alice.get("/v1/market/PRND-OX/depth?levels=1")).json()
    assert depth["bids"] == [{"price": "473000.00", "quantity": 1, "orders": 1}]
    assert depth["asks"] == []
    sold = (await venue.client("bob").post("/v1/orders", json={**ORDER, "side": "sell"})).json()
    (trade,) = (await alice.get("/v1/market/PRND-OX/trades")).json()
    assert (trade["price"], trade["quantity"], trade["taker_side"], trade["seq"]) == (
        "473000.00",
        1,
        "sell",
        sold["seq"],
    )
    ticker = (await alice.get("/v1/market/PRND-OX/ticker")).json()
    assert (ticker["last"], ticker["turnover"], ticker["trades"]) == ("473000.00", "473000.00", 1)
    assert (ticker["best_bid"], ticker["best_ask"], ticker["volume"]) == (None, None, 1)
