"""The HTTP answers of the files: `GET /v1/reports/bulletins/{period}`, and the year's report as XLSX and PDF.

Files are made in a thread, one at a time, so that many requests take no more than one core from the orders.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import date
from typing import Annotated, Literal, NamedTuple

from fastapi import APIRouter, HTTPException, Path, Query
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import StringConstraints, WithJsonSchema
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.reporting.exports.csv_file import csv_bytes
from services.reporting.exports.daily_bulletin import daily_bulletins, empty_bulletin, member_sheet, product_sheet
from services.reporting.exports.datapackage import media_type_of
from services.reporting.exports.monthly_bulletin import first_month_needed, month_sheet, monthly_bulletin
from services.reporting.exports.pdf_file import daily_pdf, monthly_pdf, year_pdf
from services.reporting.exports.reading import read_imposed, read_instruments, read_market, read_months
from services.reporting.exports.schemas import DailyBulletin, MonthlyBulletin
from services.reporting.exports.seal import Seal
from services.reporting.exports.xlsx_file import xlsx_bytes
from services.reporting.exports.year_sheets import YEAR_CHART, year_sheets
from services.reporting.in_time import connect_in_time
from services.reporting.queries import Values, read_position, read_simulated_years
from services.reporting.requests import recorded
from services.reporting.schemas import TurnoverReport

BulletinFormat = Literal["json", "csv", "xlsx", "pdf"]
YearFile = Literal["xlsx", "pdf"]

FILE_CONTENT = {
    media_type_of(extension): {"schema": {"type": "string", "format": "binary"}} for extension in ("xlsx", "pdf")
}
"""For the OpenAPI document."""

_DAY = {"format": "date", "pattern": "^20[0-9]{2}-[0-9]{2}-[0-9]{2}$"}
_MONTH = {"pattern": "^20[0-9]{2}-(0[1-9]|1[0-2])$"}
Period = Annotated[
    str,
    StringConstraints(pattern=r"^20\d\d-\d\d(-\d\d)?$"),
    WithJsonSchema({"type": "string", "anyOf": [_DAY, _MONTH], "examples": ["2026-03-02"]}),
    Path(
        description="A trading day, `2026-03-02`, or a month, `2026-03`.",
    ),
]


def file_answer(data: bytes, name: str, extension: str) -> Response:
    """A file that a browser saves under a name that says what it is and at which seq it is exact."""
    headers = {"content-disposition": f'attachment; filename="{name}.{extension}"'}
    media = media_type_of(extension)
    return Response(data, media_type=f"{media}; charset=utf-8" if extension == "csv" else media, headers=headers)


def year_answer(report: TurnoverReport, position: Values, extension: YearFile) -> Response:
    """The year's report as a file. Takes some tenths of a second of CPU."""
    if extension == "pdf":
        data = year_pdf(report)
    else:
        seal = Seal.of(position, simulated=report.simulated)
        data = xlsx_bytes(f"REX turnover {report.year}", year_sheets(report.to_json()), seal, (YEAR_CHART,))
    return file_answer(data, f"rex-turnover-{report.year}-seq-{report.seq}", extension)


def add_bulletins(routes: APIRouter, read_database: AsyncEngine, making: asyncio.Semaphore) -> None:
    """Adds the bulletins' route. `making` is held while a file is made."""

    @routes.get(
        "/bulletins/{period}",
        response_model=DailyBulletin | MonthlyBulletin,
        responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}, **FILE_CONTENT}}},
        summary="The bulletin of a trading day or of a month",
    )
    async def bulletin(
        period: Period,
        format: Annotated[
            BulletinFormat,
            Query(description="The CSV of a day holds its products; the rankings are in the other formats."),
        ] = "json",
    ) -> Response:
        async with connect_in_time(read_database) as connection:
            found = await (_read_day(connection, period) if len(period) == 10 else _read_month(connection, period))
        async with making:
            return await asyncio.to_thread(_answer, found, period, format)


class _Found(NamedTuple):
    """What was read for a bulletin: the position, and a function that makes the bulletin of it, for a thread."""

    position: Values
    make: Callable[[], DailyBulletin | MonthlyBulletin]


async def _read_day(connection: AsyncConnection, period: str) -> _Found:
    day = _day_of(period)
    market = recorded(await read_market(connection, day, day))
    if day in market.days:
        return _Found(market.position, lambda: next(iter(daily_bulletins(market))))
    if day == market.position["trading_date"]:
        return _Found(market.position, lambda: empty_bulletin(market))
    raise HTTPException(404, f"{period} was no trading day of this venue, or has not begun.")


async def _read_month(connection: AsyncConnection, period: str) -> _Found:
    month = _day_of(f"{period}-01") // 100
    position = recorded(await read_position(connection))
    months = await read_months(connection, first_month_needed(month), month)
    if month not in months and month != position["trading_date"] // 100:
        raise HTTPException(404, f"This venue had no trading day in {period}, or the month has not begun.")
    instruments, imposed = await read_instruments(connection), await read_imposed(connection)
    years = await read_simulated_years(connection)
    return _Found(position, lambda: monthly_bulletin(month, position, instruments, months, imposed, years))


def _day_of(text: str) -> int:
    try:
        return int(date.fromisoformat(text).strftime("%Y%m%d"))
    except ValueError as error:
        message = f"{text} is no date"
        raise RequestValidationError([{"type": "value_error", "loc": ("path", "period"), "msg": message}]) from error


def _answer(found: _Found, period: str, extension: BulletinFormat) -> Response:
    bulletin = found.make()
    if extension == "json":
        return JSONResponse(bulletin.to_json())
    name = f"rex-bulletin-{period}-seq-{bulletin.seq}"
    if isinstance(bulletin, DailyBulletin):
        title, sheets = f"REX daily bulletin {period}", [product_sheet(bulletin), member_sheet(bulletin)]
    else:
        title, sheets = f"REX monthly bulletin {period}", [month_sheet(bulletin)]
    if extension == "csv":
        return file_answer(csv_bytes(sheets[0], bulletin), name, extension)
    if extension == "xlsx":
        return file_answer(xlsx_bytes(title, sheets, bulletin), name, extension)
    pdf = daily_pdf(bulletin) if isinstance(bulletin, DailyBulletin) else monthly_pdf(bulletin)
    return file_answer(pdf, name, extension)
