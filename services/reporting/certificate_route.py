"""The certificate's route: GET /v1/reports/turnover/{year}/certificate. It makes a proof, and certifies what agrees."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse, Response
from sqlalchemy.ext.asyncio import AsyncEngine

from services.data.calendar import TradingCalendar
from services.messaging.tail import Readable
from services.reporting.certificate import Certificate, certify_proven
from services.reporting.exports.answers import FILE_CONTENT, file_answer
from services.reporting.exports.datapackage import media_type_of
from services.reporting.exports.pdf_file import certificate_pdf
from services.reporting.proven import Prove
from services.reporting.report import build_report
from services.reporting.requests import Year
from services.reporting.year_as_of import read_year_as_of

_PDF = media_type_of("pdf")


def router(
    prove: Prove,
    read_database: AsyncEngine,
    calendar: TradingCalendar,
    projected: Callable[[int], Awaitable[None]],
    journal: Readable,
) -> APIRouter:
    """The route of operators. `projected(seq)` waits until the read database has reached seq. Where there is no certificate it
    raises NotCertified, which services/venue/application.py answers."""
    routes = APIRouter(prefix="/v1/reports", tags=["reports"])

    @routes.get(
        "/turnover/{year}/certificate",
        response_model=Certificate,
        responses={200: {"content": {_PDF: FILE_CONTENT[_PDF]}}},
        summary="Certifies the year's turnover, if four computations of it agree now",
        description="The answer comes when the proof is done: a second for each 400,000 commands, after the read database was "
        "copied; then the breakdown is made from the copy. Where anything disagrees, or the year has no trades, there is no "
        "certificate: 409 `not_certified` says why.",
    )
    async def certificate(year: Year, format: Annotated[Literal["json", "pdf"], Query()] = "json") -> Response:
        proven = await prove(year, breakdown=True)
        await projected(proven.seq)
        # The venue is beyond that command by now: target and verdict, too, are those after it.
        past = await read_year_as_of(read_database, journal, year, proven.seq)
        report = await asyncio.to_thread(build_report, year, past.found, calendar)
        document = certify_proven(proven, report).to_json()
        if format == "json":
            return JSONResponse(document)
        data = await asyncio.to_thread(certificate_pdf, document)
        return file_answer(data, f"rex-certificate-{year}-seq-{proven.seq}", "pdf")

    return routes
