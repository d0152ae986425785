"""The reports of a gateway, made by a process of their own (report_answers.py) at a lower priority: neither their queries nor
their sums take the interpreter or a processor from the orders."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import structlog
from fastapi.responses import Response

from services.gateway.problems import FieldError, ProblemError
from services.processes.own_process import NICENESS
from services.processes.started_process import StartedProcess

ANSWER_S = 20.0
"""How long a report may take; its process may have to start first."""

DAYS_S = 45.0
"""How long one may take for which days of the journal are read: its route gives up first, and keeps what it has read of the
market's days."""

RETRY_S = 2.0
"""Between two tries of a report after one failed."""

COMMAND = (
    "-c",
    "from services.processes.own_process import import_without_collection; import_without_collection(); "
    "from services.venue.report_answers import main; main()",
)
"""Not `-m services.venue.report_answers`: that would collect garbage among its imports, and walk all of them at its end."""

log = structlog.get_logger("rex.reports")


@dataclass(frozen=True)
class ReportPlace:
    """Where a report process finds the read database and the calendar: a file, or the URL of a PostgreSQL database. And the
    journal, if it makes the reports for which whole days are read."""

    database: str
    in_postgres: bool
    calendar_file: str | None
    journal: str | None = None

    @classmethod
    def of(cls, database: Path | str, calendar_file: Path | None, *, journal: Path | str | None = None) -> ReportPlace:
        """A path is a file's, a string is a URL."""
        return cls(
            str(database),
            isinstance(database, str),
            None if calendar_file is None else str(calendar_file),
            None if journal is None else str(journal),
        )


class _Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    reached_seq: int
    body: bytes


class ReportProcess:
    """The process of one gateway. It starts with the first report. Where it has ended, the next report starts another one."""

    def __init__(self, where: ReportPlace) -> None:
        self._where = where
        self._process: StartedProcess | None = None
        self._turn = asyncio.Lock()
        self._closed = False
        self._failed = asyncio.Event()
        self.troubles: list[str] = []
        """Why no report can be made now, a sentence; `watch` finds it out after one has failed."""

    @property
    def reads_days(self) -> bool:
        """Whether it reads days of the journal."""
        return self._where.journal is not None

    @property
    def pid(self) -> int | None:
        """The number of the process; None where none runs."""
        return None if self._process is None or self._process.has_ended else self._process.pid

    async def answer(self, address: str, at_least_seq: int) -> tuple[Response, int]:
        """The report with this path and query, and a sequence number that it holds, at least `at_least_seq`.

        Raises the ProblemError that its route raises, and one (503) where the read database is behind, or where the process
        ends or has not answered in time.
        """
        try:
            return await self._answer(address, at_least_seq)
        except ProblemError as problem:
            if problem.status >= 500:
                self._failed.set()
            raise

    async def watch(self, address: Callable[[], str]) -> None:
        """Runs until it is canceled. After a report has failed, asks for the one at this address until it is made."""
        while True:
            await self._failed.wait()
            self._failed.clear()
            self.troubles = await self._tried(address())
            if self.troubles:
                await asyncio.sleep(RETRY_S)

    async def _tried(self, address: str) -> list[str]:
        try:
            await self.answer(address, 0)
        except ProblemError as problem:
            if problem.status >= 500:
                return [f"No report can be made: {problem.detail}"]
        return []

    async def _answer(self, address: str, at_least_seq: int) -> tuple[Response, int]:
        async with self._turn:
            try:
                async with asyncio.timeout(DAYS_S if self.reads_days else ANSWER_S):
                    answer = await self._ask(address, at_least_seq)
            except BaseException as error:
                await self._end()  # The next answer must not be taken for this one.
                if not isinstance(error, (TimeoutError, OSError, EOFError, ValueError, asyncio.LimitOverrunError)):
                    raise
                if not self._closed:  # A venue that stops has ended the process itself.
                    log.warning("no report was made", address=address, reason=repr(error))
                detail = "The process that makes reports has not answered; it is started anew. Orders do not need it."
                raise ProblemError(503, "not_ready", detail) from error
        if answer.status >= 500:
            log.warning("a report failed, its process says why", address=address, status=answer.status)
        if answer.status != 200:
            raise _problem(json.loads(answer.body))
        return Response(answer.body, headers=answer.headers), answer.reached_seq

    async def close(self) -> None:
        """Ends the process, also in the middle of a report. No other one starts."""
        self._closed = True
        self._kill()
        async with self._turn:
            await self._end()

    async def _ask(self, address: str, at_least_seq: int) -> _Answer:
        if self._process is not None and self._process.has_ended:
            await self._end()
        process = self._process = self._process or await self._start()
        if self._closed:
            raise ConnectionAbortedError("the venue is stopping")
        process.given.write(json.dumps([address, at_least_seq]).encode() + b"\n")
        await process.given.drain()
        status, headers, reached_seq, length = json.loads(await process.output.readuntil(b"\n"))
        return _Answer(status, headers, reached_seq, await process.output.readexactly(length))

    async def _start(self) -> StartedProcess:
        # A session of its own: Ctrl-C is for the venue. The process ends with its standard input.
        process = await StartedProcess.start((sys.executable, "-P", *COMMAND), own_session=True, niceness=NICENESS)
        process.given.write(json.dumps(asdict(self._where)).encode() + b"\n")
        return process

    def _kill(self) -> None:
        if self._process is not None:
            self._process.kill()

    async def _end(self) -> None:
        self._kill()
        process, self._process = self._process, None
        if process is not None:
            await process.wait()


def _problem(document: dict[str, Any]) -> ProblemError:
    errors = [FieldError(**error) for error in document["errors"]]
    return ProblemError(document["status"], document["code"], document["detail"], errors)
