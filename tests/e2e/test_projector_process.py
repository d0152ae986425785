"""The projector of `rex serve` is a process of its own: what happens when one of the two is killed, or the projector fails."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from urllib.request import urlopen

import pytest
from rex_client import OutcomeUnknown, RexClient, RexError, Unreachable

from load_tests.servers.server_process import ended
from services.files.data_folder import JOURNAL_FILE, READ_DATABASE_FILE
from services.journal import JournalLost
from services.journal.sqlite import SqliteJournal
from services.processes.exit_codes import ExitCode
from services.read_model.errors import ReadDatabaseBusy, ReadDatabaseDamaged
from services.read_model.projecting import pickled, rebuilt
from services.scaled.launch import DidNotStart
from tests.faults.mutants import continue_while_waiting, held_lock, impatient_end
from tests.faults.venue_process import VenueProcess, serve


def _projector_of(venue: VenueProcess) -> int:
    listed = [path.read_text().split() for path in Path(f"/proc/{venue.pid}/task").glob("*/children")]
    (projector,) = (int(child) for children in listed for child in children)
    return projector


async def _open_accounts(venue: VenueProcess, number: int) -> None:
    async with RexClient(venue.url, venue.operator_key) as operator:
        for each in range(number):
            await operator.open_account(f"member {each}")


async def _names(venue: VenueProcess) -> list[str]:
    async with RexClient(venue.url, venue.operator_key) as operator:
        accounts = (await operator.accounts(limit=500))["accounts"]
        return [account["name"] for account in accounts if account["name"].startswith("member")]


def _accounts_of(folder: Path) -> list[str]:
    """The members of the venue in the folder, which is started for that."""
    with serve(folder) as venue:
        return asyncio.run(_names(venue))


async def _last_seq(folder: Path) -> int:
    journal = await SqliteJournal.open(folder / JOURNAL_FILE, read_only=True)
    try:
        last = await journal.last_batch()
    finally:
        await journal.close()
    assert last is not None
    return last.last_seq


def _position(folder: Path) -> int:
    with closing(sqlite3.connect(folder / READ_DATABASE_FILE)) as connection:
        return int(connection.execute("SELECT seq FROM position").fetchone()[0])


def test_a_venue_whose_projector_is_killed_ends_and_says_so(tmp_path: Path) -> None:
    with serve(tmp_path / "rex-data") as venue:
        projector = _projector_of(venue)
        os.kill(projector, signal.SIGKILL)
        assert venue.ended() == ExitCode.TROUBLE
        assert f"its projector, process {projector}, has ended without a reason" in venue.said


def test_a_venue_starts_once_the_projector_of_the_killed_one_has_ended(tmp_path: Path) -> None:
    folder = tmp_path / "rex-data"
    with serve(folder) as venue:
        projector = _projector_of(venue)
        os.kill(projector, signal.SIGSTOP)
        asyncio.run(_open_accounts(venue, 3))
        stopped_at = _position(folder)
        venue.process.kill()
        venue.process.join()
        # It goes on when the next venue waits for it, and not before.
        with serve(folder, mutant=partial(continue_while_waiting, projector)) as next_venue:
            assert ended(projector)
            assert asyncio.run(_names(next_venue)) == ["member 0", "member 1", "member 2"]
    assert _position(folder) > stopped_at


def test_a_venue_that_ends_leaves_the_read_database_at_the_end_of_the_journal(tmp_path: Path) -> None:
    folder = tmp_path / "rex-data"
    with serve(folder) as venue:
        asyncio.run(_open_accounts(venue, 3))
        assert venue.stop() == ExitCode.OK
    last_seq = asyncio.run(_last_seq(folder))
    assert _position(folder) == last_seq


def test_the_error_of_the_projector_ends_the_venue_with_its_own_status(tmp_path: Path) -> None:
    folder = tmp_path / "rex-data"
    with serve(folder) as venue:
        with closing(sqlite3.connect(folder / READ_DATABASE_FILE)) as connection:
            connection.execute("UPDATE position SET seq = seq + 1")
            connection.commit()
        with suppress(OutcomeUnknown, Unreachable):  # It may end before it has answered.
            asyncio.run(_open_accounts(venue, 1))
        assert venue.ended() == ExitCode.OTHER_WRITER
        assert "another projector writes it" in venue.said


def test_a_stuck_projector_does_not_hold_up_the_end_of_the_venue(tmp_path: Path) -> None:
    folder = tmp_path / "rex-data"
    with serve(folder, mutant=impatient_end) as venue:
        projector = _projector_of(venue)
        os.kill(projector, signal.SIGSTOP)
        asyncio.run(_open_accounts(venue, 1))
        assert venue.stop() == ExitCode.TROUBLE
        assert "its projector has not gone on for 0.5 seconds. The next start brings it to seq" in venue.said
        assert ended(projector), "it was killed"
    assert _accounts_of(folder) == ["member 0"]


def test_a_projector_that_does_not_go_on_is_told_by_health_and_to_who_waits_for_it(tmp_path: Path) -> None:
    with serve(tmp_path / "rex-data", mutant=impatient_end) as venue:
        projector = _projector_of(venue)
        os.kill(projector, signal.SIGSTOP)
        asyncio.run(_open_accounts(venue, 1))
        refused = asyncio.run(_refusal_of_the_log(venue))
        with urlopen(f"{venue.url}/healthz") as answer:
            warnings = json.load(answer)["warnings"]
        assert (refused.status, refused.code) == (503, "not_ready")
        assert [one for one in warnings if one.startswith(f"The projector, process {projector}, has not gone on for")]
        os.kill(projector, signal.SIGCONT)
        assert asyncio.run(_names(venue)) == ["member 0"]


async def _refusal_of_the_log(venue: VenueProcess) -> RexError:
    async with RexClient(venue.url, venue.operator_key) as operator:
        with pytest.raises(RexError) as refused:
            await operator.admin_log()
    return refused.value


def test_an_error_before_it_projects_ends_the_venue_with_its_own_status(tmp_path: Path) -> None:
    with (
        pytest.raises(DidNotStart, match="the lock is held") as refused,
        serve(tmp_path / "rex-data", mutant=held_lock),
    ):
        pytest.fail("it started")
    assert refused.value.exit_status == ExitCode.OTHER_WRITER


@pytest.mark.parametrize(
    "error",
    [
        ReadDatabaseBusy("read.sqlite", 7),
        ReadDatabaseDamaged("read.sqlite", "cannot be read"),
        JournalLost.after(12, "the read database says so"),
        OSError(28, "No space left on device"),
        sqlite3.OperationalError("disk I/O error"),
        AssertionError("a bug"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_of_the_projector_arrives_as_it_was(error: Exception) -> None:
    told = rebuilt(pickled(error))
    assert (type(told), told.args, str(told)) == (type(error), error.args, str(error))
    attributes = {name: value for name, value in vars(error).items() if name != "__notes__"}
    assert attributes == {name: value for name, value in vars(told).items() if name != "__notes__"}
    assert type(error).__name__ in told.__notes__[0]


def test_an_error_that_cannot_be_pickled_arrives_as_its_sentence() -> None:
    error = AssertionError("a bug", lambda: None)
    told = rebuilt(pickled(error))
    assert isinstance(told, AssertionError)
    assert str(told).startswith("('a bug',")
