"""The routes of operators to the proof of a year and to its certificate, under /v1/reports/turnover/{year}."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field
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
from services.values.times import time_text


class Proof(BaseModel):
    """A year's turnover by four computations at one sequence number."""

    year: int
    seq: int
    proven_at: str = Field(description="When the proof ended: RFC 3339, UTC.")
    agree: bool = Field(
        description="Whether all computations are equal to the fen, and the read database has no differences."
    )
    trouble: str | None = Field(description="Why the proof could not be made; null where it was.")
    figure: dict[str, Any] | None = Field(
        description="`engine_counter`, `sql_sum`, `journal_replay`, `independent_decoder` in yuan, and the differences."
    )


_PDF = media_type_of("pdf")


def router(
    prove: Prove,
    read_database: AsyncEngine,
    calendar: TradingCalendar,
    projected: Callable[[int], Awaitable[None]],
    journal: Readable,
) -> APIRouter:
    """The routes. `projected(seq)` waits until the read database has reached seq. Where there is no certificate they raise
    NotCertified, which services/venue/application.py answers."""
    routes = APIRouter(prefix="/v1/reports", tags=["reports"])

    @routes.get(
        "/turnover/{year}/proof",
        response_model=Proof,
        summary="Proves the year's turnover by four computations, now",
        description="The answer comes when the proof is done: a second for each 400,000 commands. One proof runs at a time; "
        "all who ask for a year meanwhile get the outcome of its next one.",
    )
    async def proof(year: Year) -> Proof:
        found = await prove(year)
        return Proof(
            year=found.year,
            seq=found.seq,
            proven_at=time_text(found.time_ns),
            agree=found.agree,
            trouble=found.trouble,
            figure=found.figure,
        )

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
        document = (await asyncio.to_thread(certify_proven, proven, report)).to_json()
        if format == "json":
            return JSONResponse(document)
        data = await asyncio.to_thread(certificate_pdf, document)
        return file_answer(data, f"rex-certificate-{year}-seq-{proven.seq}", "pdf")

    return routes
