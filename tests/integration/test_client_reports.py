"""The client's methods for reports and alerts, against a venue behind a real socket that has just traded."""

from __future__ import annotations

import asyncio
from datetime import date
from pathlib import Path

import pytest
from rex_client import RexError

from tests.integration.served_venue import served_venue
from tests.integration.test_alerts import put
from tests.patience import PATIENCE_S
from tests.unit.alerts.test_conditions import condition

pytestmark = pytest.mark.anyio

OXIDE = {"symbol": "PRND-OX", "price": "473000.00"}
YEAR = 2023
AMOUNT = "473000.00"
"""Of one lot."""


async def test_every_report_counts_the_trade_that_was_just_made(tmp_path: Path) -> None:
    async with served_venue(tmp_path) as served:
        alice, bob, operator = [await served.client(name) for name in ("alice", "bob", "operator")]
        await alice.place_order({**OXIDE, "side": "sell", "quantity": 2})
        first = (await bob.place_order({**OXIDE, "side": "buy", "quantity": 1}))["seq"]
        second = (await bob.place_order({**OXIDE, "side": "buy", "quantity": 1}))["seq"]
        now = (await bob.turnover(YEAR, at_least_seq=second))["net"]
        assert (now, (await bob.turnover(YEAR, seq=first))["net"]) == ("946000.00", AMOUNT)
        with pytest.raises(RexError, match="cannot be combined with at_least_seq"):
            await bob.turnover(YEAR, seq=first, at_least_seq=second)

        third = (await bob.place_order({**OXIDE, "side": "sell", "quantity": 1}))["seq"]
        third = (await alice.place_order({**OXIDE, "side": "buy", "quantity": 1}))["seq"]
        ladder = (await bob.ladder(YEAR, at_least_seq=third))["ladder"]
        assert (ladder["net"]["trades"], ladder["changed_hands"]) == (3, AMOUNT)
        split = await bob.splits(YEAR, "product", at_least_seq=third)
        assert [(line["part"], line["trades"]) for line in split["lines"]] == [("PRND-OX", 3)]
        for part in (bob.concentration, bob.effects, bob.months, bob.fee_income, operator.members, bob.target_progress):
            assert (await part(YEAR, at_least_seq=third))["seq"] >= third
        trading_date = (await bob.venue())["trading_date"]
        assert (await bob.bulletin(trading_date, at_least_seq=third))["date"] == trading_date


async def test_what_operators_read_of_the_year(tmp_path: Path) -> None:
    async with served_venue(tmp_path) as served:
        operator = await served.client("operator")
        target = {"year": YEAR, "month": 3, "metric": "tonnes", "amount": "1", "name": "a plan", "why": "a test"}
        seq = (await operator.set_target(target))["seq"]
        assert (await operator.targets(YEAR, at_least_seq=seq))["targets"][-1]["seq"] == seq
        for of_year in (
            operator.context, operator.changed_hands, operator.findings, operator.abnormal_trading,
        ):  # fmt: skip
            assert (await of_year(YEAR, at_least_seq=seq))["year"] == YEAR
        assert (await operator.index(YEAR, at_least_seq=seq))["seq"] >= seq
        assert await operator.decisions(YEAR, limit=5, before_seq=9, at_least_seq=seq) == []
        assert await operator.control_groups(at_least_seq=seq) == {"control_groups": [], "next_cursor": None}
        trading_date = date.fromisoformat((await operator.venue())["trading_date"])
        assert (await operator.quality(trading_date, at_least_seq=seq))["date"] == trading_date.isoformat()
        assert (await operator.proof(YEAR))["year"] == YEAR


async def test_from_the_figure_to_the_journal(tmp_path: Path) -> None:
    async with served_venue(tmp_path) as served:
        alice, bob, operator = [await served.client(name) for name in ("alice", "bob", "operator")]
        offer = await alice.place_order({**OXIDE, "side": "sell", "quantity": 2})
        for _ in range(2):
            seq = (await bob.place_order({**OXIDE, "side": "buy", "quantity": 1}))["seq"]
        (day,) = (await operator.turnover_days(YEAR, product="PRND-OX", at_least_seq=seq))["days"]
        page = await operator.counted_trades(
            date=date.fromisoformat(day["date"]), product="PRND-OX", side="sell", counted="yes",
            member=served.venue.keys["alice"].account, phase="continuous", order=offer["order_id"], limit=1,
        )  # fmt: skip
        assert page["sum"]["net"] == day["net"] == "946000.00"
        rest = await operator.counted_trades(year=YEAR, with_sum=False, cursor=page["next_cursor"])
        assert (rest["sum"], rest["next_cursor"]) == (None, None)
        (last,) = rest["trades"]
        assert await operator.counted_trade(last["trade_id"]) == last
        assert (await operator.order_with_trades(offer["order_id"], at_least_seq=seq))["trades"][-1] == last
        assert (await operator.journaled_command(seq))["command"]["seq"] == seq
        with pytest.raises(RexError, match="scope"):
            await bob.counted_trades(year=YEAR)


async def test_alerts_are_listed_acknowledged_and_pushed(tmp_path: Path) -> None:
    async with served_venue(tmp_path) as served, asyncio.timeout(PATIENCE_S):
        operator = await served.client("operator")
        async with operator.subscribe(["alerts"]) as pushes:
            assert (await anext(pushes))["data"]["alerts"] == []
            await put(served.venue, condition("pace", 1).raised())
            raised = (await anext(pushes))["data"]["alerts"]
            assert raised == (await operator.alerts())["alerts"]
            seen = await operator.acknowledge_alert(raised[0]["alert_id"], "Li Na", "the board knows")
            assert seen["acknowledged"]["note"] == "the board knows"
            assert (await anext(pushes))["data"]["alerts"] == [seen]
            with pytest.raises(RexError, match="already_acknowledged"):
                await operator.acknowledge_alert(raised[0]["alert_id"], "Wang")
            page = await operator.alerts("all", limit=1)
            assert page["alerts"] == [seen]
            assert (await operator.alerts("all", cursor=page["next_cursor"]))["alerts"] == []
