"""What the year is made of, over HTTP, on a whole venue that trades, busts, excludes and hands out goods."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from services.gateway.problems import PROBLEM_JSON
from tests.integration.test_export_routes import end_the_day
from tests.integration.test_gateway_decisions import decide, fills, set_target
from tests.integration.test_reporting import place
from tests.integration.venue import RunningVenue

pytestmark = pytest.mark.anyio

YEAR = "/v1/reports/turnover/2023"
OXIDE, MAGNETS = Decimal("473000.00"), Decimal("112070.00")  # one lot of 1 t; seven of 100 kg at 160.10 yuan/kg
NET = 2 * OXIDE + MAGNETS


async def act(venue: RunningVenue) -> None:
    """Alice sells three lots of oxide to bob: one counts, one is excluded, one is busted. She buys one back, and magnets. Then
    she takes two lots of oxide out of the warehouse."""
    operator = venue.client("operator")
    rates = {"maker_rate": "0.0001", "taker_rate": "0.0003"}
    assert (await operator.put("/v1/admin/fees/0", json=rates)).status_code == 200
    await place(venue, "alice", "PRND-OX", "sell", "473000.00", 3)
    for _ in range(3):
        await place(venue, "bob", "PRND-OX", "buy", "473000.00", 1)
    third, second, _ = await fills(venue)
    await place(venue, "bob", "PRND-OX", "sell", "473000.00", 1)
    await place(venue, "alice", "PRND-OX", "buy", "473000.00", 1)
    await place(venue, "bob", "NDFEB-N35", "sell", "160.10", 7)
    await place(venue, "alice", "NDFEB-N35", "buy", "161.00", 7)
    bust = await operator.post(f"/v1/admin/trades/{third['trade_id']}/bust", json={"reason": "a mistake"})
    assert bust.status_code == 200, bust.text
    assert (await decide(venue, "exclude", second["trade_id"])).status_code == 201
    await take_out(venue, "PRND-OX", 2)


async def take_out(venue: RunningVenue, symbol: str, lots: int) -> None:
    account = venue.keys["alice"].account
    body = {"symbol": symbol, "quantity": -lots}
    answer = await venue.client("operator").post(f"/v1/admin/accounts/{account}/inventory", json=body)
    assert answer.status_code == 200, answer.text
    await venue.projector.reached(venue.sequencer.last_seq)


async def answer_of(venue: RunningVenue, path: str, who: str = "bob", **query: Any) -> dict[str, Any]:
    await venue.projector.reached(venue.sequencer.last_seq)
    answer = await venue.client(who).get(path, params=query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    assert (found["seq"], found["journal_id"]) == (venue.sequencer.last_seq, venue.journal.journal_id.hex())
    assert len(found["row_hash"]) == 64
    return found


@pytest.fixture(scope="module")
async def acted(refusing_venue: RunningVenue) -> RunningVenue:
    """A venue where that was done, and which is only read."""
    await act(refusing_venue)
    return refusing_venue


async def test_the_ladder(acted: RunningVenue) -> None:
    found = await answer_of(acted, f"{YEAR}/ladder")
    ladder = found["ladder"]
    assert ladder["gross"] == {"amount": str(NET + 2 * OXIDE), "tonnes": "4.700", "trades": 5}
    assert ladder["busted"] == ladder["excluded"] == {"amount": str(OXIDE), "tonnes": "1.000", "trades": 1}
    assert ladder["net"] == ladder["delivered"] == {"amount": str(NET), "tonnes": "2.700", "trades": 3}
    assert ladder["changed_hands"] == str(MAGNETS), "the oxide came back"
    report = await answer_of(acted, YEAR)
    assert [ladder[rung]["amount"] for rung in ("gross", "busted", "excluded", "net")] == [
        report[name] for name in ("gross", "busted", "excluded", "net")
    ]
    for period in ("day", "recent", "whole_year"):
        assert found[period] == {
            "first_date": "2023-12-01", "last_date": "2023-12-01", "net": str(NET), "changed_hands": str(MAGNETS),
            "share": "0.105919",
        }  # fmt: skip
    assert {line["symbol"]: line["changed_hands"] for line in found["products"]} == {
        "PRND-OX": "0.00", "NDFEB-N35": str(MAGNETS),
    }  # fmt: skip


async def test_what_was_taken_out_has_the_price_of_its_day(venue: RunningVenue) -> None:
    await act(venue)
    instruments = (await venue.client("bob").get("/v1/instruments")).json()
    (before,) = [one["reference_price"] for one in instruments if one["symbol"] == "PRND-OX"]
    today = (await answer_of(venue, f"{YEAR}/ladder"))["ladder"]
    in_force = str(2 * Decimal(before))
    assert today["taken_out"] == {"amount": in_force, "tonnes": "2.000", "unsettled": in_force}
    assert today["churn"] == "1.35"
    await end_the_day(venue)
    settled = (await answer_of(venue, f"{YEAR}/ladder"))["ladder"]
    assert settled["taken_out"] == {"amount": "946000.00", "tonnes": "2.000", "unsettled": "0.00"}
    await take_out(venue, "PRND-OX", 1)
    next_day = (await answer_of(venue, f"{YEAR}/ladder"))["ladder"]
    assert next_day["taken_out"] == {"amount": "1419000.00", "tonnes": "3.000", "unsettled": "473000.00"}
    assert next_day["net"] == today["net"]


async def test_the_splits(acted: RunningVenue) -> None:
    for by in ("category", "family", "product", "phase"):
        lines = (await answer_of(acted, f"{YEAR}/splits", by=by))["lines"]
        assert sum(Decimal(line["amount"]) for line in lines) == NET
        assert sum(line["trades"] for line in lines) == 3
        for share in ("share", "tonnes_share", "trades_share"):
            assert sum(Decimal(line[share]) for line in lines) == 1
    assert [line["part"] for line in lines] == ["continuous"]
    for by in ("class", "member"):
        lines = (await answer_of(acted, f"{YEAR}/splits", by=by))["lines"]
        for side in ("bought", "sold"):
            assert sum(Decimal(line[side]["amount"]) for line in lines) == NET
            assert sum(Decimal(line[side]["share"]) for line in lines) == 1
        assert sum(Decimal(line["share"]) for line in lines) == 1
        assert not {"name", "member", "account"} & {name for line in lines for name in line}


async def test_only_operators_see_who_the_members_are(acted: RunningVenue) -> None:
    """Alice bought oxide and magnets and sold oxide; bob did the other sides."""
    for path in (f"{YEAR}/splits?by=member", f"{YEAR}/ladder", f"{YEAR}/concentration", f"{YEAR}/fees"):
        text = (await acted.client("alice").get(path)).text
        assert "alice" not in text
        assert "bob" not in text
    refused = await acted.client("alice").get(f"{YEAR}/members")
    assert (refused.status_code, refused.json()["code"]) == (403, "scope_missing")
    found = await answer_of(acted, f"{YEAR}/members", "operator")
    sides = {line["name"]: (line["bought"]["amount"], line["sold"]["amount"]) for line in found["lines"]}
    assert sides == {"alice": (str(OXIDE + MAGNETS), str(OXIDE)), "bob": (str(OXIDE), str(OXIDE + MAGNETS))}


async def test_the_concentration(acted: RunningVenue) -> None:
    whole, *products = (await answer_of(acted, f"{YEAR}/concentration"))["markets"]
    assert whole["both"] == {"members": 2, "top_5": "1.000000", "top_10": "1.000000", "hhi": "0.500000"}
    magnets = next(market for market in products if market["symbol"] == "NDFEB-N35")
    assert (magnets["bought"]["hhi"], magnets["both"]["hhi"]) == ("1.000000", "0.500000")


async def test_the_fees(acted: RunningVenue) -> None:
    """Both sides of four trades, the excluded one too: 0.04 % of 473,000 each is 189.20, of 112,070.00 it is 11.207 + 33.621,
    which each side rounds: 11.21 + 33.62. The busted trade gave its fees back."""
    found = await answer_of(acted, f"{YEAR}/fees")
    assert (found["fees"], found["vat_percent"]) == ("612.43", 6)
    assert Decimal(found["without_vat"]) + Decimal(found["vat"]) == Decimal("612.43")
    assert {fee["part"]: fee["fees"] for fee in found["products"]} == {"PRND-OX": "567.60", "NDFEB-N35": "44.83"}
    assert [(fee["part"], fee["share"]) for fee in found["classes"]] == [("0", "1.000000")]
    members = (await answer_of(acted, f"{YEAR}/members", "operator"))["lines"]
    assert sum(Decimal(line["fees"]) for line in members) == Decimal("612.43")


async def test_a_first_year_is_all_new(acted: RunningVenue) -> None:
    found = await answer_of(acted, f"{YEAR}/effects")
    assert (found["first_date"], found["last_date"], found["last_date_before"]) == (
        "2023-01-01", "2023-12-01", "2022-12-01",
    )  # fmt: skip
    assert (found["days"], found["days_before"]) == (1, 0)
    assert (found["total"]["new"], found["total"]["difference"], found["total"]["price"]) == (
        str(NET),
        str(NET),
        "0.00",
    )
    assert {line["kind"] for line in found["products"]} == {"new"}
    later = await answer_of(acted, "/v1/reports/turnover/2024/effects")
    assert (later["first_date"], later["products"], later["total"]["difference"]) == (None, [], "0.00")


async def test_the_months(venue: RunningVenue) -> None:
    await act(venue)
    assert (await set_target(venue, month=12, name="December", amount="1000000.00")).status_code == 201
    found = await answer_of(venue, f"{YEAR}/months")
    assert found["target"] == "23000000000.00"
    *before, december = found["months"]
    assert {(one["actual"], one["plan"], one["days"]) for one in before} == {(None, "0.00", 0)}
    assert december == {
        "month": "2023-12", "days": 21, "days_begun": 1, "actual": str(NET), "tonnes": "2.700", "plan": "1000000.00",
        "plan_source": "month", "year_part": "23000000000.00", "last_year": None,
    }  # fmt: skip
    later = (await answer_of(venue, "/v1/reports/turnover/2024/months"))["months"]
    assert [one["last_year"] for one in later] == [*[None] * 11, str(NET)]
    assert sum(Decimal(one["year_part"]) for one in later) == 23 * 10**9


async def test_the_progress_of_all_targets(venue: RunningVenue) -> None:
    await act(venue)
    for changes in (
        {"scope": "product:PRND-OX", "metric": "tonnes", "month": 12, "amount": "8.000"},
        {"metric": "changed_hands", "amount": "224140.00"},
        {"scope": "category:magnetic_material", "metric": "delivered", "amount": "112070.00"},
    ):
        answer = await set_target(venue, **changes)
        assert answer.status_code == 201, answer.text
    found = (await answer_of(venue, "/v1/reports/targets/2023/progress"))["targets"]
    lines = {(one["scope"], one["metric"], one["month"]): one for one in found}
    assert len(lines) == 4
    tonnes = lines["product:PRND-OX", "tonnes", 12]
    assert (tonnes["done"], tonnes["share"], tonnes["missing"], tonnes["stage"]) == (
        "2.000", "0.250000", "6.000", "running",
    )  # fmt: skip
    assert (tonnes["days_total"], tonnes["days_completed"], tonnes["required_per_day"]) == (21, 0, "0.381")
    hands = lines["venue", "changed_hands", 0]
    assert (hands["done"], hands["share"], hands["required_per_day"]) == (str(MAGNETS), "0.500000", None)
    delivered = lines["category:magnetic_material", "delivered", 0]
    assert (delivered["done"], delivered["stage"]) == (str(MAGNETS), "reached")
    assert lines["venue", "net_traded", 0]["done"] == str(NET)


async def test_a_venue_without_trades(venue: RunningVenue) -> None:
    ladder = await answer_of(venue, f"{YEAR}/ladder")
    assert ladder["ladder"]["gross"] == {"amount": "0.00", "tonnes": "0.000", "trades": 0}
    assert (ladder["ladder"]["churn"], ladder["day"], ladder["products"]) == (None, None, [])
    assert (await answer_of(venue, f"{YEAR}/splits", by="member"))["lines"] == []
    assert (await answer_of(venue, f"{YEAR}/splits", by="product"))["lines"] == []
    (whole,) = (await answer_of(venue, f"{YEAR}/concentration"))["markets"]
    assert (whole["bought"], whole["both"]) == (None, None)
    assert (await answer_of(venue, f"{YEAR}/fees"))["fees"] == "0.00"
    assert (await answer_of(venue, f"{YEAR}/effects"))["products"] == []
    assert (await answer_of(venue, f"{YEAR}/members", "operator"))["lines"] == []


async def test_a_split_by_nothing_known_is_refused(venue: RunningVenue) -> None:
    answer = await venue.client("bob").get(f"{YEAR}/splits", params={"by": "colour"})
    assert (answer.status_code, answer.headers["content-type"]) == (422, PROBLEM_JSON)
    assert (await venue.client("bob").get(f"{YEAR}/splits")).status_code == 422
