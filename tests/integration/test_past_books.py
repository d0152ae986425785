"""The book as it was after a command of the past: over HTTP on a whole venue, and from the process that reads the journal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fastapi.responses import Response

from services.files.data_folder import JOURNAL_FILE
from services.read_model.database import path_of
from services.venue.bootstrap import open_venue
from services.venue.report_process import ReportPlace, ReportProcess
from services.venue.settings import Settings
from tests.integration.read_databases import ReadDatabase
from tests.integration.test_market_reports import DAYS, begin_day, get
from tests.integration.test_reporting import place
from tests.integration.test_reporting_postgres import made
from tests.integration.test_reporting_postgres import venue as venue_in_postgres
from tests.integration.venue import RunningVenue
from tests.patience import AsyncHttpClient
from tests.unit.read_model.history import opening

pytestmark = pytest.mark.anyio

__all__ = ["made", "venue_in_postgres"]

BOOKS = "/v1/reports/books"


async def order(venue: RunningVenue, **body: Any) -> dict[str, Any]:
    fields = {"symbol": "PRND-OX", "price": "472800.00", "quantity": 7, "time_in_force": "gtc", **body}
    answer = await venue.client("alice").post("/v1/orders", json=fields)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def sides(book: dict[str, Any]) -> list[list[tuple[str, int, int]]]:
    return [[(one["price"], one["quantity"], one["orders"]) for one in book[side]] for side in ("bids", "asks")]


async def test_the_book_is_what_the_market_data_said_after_each_command(venue: RunningVenue) -> None:
    """An iceberg shows its part, a trade and an amend take away, the day's order expires with the day; nothing of that is in a
    book before it."""
    said: dict[int, dict[str, Any]] = {}

    async def look() -> None:
        book = await get(venue, "/v1/market/PRND-OX/depth", levels=500)
        said[book["seq"]] = book

    await look()
    first = await order(venue, side="buy")
    await look()
    await order(venue, side="sell", price="473200.00", quantity=9, display_quantity=2)
    await look()
    await place(venue, "bob", "PRND-OX", "buy", "473200.00", 3)
    await look()
    await venue.client("alice").patch(f"/v1/orders/{first['order_id']}", json={"quantity": 4})
    await order(venue, side="buy", price="472700.00", time_in_force="day")
    await look()
    await begin_day(venue, DAYS[1])
    await look()
    for seq in reversed(said):
        book = await get(venue, f"{BOOKS}/PRND-OX", seq=seq, levels=500)
        assert sides(book) == sides(said[seq])
        assert (book["bid_levels"], book["ask_levels"]) == tuple(len(side) for side in sides(book))
        assert (book["bid_quantity"], book["ask_quantity"]) == tuple(sum(q for _, q, _ in side) for side in sides(book))
    latest = await venue.journal.last_batch()
    assert latest is not None
    now = await get(venue, f"{BOOKS}/PRND-OX", seq=latest.last_seq)
    assert (now["row_hash"], now["journal_id"]) == (latest.hash.hex(), latest.journal_id.hex())
    assert (now["trading_date"], now["phase"], now["symbol"]) == ("2023-12-04", "continuous", "PRND-OX")
    assert (before := await get(venue, f"{BOOKS}/PRND-OX", seq=latest.last_seq - 1))["trading_date"] == "2023-12-01"
    assert (before["bid_levels"], len((await get(venue, f"{BOOKS}/PRND-OX", seq=before["seq"], levels=1))["bids"])) == (
        2,
        1,
    )


async def test_what_has_no_book_is_refused(refusing_venue: RunningVenue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.reporting.requests.READ_TIMEOUT_S", 0.01)
    await get(refusing_venue, f"{BOOKS}/PRND-OX", 422)
    for symbol, seq, status in (("PRND-OX", 0, 422), ("PRND-OX", 1, 404), ("GOLD", 40, 404)):
        await get(refusing_venue, f"{BOOKS}/{symbol}", status, seq=seq)
    problem = await get(refusing_venue, f"{BOOKS}/PRND-OX", 422, seq=10**6)
    assert problem["errors"][0]["message"] == "the venue has not reached this sequence number"


async def test_a_venue_has_what_days_are_read_for_made_by_the_process_that_reads_the_journal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, answer_of = [], ReportProcess.answer

    async def noted(reports: ReportProcess, address: str, at_least_seq: int) -> tuple[Response, int]:
        if reports.reads_days:
            asked.append((address, at_least_seq))
        return await answer_of(reports, address, at_least_seq)

    monkeypatch.setattr(ReportProcess, "answer", noted)
    async with open_venue(Settings(data_dir=tmp_path, port=0, schedule="always")) as venue:
        headers = {"authorization": f"Bearer {venue.keys['operator'].key}"}
        async with AsyncHttpClient(base_url=venue.url, headers=headers) as client:
            seq = venue.sequencer.last_seq
            book = (await client.get(f"{BOOKS}/PRND-OX", params={"seq": seq, "levels": 3})).json()
            assert (book["seq"], book["bids"], book["phase"]) == (seq, [], "continuous")
            assert (await client.get(f"{BOOKS}/GOLD", params={"seq": seq})).status_code == 404
            date = book["trading_date"]
            assert (await client.get(f"/v1/reports/quality/{date}")).json()["date"] == date
            past = f"/v1/reports/turnover/{date[:4]}?format=csv&seq={seq}"
            report = await client.get(past)
            assert f"turnover-{date[:4]}-seq-{seq}.csv" in report.headers["content-disposition"]
            empty = (await client.get(f"/v1/reports/turnover/2024?seq={seq}")).json()
            assert (empty["seq"], empty["trades"]) == (seq, 0)
    paths = [f"{BOOKS}/PRND-OX?seq={seq}&levels=3", f"{BOOKS}/GOLD?seq={seq}&levels=20", f"/v1/reports/quality/{date}"]
    paths += [past, f"/v1/reports/turnover/2024?format=json&seq={seq}"]
    assert asked == [*((path, seq) for path in paths[:2]), *((path, 0) for path in paths[2:])]


async def test_the_process_reads_on_as_the_journal_grows(venue: RunningVenue, tmp_path: Path) -> None:
    path = path_of(venue.read_database)
    reports = ReportProcess(ReportPlace.of(path, None, journal=path.parent / JOURNAL_FILE))
    try:
        for quantity in (3, 5):
            seq = (await place(venue, "alice", "PRND-OX", "sell", "473000.00", quantity))["seq"]
            await venue.projector.reached(seq)
            answer, reached_seq = await reports.answer(f"{BOOKS}/PRND-OX?seq={seq}", seq)
            assert (answer.status_code, reached_seq) == (200, seq)
            assert b'"quantity":%d,' % (3 if quantity == 3 else 8) in answer.body
    finally:
        await reports.close()


async def test_the_process_reads_a_journal_in_postgres(venue_in_postgres: ReadDatabase) -> None:
    assert venue_in_postgres.url is not None
    reports, seq = (
        ReportProcess(ReportPlace.of(venue_in_postgres.url, None, journal=venue_in_postgres.url)),
        len(opening()) + 1,
    )
    try:
        answer, reached_seq = await reports.answer(f"{BOOKS}/ND-OX?seq={seq}", seq)
        book = json.loads(bytes(answer.body))
        assert (book["seq"], book["bid_levels"] + book["ask_levels"], reached_seq > seq) == (seq, 1, True)
    finally:
        await reports.close()
