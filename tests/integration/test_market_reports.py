"""The PrNd index and the quality of the market: over HTTP on a whole venue, and as both kinds of read database hold them."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncGenerator
from random import Random
from typing import Any

import httpx
import pypdf
import pytest
from fastapi import FastAPI

from matching_engine.records import SettlementSource, Side
from services.commands import administrative as admin
from services.commands.attachments import BustText
from services.journal.batch import JournalBatch
from services.market_statistics.index_reading import read_index
from services.market_statistics.prnd_index import IndexInput
from services.read_model.errors import ReadDatabaseSilent
from services.reporting.market import routes
from tests.integration.read_databases import ReadDatabase
from tests.integration.test_read_database_kinds import flow_of, write_in_parts
from tests.integration.test_reporting import place
from tests.integration.test_surveillance_reading import rows_of
from tests.integration.venue import RunningVenue
from tests.long import some
from tests.patience import AsyncHttpClient
from tests.unit.read_model.history import SENDER, day_roll

pytestmark = pytest.mark.anyio

INDEX, QUALITY = "/v1/reports/index", "/v1/reports/quality"
DAYS = (20231201, 20231204, 20231205)


async def get(venue: RunningVenue, path: str, status: int = 200, **query: Any) -> dict[str, Any]:
    await venue.projector.reached(venue.sequencer.last_seq)
    answer = await venue.client("alice").get(path, params=query)
    assert answer.status_code == status, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def begin_day(venue: RunningVenue, date: int) -> None:
    batches = venue.feed.subscribe()
    await venue.inbox.put(day_roll(SENDER, date))
    await batches.next_batch()
    batches.close()


async def trade(venue: RunningVenue, price: str, lots: int = 5) -> int:
    """Bob buys lots of PrNd oxide from Alice; returns the seq."""
    await place(venue, "alice", "PRND-OX", "sell", price, lots)
    return int((await place(venue, "bob", "PRND-OX", "buy", price, lots))["seq"])


def oxide(report: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in report["products"] if one["symbol"] == "PRND-OX")
    return found


async def test_the_index_of_two_days(venue: RunningVenue) -> None:
    """On the first day 5 lots of oxide settle at 473,000, metal at its reference; on the second 15 at 482,400 and 15 at
    482,500, so at 482,450, half up to the tick of 100 yuan 482,500. Both weigh one half in the first year:
    100 · (482.5 / 473 + 1) / 2 = 101.004. Six trades of one member a side are no assessment."""
    assert (await get(venue, INDEX))["days"] == []
    await trade(venue, "473000.00")
    await begin_day(venue, DAYS[1])
    for price in ("482400.00", "482500.00") * 3:
        await trade(venue, price)
    await begin_day(venue, DAYS[2])
    report = await get(venue, INDEX)
    assert [report[name] for name in ("base", "base_date", "journal_id")] == [
        "100.00", "2023-12-01", venue.journal.journal_id.hex(),
    ]  # fmt: skip
    assert report["years"] == [
        {
            "year": 2023,
            "assumed": True,
            "weights": [
                {"symbol": "PRND-OX", "weight": "0.500000"},
                {"symbol": "PRND-MET", "weight": "0.500000"},
            ],
        }
    ]
    first, second = report["days"]
    assert (first["date"], first["value"], first["assessed"], first["trades"]) == ("2023-12-01", "100.00", False, 1)
    assert (second["date"], second["value"]) == ("2023-12-04", "101.00")
    assert (second["trades"], second["buyers"], second["sellers"], second["assessed"]) == (6, 1, 1, False)
    assert second["prices"] == [
        {"symbol": "PRND-OX", "settlement": "482500.00", "source": "day_vwap"},
        {"symbol": "PRND-MET", "settlement": "587500.00", "source": "previous"},
    ]
    bulletin = await get(venue, "/v1/reports/bulletins/2023-12-04")
    assert bulletin["prnd_index"] == {"value": "101.00", "assessed": False}
    answer = await venue.client("alice").get("/v1/reports/bulletins/2023-12-04", params={"format": "pdf"})
    text = pypdf.PdfReader(io.BytesIO(answer.content)).pages[0].extract_text()
    assert "101.00" in text
    assert "not assessed" in text
    assert (await get(venue, "/v1/reports/bulletins/2023-12-05"))["prnd_index"] is None
    assert (await get(venue, INDEX, year=2024))["days"] == []
    assert (await get(venue, INDEX, year=2023))["days"] == report["days"]
    await get(venue, INDEX, 422, year=1999)

    await begin_day(venue, 20240102)
    await begin_day(venue, 20240103)
    present = await get(venue, INDEX)
    assert ([one["year"] for one in present["years"]], [day["date"] for day in present["days"]]) == (
        [2024],
        ["2024-01-02"],
    )
    assert present["days"] == (await get(venue, INDEX, year=2024))["days"]


async def test_the_quality_of_a_day(venue: RunningVenue) -> None:
    """Alice's market is (472,800, 473,200) from the first command on that makes it two-sided; Bob buys 2 lots at 473,200,
    200 from the middle of 473,000, so the effective spread is 400. The settlement before is 473,000: Amihud is
    200 / 473,000 / 0.9464 million."""
    await place(venue, "alice", "PRND-OX", "buy", "472800.00", 7)
    await place(venue, "alice", "PRND-OX", "sell", "473200.00", 9)
    await place(venue, "bob", "PRND-OX", "buy", "473200.00", 2)
    today = await get(venue, f"{QUALITY}/2023-12-01")
    assert (today["complete"], today["last_seq"], today["seq"]) == (False, venue.sequencer.last_seq, today["last_seq"])
    last = await venue.journal.last_batch()
    assert last is not None
    assert (today["row_hash"], today["journal_id"]) == (last.hash.hex(), venue.journal.journal_id.hex())
    expected = {
        "spread": "400.000000", "spread_bp": "8.46", "median_spread": "400.00", "trades": 1,
        "effective_spread": "400.000000", "effective_spread_bp": "8.46", "large_trades": 0,
        "unrecovered_large_trades": 0, "recovery_s": None, "amihud": "0.00044678", "buy_depth_lots": "7.000",
    }  # fmt: skip
    assert {name: oxide(today)[name] for name in expected} == expected
    silent = next(one for one in today["products"] if one["symbol"] == "PRND-MET")
    assert (silent["two_sided_share"], silent["spread"], silent["trades"]) == ("0.000000", None, 0)
    assert len(today["products"]) == 32


async def test_a_day_that_has_ended_does_not_change_and_its_orders_stand_on(venue: RunningVenue) -> None:
    body = {"symbol": "PRND-OX", "side": "buy", "price": "472800.00", "quantity": 7, "time_in_force": "gtc"}
    for side, price in (("buy", "472800.00"), ("sell", "473200.00")):
        answer = await venue.client("alice").post("/v1/orders", json=body | {"side": side, "price": price})
        assert answer.status_code == 201
    await begin_day(venue, DAYS[1])
    first = await get(venue, f"{QUALITY}/2023-12-01")
    await place(venue, "bob", "PRND-OX", "buy", "473200.00", 2)
    again = await get(venue, f"{QUALITY}/2023-12-01")
    assert (again["products"], again["complete"], again["last_seq"]) == (first["products"], True, first["last_seq"])
    assert again["seq"] > first["seq"]
    second = oxide(await get(venue, f"{QUALITY}/2023-12-04"))
    assert (second["two_sided_share"], second["spread"], second["trades"]) == ("1.000000", "400.000000", 1)


async def test_a_busted_trade_is_left_out(venue: RunningVenue) -> None:
    await place(venue, "alice", "PRND-OX", "buy", "472800.00", 7)
    seq = await trade(venue, "473200.00")
    assert oxide(await get(venue, f"{QUALITY}/2023-12-01"))["trades"] == 1
    batches = venue.feed.subscribe()
    await venue.inbox.put(admin.bust_trade(SENDER, seq << 20 | 1, BustText(reason="agreed")))
    await batches.next_batch()
    batches.close()
    assert oxide(await get(venue, f"{QUALITY}/2023-12-01"))["trades"] == 0


async def test_what_was_no_day_is_refused(refusing_venue: RunningVenue) -> None:
    for date, status in (
        ("2023-12-04", 404), ("2023-11-30", 404), ("2023-12-02", 404), ("2023-13-01", 422), ("20231201", 422),
    ):  # fmt: skip
        await get(refusing_venue, f"{QUALITY}/{date}", status)


async def test_a_day_that_is_too_large_is_refused(venue: RunningVenue, monkeypatch: pytest.MonkeyPatch) -> None:
    await trade(venue, "473000.00")
    monkeypatch.setattr("services.market_statistics.day_reading.MOST_EVENTS", 1)
    problem = await get(venue, f"{QUALITY}/2023-12-01", 422)
    assert problem["detail"] == "The quality of 2023-12-01 is not computed: the day has more than 1 quotes and trades."


async def test_a_quality_that_takes_long_is_given_up_and_read_on_and_no_index_waits_for_it(
    venue: RunningVenue, monkeypatch: pytest.MonkeyPatch
) -> None:
    seq = await trade(venue, "473000.00")
    await venue.projector.reached(seq)
    arrives, reads = asyncio.Event(), list[int]()

    class Slow:
        async def read(self, after_seq: int) -> AsyncGenerator[JournalBatch]:
            reads.append(after_seq)
            await arrives.wait()
            async for row in venue.journal.read(after_seq):
                yield row

    app = FastAPI()
    app.include_router(routes.router(venue.read_database, Slow(), venue.projector.reached))
    async with AsyncHttpClient(transport=httpx.ASGITransport(app), base_url="http://venue") as client:
        with monkeypatch.context() as short:
            short.setattr(routes, "ANSWER_S", 0.02)
            for _ in range(2):  # the second has no turn
                with pytest.raises(ReadDatabaseSilent):
                    await client.get(f"{QUALITY}/2023-12-01")
            assert (await client.get(INDEX)).status_code == 200
            assert reads == [0]
        arrives.set()
        answer = await client.get(f"{QUALITY}/2023-12-01")
    assert oxide(answer.json())["trades"] == 1


@pytest.mark.parametrize("seed", some(range(2)))
async def test_the_days_of_the_index_are_read_from_both_kinds(read_database: ReadDatabase, seed: int) -> None:
    await write_in_parts(read_database.writer(), flow_of(seed, 1_500), Random(seed))
    dump = await read_database.dump()
    owner = {row["account"]: row["owner"] or row["account"] for row in rows_of(dump, "accounts")}
    symbols = [row["symbol"] for row in rows_of(dump, "instruments")]
    days = [row for row in rows_of(dump, "daily_turnover") if row["settlement_ticks"] is not None]
    counting = [row for row in rows_of(dump, "trades") if row["busted_seq"] is None and row["excluded_seq"] is None]
    async with read_database.opened() as engine, engine.connect() as connection:
        found = await read_index(connection, (symbols[1], symbols[0]))
        assert await read_index(connection) == type(found)((), {}, ())
    expected = []
    for date in sorted({row["trading_date"] for row in days}):
        pair = [next(row for row in days if (row["trading_date"], row["instrument"]) == (date, n)) for n in (1, 0)]
        trades = [row for row in counting if row["trading_date"] == date and row["instrument"] in (0, 1)]
        bought = [row["taker_account" if row["taker_side"] == Side.BUY else "maker_account"] for row in trades]
        sold = [row["maker_account" if row["taker_side"] == Side.BUY else "taker_account"] for row in trades]
        members = [len({owner[account] for account in accounts}) for accounts in (bought, sold)]
        settled, amounts = (tuple(row[name] for row in pair) for name in ("settlement_ticks", "amount_fen"))
        expected.append(IndexInput(date, settled, amounts, len(trades), *members))
        assert found.sources[date] == tuple(row["settlement_source"] for row in pair)
    assert list(found.days) == expected
    assert len(expected) > 1
    assert sum(one.trades for one in expected) > 20
    assert {source for pair in found.sources.values() for source in pair} <= set(SettlementSource)
