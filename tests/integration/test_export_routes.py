"""The files over HTTP: the year's report as XLSX and PDF, the bulletins of days and months."""

from __future__ import annotations

import csv
import io
from decimal import Decimal
from typing import Any

import openpyxl
import pypdf
import pytest
from httpx import Response

from tests.integration.test_reporting import NET, TURNOVER, trade
from tests.integration.venue import RunningVenue
from tests.unit.read_model.history import SENDER, day_roll

pytestmark = pytest.mark.anyio

BULLETINS = "/v1/reports/bulletins"
TODAY = f"{BULLETINS}/2023-12-01"


async def get(venue: RunningVenue, path: str, **query: Any) -> Response:
    return await venue.client("operator").get(path, params=query)


async def end_the_day(venue: RunningVenue) -> None:
    batches = venue.feed.subscribe()
    await venue.inbox.put(day_roll(SENDER, 20231204))
    await batches.next_batch()
    batches.close()
    await venue.projector.reached(venue.sequencer.last_seq)


def name_of(answer: Response) -> str:
    return answer.headers["content-disposition"].split('"')[1]


async def test_the_year_as_a_workbook_and_as_a_pdf(venue: RunningVenue) -> None:
    seq = await trade(venue)
    book = await get(venue, TURNOVER, format="xlsx", at_least_seq=seq)
    assert book.status_code == 200, book.text
    assert book.headers["content-type"].endswith("spreadsheetml.sheet")
    assert name_of(book).endswith(".xlsx")
    sheet = openpyxl.load_workbook(io.BytesIO(book.content))["By product 按品种"]
    assert sum(Decimal(str(row[3])) for row in sheet.iter_rows(min_row=4, values_only=True)) == NET
    pdf = await get(venue, TURNOVER, format="pdf", at_least_seq=seq)
    assert (pdf.status_code, pdf.headers["content-type"]) == (200, "application/pdf")
    text = pypdf.PdfReader(io.BytesIO(pdf.content)).pages[0].extract_text()
    assert f"{NET:,}" in text
    assert "成交额报告" in text
    assert (await get(venue, TURNOVER, format="pdf")).content == pdf.content


async def test_the_bulletin_of_the_current_day(venue: RunningVenue) -> None:
    await venue.projector.reached(await trade(venue))
    document = (await get(venue, TODAY)).json()
    assert (document["complete"], document["bought"], Decimal(document["total"]["turnover"])) == (False, [], NET)
    products = {one["symbol"]: one for one in document["products"]}
    assert len(products) == 32
    oxide = products["PRND-OX"]
    assert (oxide["open"], oxide["close"], oxide["settlement"]) == ("473000.00", "473000.00", None)
    assert (oxide["volume_lots"], oxide["stock_lots"]) == (2, 2_000)


async def test_the_bulletin_of_a_day_that_has_ended(venue: RunningVenue) -> None:
    await venue.projector.reached(await trade(venue))
    await end_the_day(venue)
    document = (await get(venue, TODAY)).json()
    oxide = next(one for one in document["products"] if one["symbol"] == "PRND-OX")
    assert (document["complete"], oxide["settlement"], oxide["stock_lots"]) == (True, "473000.00", 2_000)
    assert sum(Decimal(one["turnover"]) for one in document["bought"]) == NET
    assert {one["name"] for one in document["both"]} == {"alice", "bob"}
    tomorrow = (await get(venue, f"{BULLETINS}/2023-12-04")).json()
    assert (tomorrow["complete"], tomorrow["products"][0]["volume_lots"]) == (False, 0)
    oxide = next(one for one in tomorrow["products"] if one["symbol"] == "PRND-OX")
    assert oxide["previous_settlement"] == "473000.00"


async def test_the_bulletin_of_a_month(venue: RunningVenue) -> None:
    await venue.projector.reached(await trade(venue))
    document = (await get(venue, f"{BULLETINS}/2023-12")).json()
    assert Decimal(document["total"]["turnover"]) == NET == Decimal(document["total"]["turnover_to_date"])
    assert sum(Decimal(one["share"]) for one in document["products"]) == 1
    assert [one["month"] for one in document["months"]] == [f"2023-{month:02d}" for month in range(1, 13)]


async def test_a_bulletin_as_a_file(venue: RunningVenue) -> None:
    await venue.projector.reached(await trade(venue))
    for period in ("2023-12-01", "2023-12"):
        await check_files(venue, period)


async def check_files(venue: RunningVenue, period: str) -> None:
    answer = await get(venue, f"{BULLETINS}/{period}", format="csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    text = answer.content.decode("utf-8-sig")
    rows = list(csv.DictReader(line for line in text.splitlines() if not line.startswith("#")))
    assert sum(Decimal(row["turnover"]) for row in rows if row.get("line", "product") == "product") == NET
    book = await get(venue, f"{BULLETINS}/{period}", format="xlsx")
    assert openpyxl.load_workbook(io.BytesIO(book.content)).sheetnames[-1] == "About 说明"
    pdf = await get(venue, f"{BULLETINS}/{period}", format="pdf")
    assert "氧化镨钕" in "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf.content)).pages)
    assert name_of(pdf).startswith(f"rex-bulletin-{period}-seq-")


async def test_a_period_without_a_bulletin_is_refused(venue: RunningVenue) -> None:
    for period in ("2023-12-02", "2023-12-04", "2022-01-04", "2024-01", "2023-11"):
        answer = await get(venue, f"{BULLETINS}/{period}")
        assert (answer.status_code, "trading day" in answer.json()["detail"]) == (404, True), period
    for period in ("2023-13", "2023-02-30", "1999-01-01", "today", "2023-12-1"):
        assert (await get(venue, f"{BULLETINS}/{period}")).status_code == 422, period


async def test_bulletins_need_a_known_format(venue: RunningVenue) -> None:
    assert (await get(venue, TODAY, format="docx")).status_code == 422
    assert (await get(venue, TURNOVER, format="docx")).status_code == 422
    assert (await get(venue, TODAY, year=2023)).status_code == 422
