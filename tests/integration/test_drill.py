"""From the year's figure to the journal row of one order, by the links of the answers, on a whole venue in a folder."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from services.journal.record_json import command_json
from tests.integration.test_reporting import NET, TURNOVER, place, trade
from tests.integration.venue import RunningVenue

pytestmark = pytest.mark.anyio

TRADES, ORDERS, JOURNAL = "/v1/reports/trades", "/v1/reports/orders", "/v1/reports/journal"


async def get(venue: RunningVenue, path: str, **query: Any) -> dict[str, Any]:
    """The answer at an address, after all that happened is projected."""
    await venue.projector.reached(venue.sequencer.last_seq)
    answer = await venue.client("operator").get(path, params=query or None)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def refusal(venue: RunningVenue, path: str, **query: Any) -> tuple[int, str]:
    """Status and sentence of a refused request."""
    answer = await venue.client("operator").get(path, params=query or None)
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    return answer.status_code, answer.json()["detail"]


async def decide(venue: RunningVenue, decision: str, *trade_ids: str) -> int:
    body = {"decision": decision, "trade_ids": trade_ids, "finding": "F-1", "reason": "a ring", "name": "Li Na"}
    answer = await venue.client("operator").post("/v1/admin/decisions", json=body)
    assert answer.status_code < 300, answer.text
    return int(answer.json()["seq"])


async def test_leads_from_the_figure_to_the_row_by_links_alone(venue: RunningVenue) -> None:
    await trade(venue)
    report = await get(venue, TURNOVER)
    days = await get(venue, report["links"]["days"])
    assert (await get(venue, report["links"]["trades"]))["sum"]["net"] == report["net"]
    assert (days["net"], days["trades"]) == (report["net"], 3)
    (day,) = days["days"]
    assert (day["date"], day["net"]) == ("2023-12-01", report["net"])
    assert (await get(venue, day["links"]["bulletin"]))["total"]["turnover"] == day["net"]
    page = await get(venue, day["links"]["trades"])
    assert page["sum"] == {name: day[name] for name in page["sum"]}
    assert sum(Decimal(one["amount"]) for one in page["trades"]) == NET
    first = page["trades"][0]
    assert (first["counts"], first["why_not"], first["buyer"]["name"], first["seller"]["name"]) == (
        True, None, "bob", "alice",
    )  # fmt: skip
    assert await get(venue, first["links"]["self"]) == first
    order = await get(venue, first["links"]["sell_order"])
    assert (order["name"], order["side"], order["quantity"], order["cum_qty"], order["price"]) == (
        "alice", "sell", 3, 2, "473000.00",
    )  # fmt: skip
    assert [one["trade_id"] for one in order["trades"]] == [one["trade_id"] for one in page["trades"][:2]]
    of_order = await get(venue, order["links"]["trades"])
    assert of_order["sum"]["gross"] == order["filled"] == "946000.00"
    entered = await get(venue, order["links"]["journal"])
    assert (entered["command"]["kind"], str(entered["command"]["seq"])) == ("NEW_ORDER", order["order_id"])
    assert entered["links"]["order"] == order["links"]["self"]
    made = await get(venue, first["links"]["journal"])
    (event,) = [event for event in made["events"] if event["kind"] == "TRADE"]
    assert event["links"] == {
        "trade": first["links"]["self"], "order": first["links"]["buy_order"], "maker_order": first["links"]["sell_order"],
    }  # fmt: skip


async def test_a_busted_and_an_excluded_trade_say_why_they_do_not_count(venue: RunningVenue) -> None:
    await trade(venue)
    first, second, third = (await get(venue, TRADES, year=2023))["trades"]
    bust = await venue.client("operator").post(f"/v1/admin/trades/{first['trade_id']}/bust", json={"reason": "a typo"})
    excluded = await decide(venue, "exclude", second["trade_id"])
    page = await get(venue, TRADES, year=2023)
    busted, ringed, counted = page["trades"]
    assert [one["why_not"] for one in page["trades"]] == ["busted", "excluded", None]
    assert (busted["bust"]["seq"], busted["bust"]["reason"], busted["exclusion"]) == (
        bust.json()["seq"],
        "a typo",
        None,
    )
    told = ringed["exclusion"]
    assert (told["seq"], told["name"], told["reason"], told["finding"]) == (excluded, "Li Na", "a ring", "F-1")
    report = await get(venue, TURNOVER)
    assert page["sum"] == {name: report[name] for name in page["sum"]}
    assert page["sum"]["net"] == third["amount"]
    of_bust = await get(venue, busted["links"]["bust"])
    assert (of_bust["command"]["kind"], of_bust["text"]) == ("BUST_TRADE", {"reason": "a typo"})
    assert of_bust["links"]["trade"] == busted["links"]["self"]
    of_decision = await get(venue, ringed["links"]["decision"])
    assert of_decision["text"]["trade_ids"] == [int(second["trade_id"])]
    for query in ({"decision": excluded}, {"finding": "F-1", "year": 2023}, {"counted": "excluded"}):
        assert [one["trade_id"] for one in (await get(venue, TRADES, **query))["trades"]] == [second["trade_id"]], query
    assert (await get(venue, of_decision["links"]["trades"]))["trades"] == [ringed]
    (decided,) = (await venue.client("operator").get("/v1/reports/decisions", params={"year": 2023})).json()
    assert decided["links"] == {"trades": of_decision["links"]["trades"], "journal": of_decision["links"]["self"]}
    assert [one["trade_id"] for one in (await get(venue, TRADES, counted="yes"))["trades"]] == [counted["trade_id"]]


async def test_pages_follow_each_other_and_only_the_first_adds_up(venue: RunningVenue) -> None:
    await trade(venue)
    page = await get(venue, TRADES, product="PRND-OX", limit=1)
    assert (page["sum"]["net"], len(page["trades"])) == ("946000.00", 1)
    rest = await get(venue, page["links"]["next"])
    assert (rest["sum"], rest["next_cursor"], "next" in rest["links"]) == (None, None, False)
    assert Decimal(page["trades"][0]["amount"]) + Decimal(rest["trades"][0]["amount"]) == 946_000


async def test_a_member_s_sides(venue: RunningVenue) -> None:
    await trade(venue)
    me = (await venue.client("alice").get("/v1/account")).json()["account"]
    sold = await get(venue, TRADES, member=me, side="sell", year=2023)
    bought = await get(venue, TRADES, member=me, side="buy", year=2023)
    assert (sold["sum"]["net"], bought["sum"]["net"]) == ("946000.00", str(NET - 946_000))
    assert {one["seller"]["name"] for one in sold["trades"]} == {"alice"}


async def test_a_row_shows_its_place_in_the_chain(venue: RunningVenue) -> None:
    seq = await trade(venue)
    rows = [batch async for batch in venue.journal.read(0)]
    for batch in rows:
        for one in {batch.first_seq, batch.last_seq}:
            found = await get(venue, f"{JOURNAL}/{one}")
            row = found["row"]
            assert (row["first_seq"], row["last_seq"]) == (batch.first_seq, batch.last_seq)
            assert (row["hash"], row["previous_hash"]) == (batch.hash.hex(), batch.previous_hash.hex())
            command = batch.command_list[one - batch.first_seq]
            assert found["command"] == command_json(command)
            assert found["events_total"] == len([event for event in batch.event_list if event.seq == one])
    before = await get(venue, (await get(venue, f"{JOURNAL}/{seq}"))["links"]["previous_row"])
    assert before["links"]["next_row"] == f"{JOURNAL}/{seq}"
    assert "next_row" not in (await get(venue, f"{JOURNAL}/{rows[-1].last_seq}"))["links"]
    assert "previous_row" not in (await get(venue, f"{JOURNAL}/1"))["links"]


async def test_no_hash_of_a_key_is_shown(venue: RunningVenue) -> None:
    answer = await venue.client("operator").post(
        "/v1/admin/keys", json={"name": "desk", "scopes": ["read"], "account": 2}
    )
    found = await get(venue, f"{JOURNAL}/{answer.json()['key_id']}")
    assert (found["text"]["name"], found["withheld"]) == ("desk", ["key_hash"])
    assert "key_hash" not in found["text"]


async def test_many_events_come_in_parts(venue: RunningVenue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.reporting.drill.journal_row.EVENTS_AT_ONCE", 2)
    await place(venue, "alice", "PRND-OX", "sell", "473000.00", 1)
    last = await place(venue, "bob", "PRND-OX", "buy", "473000.00", 1)
    found = await get(venue, f"{JOURNAL}/{last['seq']}")
    kinds = [event["kind"] for event in found["events"]]
    while "next_events" in found["links"]:
        found = await get(venue, found["links"]["next_events"])
        kinds += [event["kind"] for event in found["events"]]
    assert len(kinds) == found["events_total"] > 2
    assert "TRADE" in kinds


async def test_what_is_unknown_is_named(venue: RunningVenue) -> None:
    end = await trade(venue)
    assert await refusal(venue, f"{TRADES}/7") == (404, "trade_id: there is no trade 7.")
    assert await refusal(venue, f"{ORDERS}/999999") == (404, "order_id: there is no order 999999.")
    assert await refusal(venue, f"{JOURNAL}/{end + 1000}") == (404, f"seq: the journal ends before {end + 1000}.")
    for path in (f"{TRADES}/0", f"{ORDERS}/x", f"{JOURNAL}/{2**63}", f"{JOURNAL}/-1"):
        status, sentence = await refusal(venue, path)
        assert (status, sentence.split(":")[0]) == (422, {"t": "trade_id", "o": "order_id", "j": "seq"}[path[12]])
    for name, value in {
        "cursor": "abc", "year": 1999, "date": "2023-02-30", "product": "GOLD", "member": 999, "side": "buy",
        "phase": "closed", "counted": "maybe", "finding": "F", "decision": 1, "order": 999_999, "limit": 501,
    }.items():  # fmt: skip
        status, sentence = await refusal(venue, TRADES, **{name: value})
        assert (status, sentence.split(":")[0]) == (422, name)
    for date in ("0", "1677628800", "2023-03-01T00:00:00Z"):  # to pydantic, each is a date
        assert await refusal(venue, TRADES, date=date) == (422, "date: must be written yyyy-mm-dd")
    assert (await refusal(venue, TRADES, finding="F", year=2023))[1].startswith(
        "finding: the wash screen of 2023 has no"
    )
    assert (await refusal(venue, TRADES, currency="yuan"))[1].startswith("currency: there is no such query parameter")
    assert (await refusal(venue, f"{TURNOVER}/days", product="GOLD"))[0] == 422


async def test_a_year_without_trades_is_empty(venue: RunningVenue) -> None:
    await trade(venue)
    days = await get(venue, "/v1/reports/turnover/2024/days")
    assert (days["net"], days["trades"], days["days"]) == ("0.00", 0, [])
    page = await get(venue, days["links"]["trades"])
    assert (page["trades"], page["sum"]["gross"], page["next_cursor"]) == ([], "0.00", None)
    assert (await get(venue, TRADES, year=2023, date="2024-01-02"))["trades"] == []
