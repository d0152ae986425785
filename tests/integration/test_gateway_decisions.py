"""Targets and decisions about trades over HTTP: what is refused, what the report makes of them, who decided and why."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import httpx
import pytest

from services.gateway.http.access_middleware import BATCH_BODY_LIMIT, BODY_LIMIT
from services.gateway.http.decisions import MAX_TRADES
from tests.integration.logged_in import add_user, logged_in
from tests.integration.test_reporting import NET, figure_at, report_of, trade
from tests.integration.venue import RunningVenue

pytestmark = pytest.mark.anyio

TARGETS, DECISIONS = "/v1/admin/targets", "/v1/admin/decisions"
TARGET = {"year": 2023, "amount": "24000000000.00", "name": "more", "why": "the board asked for it"}
OXIDE = "product:PRND-OX"


async def fills(venue: RunningVenue) -> list[dict[str, Any]]:
    """Newest first: NDFEB-N35 (112,070.00 yuan), then twice PRND-OX (473,000.00 each)."""
    found: list[dict[str, Any]] = (await venue.client("bob").get("/v1/fills")).json()["fills"]
    return found


async def decide(venue: RunningVenue, decision: str, *trade_ids: str, **more: Any) -> httpx.Response:
    body = {"decision": decision, "trade_ids": list(trade_ids), "reason": "a ring", "name": "Li Na", **more}
    return await venue.client("operator").post(DECISIONS, json=body)


async def set_target(venue: RunningVenue, **changes: Any) -> httpx.Response:
    return await venue.client("operator").post(TARGETS, json=TARGET | changes)


async def listed(venue: RunningVenue, path: str, who: str = "operator", **query: Any) -> list[dict[str, Any]]:
    query["at_least_seq"] = venue.sequencer.last_seq
    answer = await venue.client(who).get(f"/v1/reports/{path}", params=query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()
    return found


async def targets(venue: RunningVenue, who: str = "operator", limit: int = 100) -> list[dict[str, Any]]:
    """Those of 2023, through all pages."""
    query = {"limit": limit, "at_least_seq": venue.sequencer.last_seq}
    found: list[dict[str, Any]] = []
    while True:
        answer = await venue.client(who).get("/v1/reports/targets/2023", params=query)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        found += page["targets"]
        assert len(page["targets"]) <= limit
        if page["next_cursor"] is None:
            return found
        query["cursor"] = page["next_cursor"]


def refusal(answer: httpx.Response) -> tuple[int, str, str]:
    """Status, code, and the field that it names."""
    problem = answer.json()
    return answer.status_code, problem["code"], ", ".join(error["field"] for error in problem["errors"])


async def test_an_exclusion_leaves_the_net_turnover_and_comes_back(venue: RunningVenue) -> None:
    await trade(venue)
    magnet, oxide, first = await fills(venue)
    answer = await decide(venue, "exclude", oxide["trade_id"], magnet["trade_id"], finding="ring-7")
    assert (answer.status_code, answer.json()["trades"]) == (201, 2)
    excluded = answer.json()["seq"]
    report = await report_of(venue, at_least_seq=excluded)
    assert (report["net"], report["excluded"], report["excluded_trades"]) == ("473000.00", "585070.00", 2)
    assert (report["gross"], report["busted"], report["trades"]) == (str(NET), "0.00", 1)
    assert (report["today"], report["largest_day"]["net"], report["days_completed"]) == ("473000.00", "473000.00", 0)
    assert report["largest_trade"]["trade_id"] == first["trade_id"]
    lines = {line["symbol"]: (line["net"], line["tonnes"], line["excluded"]) for line in report["products"]}
    assert lines["PRND-OX"] == ("473000.00", "1.000", "473000.00")
    assert lines["NDFEB-N35"] == ("0.00", "0.000", "112070.00")
    hands = (await venue.client("operator").get("/v1/reports/turnover/2023/changed_hands")).json()
    assert (hands["net"], hands["changed_hands"], hands["days"][0]["changed_hands"]) == ("473000.00",) * 3
    assert Decimal(venue.engine.turnover_fen(2023)) / 100 == NET, "the engine knows no decisions"

    (shown,) = await listed(venue, "decisions", year=2023)
    assert (shown["decision"], shown["finding"], shown["reason"], shown["name"]) == (
        "exclude",
        "ring-7",
        "a ring",
        "Li Na",
    )
    assert (shown["seq"], shown["amount"], shown["trades_excluded_by_it"]) == (excluded, "585070.00", 2)
    assert sorted(shown["trade_ids"]) == sorted([oxide["trade_id"], magnet["trade_id"]])
    assert await listed(venue, "decisions", year=2024) == []

    included = (await decide(venue, "include", magnet["trade_id"])).json()["seq"]
    report = await report_of(venue, at_least_seq=included)
    assert (report["net"], report["excluded"], report["trades"]) == ("585070.00", "473000.00", 2)
    newest, oldest = await listed(venue, "decisions", year=2023)
    assert (newest["decision"], oldest["trades_excluded_by_it"]) == ("include", 1)
    assert [one["seq"] for one in await listed(venue, "decisions", year=2023, before_seq=included)] == [excluded]
    for seq, net in ((excluded - 1, NET), (excluded, Decimal("473000.00")), (included, Decimal("585070.00"))):
        figure = await figure_at(venue, seq, None)
        assert (figure.agree, Decimal(figure.to_json()["net"])) == (True, net)
    for after_seq, to_seq, change in (
        (0, excluded - 1, str(NET)),
        (excluded - 1, excluded, "-585070.00"),
        (excluded, included, "112070.00"),
        (0, included, "585070.00"),
    ):
        found = await venue.client("bob").get(
            "/v1/reports/turnover/2023/range", params={"after_seq": after_seq, "to_seq": to_seq}
        )
        assert found.json()["net"] == change


async def test_a_bust_of_an_excluded_trade_moves_it(venue: RunningVenue) -> None:
    await trade(venue)
    trade_id = (await fills(venue))[1]["trade_id"]
    await decide(venue, "exclude", trade_id)
    busted = await venue.client("operator").post(f"/v1/admin/trades/{trade_id}/bust", json={"reason": "both agree"})
    report = await report_of(venue, at_least_seq=busted.json()["seq"])
    assert (report["busted"], report["excluded"], report["net"]) == ("473000.00", "0.00", "585070.00")
    for decision in ("exclude", "include"):
        answer = await decide(venue, decision, trade_id)
        assert refusal(answer) == (409, "trade_busted", "trade_ids.0")
        assert f"the trade {trade_id} was busted by command {report['seq']}" in answer.json()["detail"]


async def test_a_decision_that_changes_nothing_or_names_no_trade_is_refused_whole(venue: RunningVenue) -> None:
    await trade(venue)
    first, second, third = [fill["trade_id"] for fill in await fills(venue)]
    await decide(venue, "exclude", first)
    before = venue.sequencer.last_seq
    for decision, trade_ids, problem in (
        ("exclude", [second, first], (409, "already_decided", "trade_ids.1")),
        ("include", [first, second], (409, "already_decided", "trade_ids.1")),
        ("exclude", [second, "5"], (422, "unknown_trade", "trade_ids.1")),
        ("exclude", ["0"], (422, "unknown_trade", "trade_ids.0")),
        ("exclude", ["9" * 19], (422, "unknown_trade", "trade_ids.0")),
        ("exclude", ["-1"], (422, "unknown_trade", "trade_ids.0")),
        ("exclude", [second, third, second], (422, "validation_failed", "trade_ids.2")),
        ("exclude", [], (422, "validation_failed", "trade_ids")),
        ("exclude", ["1"] * (MAX_TRADES + 1), (422, "validation_failed", "trade_ids")),
        ("doubt", [second], (422, "validation_failed", "decision")),
    ):
        assert refusal(await decide(venue, decision, *trade_ids)) == problem, (decision, len(trade_ids))
    for field in ("reason", "name"):
        assert refusal(await decide(venue, "exclude", second, **{field: ""})) == (422, "validation_failed", field)
    assert venue.sequencer.last_seq == before, "nothing was journaled"
    assert (await report_of(venue))["excluded_trades"] == 1


async def test_a_decision_may_be_as_large_as_a_batch(venue: RunningVenue) -> None:
    await trade(venue)
    largest_ids = [str(2**63 - 1 - number) for number in range(MAX_TRADES)]
    answer = await decide(venue, "exclude", *largest_ids)
    assert BODY_LIMIT < len(answer.request.content) < BATCH_BODY_LIMIT
    assert refusal(answer) == (422, "unknown_trade", "trade_ids.0")


async def test_of_two_equal_decisions_at_once_one_is_refused(venue: RunningVenue) -> None:
    await trade(venue)
    trade_id = (await fills(venue))[0]["trade_id"]
    answers = await asyncio.gather(*(decide(venue, "exclude", trade_id) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    answers = await asyncio.gather(*(set_target(venue, month=2) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]


async def test_members_are_not_told_who_decided(venue: RunningVenue) -> None:
    await trade(venue)
    await decide(venue, "exclude", (await fills(venue))[0]["trade_id"])
    await add_user(venue, "li.na", "operator")
    await add_user(venue, "ann", "auditor")
    by_person = await (await logged_in(venue, "li.na")).post(TARGETS, json=TARGET | {"month": 3})
    by_key = await set_target(venue, month=4)
    assert (by_person.status_code, by_key.status_code) == (201, 201)
    query = {"year": 2023, "at_least_seq": venue.sequencer.last_seq}
    for client in (venue.client("operator"), await logged_in(venue, "ann")):
        (decision,) = (await client.get("/v1/reports/decisions", params=query)).json()
        assert (decision["name"], decision["reason"]) == ("Li Na", "a ring")
        assert int(decision["key_id"])
        found = await client.get("/v1/reports/targets/2023", params={"at_least_seq": query["at_least_seq"]})
        assert [one["set_by"] for one in found.json()["targets"] if one["name"] == "more"] == ["li.na", "operator"]
    (decision,) = await listed(venue, "decisions", "bob", year=2023)
    assert [decision[field] for field in ("name", "reason", "key_id")] == [None, None, None]
    for target in await targets(venue, "bob"):
        assert (target["set_by"], target["key_id"]) == (None, None)


async def test_a_target_replaces_the_one_in_force_and_the_report_follows(venue: RunningVenue) -> None:
    (planned,) = await targets(venue)
    assert (planned["scope"], planned["metric"], planned["amount"], planned["in_force"]) == (
        "venue", "net_traded", "23000000000.00", True,
    )  # fmt: skip
    for replaces in ({}, {"replaces": planned["seq"] + 1}):
        answer = await set_target(venue, **replaces)
        assert refusal(answer) == (409, "target_in_force", "replaces")
        assert f"a new one must say that it replaces {planned['seq']}" in answer.json()["detail"]
    assert refusal(await set_target(venue, month=3, replaces=planned["seq"])) == (409, "target_in_force", "replaces")
    seq = (await set_target(venue, replaces=planned["seq"])).json()["seq"]
    report = await report_of(venue, at_least_seq=seq)
    assert (report["target"], report["target_name"], report["target_seq"]) == ("24000000000.00", "more", seq)
    old, new = await targets(venue)
    assert (old["in_force"], new["in_force"], new["replaces"], new["why"]) == (
        False, True, old["seq"], "the board asked for it",
    )  # fmt: skip


async def test_the_pages_of_targets_have_each_once_and_say_which_are_in_force(venue: RunningVenue) -> None:
    """Also where the one that replaces another is on a later page, or is set between two."""
    (planned,) = await targets(venue)
    for month in (0, 3, 4):
        assert (await set_target(venue, month=month, replaces=None if month else planned["seq"])).status_code == 201
    whole = await targets(venue)
    assert [one["in_force"] for one in whole] == [False, True, True, True]
    for limit in range(1, 6):
        assert await targets(venue, limit=limit) == whole
    first = (await venue.client("operator").get("/v1/reports/targets/2023", params={"limit": 3})).json()
    seq = (await set_target(venue, replaces=whole[1]["seq"])).json()["seq"]
    query = {"cursor": first["next_cursor"], "at_least_seq": seq}
    second = (await venue.client("operator").get("/v1/reports/targets/2023", params=query)).json()
    assert [one["seq"] for one in first["targets"] + second["targets"]] == [*(one["seq"] for one in whole), seq]


async def test_a_part_year_owes_its_share_where_the_target_says_so(venue: RunningVenue) -> None:
    """The venue opened on 1 December 2023: of 242 trading days of the year, 21 were left."""
    (planned,) = await targets(venue)
    seq = (await set_target(venue, amount="242000000.01", pro_rata=True, replaces=planned["seq"])).json()["seq"]
    report = await report_of(venue, at_least_seq=seq)
    assert (report["days_total"], report["days_before_opening"]) == (21, 221)
    assert (report["target"], report["target_of_whole_year"]) == ("21000000.00", "242000000.01")
    assert report["target_is_pro_rata"] is True
    assert report["days"][-1]["pace"] == "21000000.00"


async def test_targets_of_other_scopes_metrics_and_months_stand_beside_each_other(venue: RunningVenue) -> None:
    for changes in (
        {"scope": OXIDE},
        {"scope": OXIDE, "month": 2},
        {"scope": OXIDE, "metric": "tonnes", "amount": "1200.005"},
        {"scope": "category:deep_processed", "metric": "changed_hands"},
        {"metric": "delivered"},
        {"year": 2024, "amount": "0.01"},
    ):
        assert (await set_target(venue, **changes)).status_code == 201, changes
    found = await targets(venue)
    assert [one["amount"] for one in found if one["metric"] == "tonnes"] == ["1200.005"]
    assert [one["in_force"] for one in found] == [True] * 6
    assert (await report_of(venue))["target"] == "23000000000.00"


WRONG_TARGETS: list[tuple[dict[str, Any], Any]] = [
    ({"amount": "0"}, (422, "invalid_amount", "amount")),
    ({"amount": "-5.00"}, (422, "invalid_amount", "amount")),
    ({"amount": "5.001"}, (422, "invalid_amount", "amount")),
    ({"amount": "100000000000000.01"}, (422, "invalid_amount", "amount")),
    ({"amount": "5.0001", "metric": "tonnes"}, (422, "invalid_amount", "amount")),
    ({"amount": 5}, (422, "validation_failed", "amount")),
    ({"scope": "product:GOLD"}, (422, "unknown_symbol", "scope")),
    ({"scope": "category:gold"}, (422, "validation_failed", "scope")),
    ({"scope": "the venue"}, (422, "validation_failed", "scope")),
    ({"metric": "gross"}, (422, "validation_failed", "metric")),
    ({"year": 1999}, (422, "validation_failed", "year")),
    ({"month": 13}, (422, "validation_failed", "month")),
    ({"month": 2, "pro_rata": True}, (422, "validation_failed", "pro_rata")),
    ({"why": ""}, (422, "validation_failed", "why")),
    ({"amount_fen": 5}, (422, "validation_failed", "amount_fen")),
]


async def test_a_wrong_target_is_refused(refusing_venue: RunningVenue) -> None:
    before = refusing_venue.sequencer.last_seq
    for changes, problem in WRONG_TARGETS:
        assert refusal(await set_target(refusing_venue, **changes)) == problem, changes
    assert refusing_venue.sequencer.last_seq == before
