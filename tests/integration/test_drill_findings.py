"""A finding of the wash screen leads to its trades, whose sum is its amount, before and after a decision about them."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI

from matching_engine.records import Side
from services.commands import administrative as admin
from services.commands.attachments import AccountText, BustText, TradesDecided, TradesDecision
from services.data.calendar import TradingCalendar
from services.journal.batch import JournalBatch
from services.messaging import Submission
from services.reporting import present
from services.reporting.breakdown import routes as breakdown
from services.reporting.drill.routes import router
from services.reporting.wash_routes import findings_router
from tests.integration.read_databases import ReadDatabase
from tests.integration.test_read_database_kinds import write_in_parts
from tests.patience import AsyncHttpClient
from tests.unit.read_model.history import REFERENCE_TICKS, SENDER, History, day_roll, opening, order

pytestmark = pytest.mark.anyio

OTHERS = range(5, 17)


def funded() -> list[Submission]:
    """A dozen more members with money and goods."""
    parts = []
    for account in OTHERS:
        parts.append(admin.open_account(SENDER, AccountText(name=f"trader {account}")))
        parts.append(admin.change_cash(SENDER, account, 1_000_000_000))
        parts.append(admin.change_inventory(SENDER, account, 0, 500))
    return parts


def deal(seller: int, buyer: int, lots: int) -> list[Submission]:
    return [order(seller, Side.SELL, REFERENCE_TICKS, lots), order(buyer, Side.BUY, REFERENCE_TICKS, lots)]


async def reached(_seq: int) -> None:
    """Nobody writes while the routes are read."""


def client_of(*routers: APIRouter) -> AsyncHttpClient:
    app = FastAPI()
    for one in routers:
        app.include_router(one)
    return AsyncHttpClient(transport=httpx.ASGITransport(app), base_url="http://venue")


def ring_among_others(made: History, chance: Random) -> list[JournalBatch]:
    """2 and 3 sell the same goods to and fro; all others trade with whom they meet."""
    batches = [made.batch(opening()), made.batch(funded())]
    for number in range(60):
        seller, buyer = chance.sample(OTHERS, 2)
        batches.append(made.batch(deal(seller, buyer, chance.randint(1, 9))))
        if number % 6 == 0:
            batches.append(made.batch(deal(2, 3, 7) if number % 12 else deal(3, 2, 7)))
    return batches


async def test_a_finding_leads_to_its_trades(tmp_path: Path) -> None:
    chance, made = Random(2), History()
    database = ReadDatabase(tmp_path)
    await database.make()
    await write_in_parts(database.writer(), ring_among_others(made, chance), chance)
    async with (
        database.opened() as engine,
        client_of(findings_router(engine, reached), router(engine, reached)) as client,
    ):

        async def get(path: str) -> Any:
            return (await client.get(path)).json()

        (finding,) = (await get("/v1/reports/findings/2023"))["findings"]
        assert finding["members"] == ["trader 2", "trader 3"]
        page = await get(finding["links"]["trades"])
        assert [one["trade_id"] for one in page["trades"]] == finding["trade_ids"]
        assert (page["sum"]["net"], page["sum"]["trades"]) == (finding["amount"], finding["trades"])

        # The ring trades on, so a screen has another finding now, and somebody asks for it. Who pages through this one comes to
        # its end, here and at another gateway. One of its trades is busted since.
        first = await get(finding["links"]["trades"] + "&limit=1")
        bust = admin.bust_trade(SENDER, int(finding["trade_ids"][-1]), BustText(reason="a mistake"))
        more = [made.batch(deal(2, 3, 7)), made.batch(deal(3, 2, 7)), made.batch([bust])]
        await write_in_parts(database.writer(), more, chance)
        (newer,) = (await get("/v1/reports/findings/2023"))["findings"]
        assert newer["finding"] != finding["finding"]
        assert len((await get(newer["links"]["trades"]))["trades"]) == newer["trades"]
        async with client_of(router(engine, reached)) as another:
            for reader in (client, another):
                rest = (await reader.get(first["links"]["next"].replace("limit=1", "limit=100"))).json()
                assert [one["trade_id"] for one in first["trades"] + rest["trades"]] == finding["trade_ids"]
            assert (await another.get(newer["links"]["trades"])).status_code == 200
            assert (await another.get(first["links"]["next"])).status_code == 200
        async with client_of(router(engine, reached)) as another:
            today = f"/v1/reports/trades?year=2023&finding={finding['finding']}"
            assert (await another.get(today)).status_code == 422, "without its seq it is looked for today"

        async def decide(decision: TradesDecision, trade_ids: list[str]) -> dict[str, Any] | None:
            """What the ring's finding says of itself after the decision."""
            about = TradesDecided(
                decision=decision, trade_ids=tuple(map(int, trade_ids)), reason="a ring", name="Li Na"
            )
            await write_in_parts(database.writer(), [made.batch([admin.record(SENDER, about)])], chance)
            (found,) = (await get("/v1/reports/findings/2023"))["findings"]
            decided: dict[str, Any] | None = found["decided"]
            return decided

        (grown,) = (await get("/v1/reports/findings/2023"))["findings"]
        assert grown["decided"] is None
        ids = tuple(map(int, finding["trade_ids"]))
        decided = TradesDecided(
            decision="exclude", trade_ids=ids, finding=finding["finding"], reason="a ring", name="Li Na"
        )
        await write_in_parts(database.writer(), [made.batch([admin.record(SENDER, decided)])], chance)
        page = await get(finding["links"]["trades"])
        assert (page["sum"]["gross"], page["sum"]["net"]) == (finding["amount"], "0.00")
        # All trades of the finding, as it is now, must be decided alike.
        assert await decide("exclude", grown["trade_ids"][:1]) is None
        decided_now = await decide("exclude", grown["trade_ids"])
        assert decided_now == {"seq": made.engine.last_seq, "decision": "exclude"}
        assert await decide("include", grown["trade_ids"][:1]) is None
        decided_now = await decide("include", grown["trade_ids"][1:])
        assert decided_now == {"seq": made.engine.last_seq, "decision": "include"}


async def test_the_year_without_what_waits_is_the_report_after_its_exclusion(tmp_path: Path) -> None:
    """The day of the ring has ended: it is part of the pace and of the forecast."""
    chance, made, calendar = Random(2), History(), TradingCalendar.load()
    database = ReadDatabase(tmp_path)
    await database.make()

    async def write(*commands: Submission) -> None:
        await write_in_parts(database.writer(), [made.batch(list(commands))], chance)

    await write_in_parts(database.writer(), ring_among_others(made, chance), chance)
    await write(day_roll(SENDER, 20230104))
    async with (
        database.opened() as engine,
        client_of(
            breakdown.flagged_router(engine, calendar, reached),
            findings_router(engine, reached),
            present.present_router(engine, calendar),
        ) as client,
    ):

        async def get(path: str) -> Any:
            return (await client.get(f"/v1/reports/{path}")).json()

        async def standing() -> dict[str, Any]:
            report = await get("turnover/2023")
            forecast = report["forecast"]
            reach = None if forecast["too_early"] else forecast["reach"]
            return {"net": report["net"], "ahead": report["ahead"], "p50": forecast["p50"], "reach": reach}

        async def decide(decision: TradesDecision, trade_ids: list[str]) -> None:
            ids = tuple(map(int, trade_ids))
            await write(
                admin.record(SENDER, TradesDecided(decision=decision, trade_ids=ids, reason="a ring", name="Li Na"))
            )

        (finding,) = (await get("findings/2023"))["findings"]
        found = await get("turnover/2023/flagged")
        assert (found["undecided"], found["undecided_trades"]) == (finding["amount"], finding["trades"])
        assert found["now"] == await standing()
        assert Decimal(found["share"]) == round(Decimal(found["undecided"]) / Decimal(found["now"]["net"]), 6)
        assert all(Decimal(found["without"][name]) < Decimal(found["now"][name]) for name in ("net", "ahead", "p50"))
        await decide("exclude", finding["trade_ids"][:3])  # in no net turnover any more
        part = await get("turnover/2023/flagged")
        assert part["undecided_trades"] == finding["trades"] - 3
        assert part["now"] == await standing() != found["now"]
        assert part["without"] == found["without"]
        await decide("include", finding["trade_ids"][3:])  # all are decided, but not alike
        unlike = await get("turnover/2023/flagged")
        assert (unlike["undecided_trades"], unlike["now"]) == (0, part["now"])
        await decide("exclude", finding["trade_ids"])
        done = await get("turnover/2023/flagged")
        assert (done["undecided"], done["undecided_trades"], done["share"]) == ("0.00", 0, "0.000000")
        assert done["now"] == done["without"] == found["without"] == await standing()
        await decide("include", finding["trade_ids"])
        kept = await get("turnover/2023/flagged")
        assert (kept["undecided_trades"], kept["now"], kept["without"]) == (0, found["now"], found["now"])
