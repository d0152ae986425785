"""Reports made by a process of their own: the same bytes, the same problems, and what happens when that process fails."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi.responses import Response
from structlog.testing import capture_logs

from services.gateway.problems import ProblemError
from services.read_model.database import path_of
from services.reporting.turns import ReportTurns
from services.venue import report_process
from services.venue.bootstrap import open_venue
from services.venue.report_process import ReportPlace, ReportProcess
from services.venue.settings import Settings
from tests.integration.postgres_journal import until
from tests.integration.read_databases import ReadDatabase
from tests.integration.test_reporting import place
from tests.integration.test_reports_wait import whole_application
from tests.integration.venue import RunningVenue, running_venue
from tests.patience import PATIENCE_S, AsyncHttpClient

pytestmark = pytest.mark.anyio

YEAR = "/v1/reports/turnover/2023"
BY = ("category", "family", "product", "phase", "class", "member")
ADDRESSES = [
    YEAR,
    f"{YEAR}?format=csv",
    *(
        f"{YEAR}/{name}"
        for name in ("ladder", "concentration", "effects", "months", "fees", "members", "days", "days?product=PRND-OX")
    ),
    *(f"{YEAR}/splits?by={by}" for by in BY),
    "/v1/reports/targets/2023/progress",
    "/v1/reports/context/2023",
    f"{YEAR}/changed_hands",
]
OF_OPERATORS = ["/v1/reports/findings/2023", "/v1/reports/abnormal_trading/2023", "/v1/reports/control_groups?limit=5"]
"""They need the operator's key."""


@pytest.fixture(scope="module")
async def venue(tmp_path_factory: pytest.TempPathFactory, anyio_backend: str) -> AsyncIterator[RunningVenue]:
    """A venue with one trade, which no test changes."""
    async with running_venue(tmp_path_factory.mktemp("venue")) as venue:
        await place(venue, "alice", "PRND-OX", "sell", "473000.00", 1)
        seq = (await place(venue, "bob", "PRND-OX", "buy", "473000.00", 1))["seq"]
        await venue.projector.reached(seq)
        yield venue


@pytest.fixture(scope="module")
async def reports(venue: RunningVenue) -> AsyncIterator[ReportProcess]:
    """The process that makes its reports: of all tests, since to start it takes most of the time."""
    reports = ReportProcess(ReportPlace.of(path_of(venue.read_database), None))
    yield reports
    await reports.close()
    assert reports.pid is None


async def test_every_report_has_the_bytes_that_the_gateway_itself_would_give(
    venue: RunningVenue, reports: ReportProcess, tmp_path: Path
) -> None:
    reached = venue.projector.reached
    async with (
        whole_application(venue, tmp_path, reached) as (_, here),
        whole_application(venue, tmp_path, reached, reports.answer) as (_, there),
    ):
        processes = set()
        for address in ADDRESSES:
            answer, expected = await there.get(address), await here.get(address)
            processes.add(reports.pid)
            assert (answer.status_code, answer.content) == (200, expected.content), address
            assert {**answer.headers, "x-request-id": ""} == {**expected.headers, "x-request-id": ""}, address
        assert len(processes) == 1, "it goes on after a report"
        assert "473000.00" in (await there.get(f"{YEAR}/splits?by=product")).text
        for extension, begin in (("pdf", b"%PDF"), ("xlsx", b"PK")):
            answer = await there.get(f"{YEAR}?format={extension}")
            assert (answer.status_code, answer.content[: len(begin)]) == (200, begin)
            assert (
                f"rex-turnover-2023-seq-{venue.sequencer.last_seq}.{extension}" in answer.headers["content-disposition"]
            )


async def test_a_venue_has_its_reports_made_by_it_and_begins_none_whose_client_has_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, begun, may_end = asyncio.Queue[str](), list[str](), asyncio.Event()
    answer_of, take_of = ReportProcess.answer, ReportTurns.take

    async def noted(turns: ReportTurns, address: str, make: Callable[[], Awaitable[Any]], at_least_seq: int = 0) -> Any:
        if is_ours(address):
            asked.put_nowait(address)
        return await take_of(turns, address, make, at_least_seq)

    async def held(reports: ReportProcess, address: str, at_least_seq: int) -> tuple[Response, int]:
        if is_ours(address):
            begun.append(address)
            await may_end.wait()
        return await answer_of(reports, address, at_least_seq)

    def is_ours(address: str) -> bool:
        return "2023" in address or "control" in address  # the pages ask for the present year

    monkeypatch.setattr(ReportTurns, "take", noted)
    monkeypatch.setattr(ReportProcess, "answer", held)
    async with open_venue(Settings(data_dir=tmp_path, port=0)) as venue:
        headers = {"authorization": f"Bearer {venue.keys['operator'].key}"}
        async with AsyncHttpClient(base_url=venue.url, headers=headers) as client, asyncio.timeout(PATIENCE_S):

            async def left() -> float:
                """How many requests ended because their client has left."""
                lines = (await client.get("/metrics")).text.splitlines()
                return sum(
                    float(line.split()[-1])
                    for line in lines
                    if line.startswith("rex_requests_total") and '"499"' in line
                )

            first = asyncio.create_task(client.get(YEAR))
            await asked.get()
            for count, address in enumerate((f"{YEAR}/ladder", f"{YEAR}/changed_hands", *OF_OPERATORS), 1):
                asking = asyncio.create_task(client.get(address))
                assert await asked.get() == address
                asking.cancel()
                await until(left, lambda found, count=count: found == count)
            may_end.set()
            assert (await first).status_code == 200
            for address in ADDRESSES[1:]:
                assert (await client.get(address)).status_code == 200, address
    assert [address.removesuffix("?format=json") for address in begun] == ADDRESSES


async def test_it_refuses_what_is_no_cursor_as_the_gateway_does(reports: ReportProcess) -> None:
    with pytest.raises(ProblemError) as refused:
        await reports.answer("/v1/reports/control_groups?cursor=x", 0)
    assert (refused.value.status, refused.value.code) == (422, "invalid_cursor")
    assert [error.field for error in refused.value.errors] == ["cursor"]


async def test_a_venue_that_stops_waits_for_no_report(venue: RunningVenue) -> None:
    reports = ReportProcess(ReportPlace.of(path_of(venue.read_database), None))
    await reports.answer(YEAR, 0)
    hanging = reports.pid
    assert hanging is not None
    os.kill(hanging, signal.SIGSTOP)
    with capture_logs() as logged:
        asked = [asyncio.create_task(reports.answer(YEAR, 0)) for _ in range(2)]
        await asyncio.sleep(0)
        await reports.close()
        for one in await asyncio.gather(*asked, return_exceptions=True):
            assert isinstance(one, ProblemError)
            assert one.status == 503
    assert reports.pid is None, "none was started anew"
    assert logged == []


async def test_after_a_report_failed_it_is_told_until_one_can_be_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that the year's records refuse is made: the process can answer, with the problem of the route."""
    monkeypatch.setattr(report_process, "RETRY_S", 0.0)
    database = ReadDatabase(tmp_path)
    reports = ReportProcess(ReportPlace.of(database.path, None))
    watching = asyncio.create_task(reports.watch(lambda: YEAR))
    with pytest.raises(ProblemError) as failed:
        await reports.answer(ADDRESSES[1], 0)
    await until(lambda: reports.troubles == [f"No report can be made: {failed.value.detail}"])
    await database.make()
    await until(lambda: reports.troubles == [])
    with pytest.raises(ProblemError) as refused:
        await reports.answer(YEAR, 0)
    assert (refused.value.status, refused.value.code) == (409, "nothing_recorded")
    watching.cancel()
    await reports.close()


async def test_the_reader_of_a_process_that_was_killed_is_told_and_the_next_one_starts_another(
    reports: ReportProcess,
) -> None:
    await reports.answer(YEAR, 0)
    killed = reports.pid
    assert killed is not None
    os.kill(killed, signal.SIGKILL)
    with pytest.raises(ProblemError, match="has not answered; it is started anew") as refused:
        await reports.answer(YEAR, 0)
    assert (refused.value.status, refused.value.code) == (503, "not_ready")
    assert (await reports.answer(YEAR, 0))[0].status_code == 200
    assert reports.pid != killed


async def test_a_process_that_hangs_is_ended(reports: ReportProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    await reports.answer(YEAR, 0)
    hanging = reports.pid
    assert hanging is not None
    os.kill(hanging, signal.SIGSTOP)
    with monkeypatch.context() as hurried:
        hurried.setattr(report_process, "ANSWER_S", 0.1)
        with pytest.raises(ProblemError, match="has not answered"):
            await reports.answer(YEAR, 0)
    with pytest.raises(ProcessLookupError):
        os.kill(hanging, 0)
    assert (await reports.answer(YEAR, 0))[0].status_code == 200


async def test_a_large_answer_that_comes_too_late_holds_up_nobody(
    venue: RunningVenue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pipe of a process that was killed is full."""
    said = "import sys; sys.stdin.readline(); sys.stdin.readline(); sys.stdout.write('x' * 10**6); sys.stdin.read()"
    reports = ReportProcess(ReportPlace.of(path_of(venue.read_database), None))
    with monkeypatch.context() as changed:
        changed.setattr(report_process, "COMMAND", ("-c", said))
        changed.setattr(report_process, "ANSWER_S", 2.0)
        with pytest.raises(ProblemError, match="has not answered"):
            await reports.answer(YEAR, 0)
    assert reports.pid is None
    await reports.close()


async def test_a_report_that_lacks_what_a_reader_has_seen_is_refused(
    venue: RunningVenue, reports: ReportProcess
) -> None:
    """A failover may lead to a database that is behind."""
    seq = venue.sequencer.last_seq
    assert (await reports.answer(YEAR, seq))[1] == seq
    with pytest.raises(ProblemError, match="is behind the venue"):
        await reports.answer(YEAR, seq + 1)


async def test_it_ends_with_its_gateway_and_its_log_has_no_password() -> None:
    """A gateway that was killed writes nothing more: its pipe ends."""
    url = "postgresql://rex:s3cretpw@127.0.0.1:1/rex"
    command = (sys.executable, "-P", *report_process.COMMAND)
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, stderr=pipe)
    where = {"database": url, "in_postgres": True, "calendar_file": "/no/such/file"}
    async with asyncio.timeout(PATIENCE_S):
        out, errors = await process.communicate(f'{json.dumps(where)}\n["{YEAR}", 0]\n'.encode())
    assert process.returncode == 0
    assert out.startswith(b"[500,")
    assert b"unexpected error" in errors
    assert b"s3cretpw" not in errors


async def test_a_reader_who_leaves_disturbs_no_other(reports: ReportProcess) -> None:
    """The answer that nobody waits for any more is not taken for that of the next question."""
    await reports.answer(YEAR, 0)
    leaving = asyncio.create_task(reports.answer(f"{YEAR}/members", 0))
    await asyncio.sleep(0)
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    assert b'"counting_rule"' in bytes((await reports.answer(YEAR, 0))[0].body)
