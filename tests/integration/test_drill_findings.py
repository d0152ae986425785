"""A finding of the wash screen leads to its trades, whose sum is its amount, before and after a decision about them."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from matching_engine.records import Side
from services.commands import administrative as admin
from services.commands.attachments import AccountText, TradesDecided
from services.journal.sqlite import SqliteJournal
from services.messaging import Submission
from services.reporting.drill.routes import router
from services.reporting.integrity import findings_router
from services.reporting.report_database import JOURNAL_FILE
from tests.integration.read_databases import ReadDatabase
from tests.integration.test_read_database_kinds import write_in_parts
from tests.patience import AsyncHttpClient
from tests.unit.read_database.history import REFERENCE_TICKS, SENDER, History, opening, order

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


async def test_a_finding_leads_to_its_trades(tmp_path: Path) -> None:
    """2 and 3 sell the same goods to and fro; all others trade with whom they meet."""
    chance, made = Random(2), History()
    batches = [made.batch(opening()), made.batch(funded())]
    for number in range(60):
        seller, buyer = chance.sample(OTHERS, 2)
        batches.append(made.batch(deal(seller, buyer, chance.randint(1, 9))))
        if number % 6 == 0:
            batches.append(made.batch(deal(2, 3, 7) if number % 12 else deal(3, 2, 7)))
    database = ReadDatabase(tmp_path)
    await database.make()
    await write_in_parts(database.writer(), batches, chance)
    journal = await SqliteJournal.open(tmp_path / JOURNAL_FILE)
    app = FastAPI()
    async with database.opened() as engine:
        app.include_router(findings_router(engine))
        app.include_router(router(engine, journal, lambda: 0))
        async with AsyncHttpClient(transport=httpx.ASGITransport(app), base_url="http://venue") as client:

            async def get(path: str) -> Any:
                return (await client.get(path)).json()

            (finding,) = (await get("/v1/reports/findings/2023"))["findings"]
            assert finding["members"] == ["trader 2", "trader 3"]
            page = await get(finding["links"]["trades"])
            assert [one["trade_id"] for one in page["trades"]] == finding["trade_ids"]
            assert (page["sum"]["net"], page["sum"]["trades"]) == (finding["amount"], finding["trades"])

            ids = tuple(map(int, finding["trade_ids"]))
            decided = TradesDecided(
                decision="exclude", trade_ids=ids, finding=finding["finding"], reason="a ring", name="Li Na"
            )
            await write_in_parts(database.writer(), [made.batch([admin.record(SENDER, decided)])], chance)
            page = await get(finding["links"]["trades"])
            assert (page["sum"]["excluded"], page["sum"]["net"]) == (finding["amount"], "0.00")
    await journal.close()
