"""A process that makes a gateway's reports: their routes, over a read database, and a journal, that it opens for itself.

`main`, which `report_process.COMMAND` starts, reads a line of JSON that says where the read database is, and then a line for
each report: its address, and the sequence number that it must hold. It answers each on standard output: a line of JSON with
status, headers, the sequence number that the report holds at least, and length; then so many bytes. It ends with its standard
input, so a killed venue leaves none behind.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

import httpx
from fastapi import APIRouter, FastAPI
from fastapi.responses import Response
from sqlalchemy.ext.asyncio import AsyncEngine

from services.data.calendar import TradingCalendar
from services.gateway import problems
from services.journal import Journal
from services.journal.postgres.journal import PostgresJournal
from services.journal.sqlite import SqliteJournal
from services.processes.log import log_to_standard_error
from services.processes.own_process import collect_garbage
from services.read_model import database
from services.read_model.postgres import database as postgres
from services.read_model.postgres.answering import bound_queries
from services.reporting.queries import read_position
from services.reporting.routers import journal_routers, present_routers
from services.venue.report_process import ReportPlace


class ReportAnswers:
    """Answers addresses of reports. It opens the read database with the first report, and again if that fails."""

    def __init__(self, where: ReportPlace) -> None:
        self._where = where
        self._read_database: AsyncEngine | None = None
        self._journal: Journal | None = None
        self._client: httpx.AsyncClient | None = None

    async def answer(self, address: str, at_least_seq: int) -> tuple[Response, int]:
        """The report, or the problem why there is none; and a sequence number that the report holds."""
        try:
            client = self._client = self._client or await self._open()
            reached_seq = await self._position()
            if reached_seq < at_least_seq:
                # A failover may lead to a database that is behind the one that the gateway has asked.
                detail = f"The read database is behind the venue. {problems.OF_ORDERS}"
                raise problems.ProblemError(503, "not_ready", detail)
            answer = await client.get(address)
        except Exception as error:
            return problems.problem_of(error).response(), 0
        return Response(answer.content, answer.status_code, dict(answer.headers)), reached_seq

    async def close(self) -> None:
        """Closes the read database and the journal."""
        if self._read_database is not None:
            await self._read_database.dispose()
        if self._journal is not None:
            await self._journal.close()

    async def _position(self) -> int:
        assert self._read_database is not None
        async with self._read_database.connect() as connection:
            position = await read_position(connection)
        return 0 if position is None else int(position["seq"])

    async def _open(self) -> httpx.AsyncClient:
        calendar = TradingCalendar.load(None if self._where.calendar_file is None else Path(self._where.calendar_file))
        self._read_database = read_database = await self._open_database()
        app = FastAPI(openapi_url=None)
        problems.install(app)
        for router in await self._routers(read_database, calendar):
            app.include_router(router)
        return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://reports")

    async def _routers(self, read_database: AsyncEngine, calendar: TradingCalendar) -> list[APIRouter]:
        if self._where.journal is None:
            return present_routers(read_database, calendar)
        journal = self._journal = self._journal or await self._open_journal(self._where.journal)
        return journal_routers(read_database, calendar, journal)

    async def _open_journal(self, where: str) -> Journal:
        if self._where.in_postgres:
            return await PostgresJournal.open(where)
        return await SqliteJournal.open(Path(where), read_only=True)

    async def _open_database(self) -> AsyncEngine:
        if not self._where.in_postgres:
            return database.open_read_database(Path(self._where.database), read_only=True)
        engine = await postgres.open_read_database(self._where.database)
        bound_queries(engine)
        return engine


def main() -> None:
    """Answers until standard input ends."""
    collect_garbage()
    log_to_standard_error()  # structlog's own choice would show the values of variables, the database's password among them
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # Whatever prints does not print into an answer.
    signal.signal(
        signal.SIGTERM, signal.SIG_IGN
    )  # A supervisor may send it to all processes; the venue closes the input.
    where = ReportPlace(**json.loads(sys.stdin.readline()))
    with asyncio.Runner() as runner:
        reports = ReportAnswers(where)
        for line in sys.stdin:
            answer, reached_seq = runner.run(reports.answer(*json.loads(line)))
            head = [answer.status_code, dict(answer.headers), reached_seq, len(answer.body)]
            answers.write(json.dumps(head).encode() + b"\n" + answer.body)
            answers.flush()
        runner.run(reports.close())


if __name__ == "__main__":
    main()
