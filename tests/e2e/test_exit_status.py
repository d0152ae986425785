"""Provokes every exit status of the table in docs/operators.md, row by row, with real processes and folders."""

from __future__ import annotations

import shutil
import signal
import socket
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from functools import partial
from pathlib import Path

import httpx
import pytest

from services.files.data_folder import JOURNAL_FILE
from services.processes.exit_codes import ExitCode
from tests.faults.mutants import faulty_engine, full_device, stepped_clock, stuck_after_a_fault, stuck_end
from tests.faults.venue_process import Finished, Mutant, rex, serve, told_operator
from tests.patience import PATIENCE_S, http_get
from tests.unit.journal.killed import flip

pytestmark = pytest.mark.smoke

HOUR_NS = 3_600 * 10**9
DAY_NS = 24 * HOUR_NS
DAMAGED = "the row from seq 1 is damaged: its checksum is wrong"
ADVICE = "Remove nothing; restore a copy: docs/durability.md"
WATCHDOG = "the process did not end within 0.5 seconds after this; its watchdog ended it"


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a venue that was stopped."""
    folder = tmp_path_factory.mktemp("stopped")
    with serve(folder) as venue:
        assert venue.stop() == ExitCode.OK
    return folder


def start(folder: Path, *options: str, mutant: Mutant | None = None) -> Finished:
    """Starts a venue that must end by itself, and waits for its end."""
    arguments = ("serve", "--port", "0", "--schedule", "always", "--data-dir", str(folder), *options)
    return rex(*arguments, mutant=mutant)


def check_that_is_good(folder: Path) -> Finished:
    return rex("journal", "verify", "--prove", "--data-dir", folder)


def damage(folder: Path, at: int = 400) -> None:
    with closing(sqlite3.connect(folder / JOURNAL_FILE)) as connection, connection:
        (data,) = connection.execute("SELECT data FROM rows WHERE first_seq = 1").fetchone()
        connection.execute("UPDATE rows SET data = ? WHERE first_seq = 1", (flip(data, at),))


def check_that_finds_damage(folder: Path) -> Finished:
    damage(folder)
    return rex("journal", "verify", "--data-dir", folder)


def start_on_a_taken_port(folder: Path) -> Finished:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return start(folder, "--port", str(taken.getsockname()[1]))


def start_on_a_file(folder: Path) -> Finished:
    return start(folder / JOURNAL_FILE, "--new")


def report_on_no_journal(folder: Path) -> Finished:
    return rex("report", "2026", "--data-dir", folder / "nowhere")


def report_on_a_journal_removed(folder: Path) -> Finished:
    (folder / JOURNAL_FILE).unlink()
    return rex("report", "2026", "--data-dir", folder)


def option_that_cannot_be(folder: Path) -> Finished:
    return start(folder, "--port", "65536")


def second_venue(folder: Path) -> Finished:
    with serve(folder):
        return start(folder)


def device_that_is_full(folder: Path) -> Finished:
    return start(folder, mutant=full_device)


def files_removed(folder: Path) -> Finished:
    with serve(folder) as venue:
        (folder / JOURNAL_FILE).unlink()
        return Finished(venue.ended(), "", venue.said)


def start_on_damage(folder: Path) -> Finished:
    damage(folder)
    return start(folder)


def start_on_a_row_that_is_none(folder: Path) -> Finished:
    damage(folder, at=0)
    return start(folder)


def lost_commands(folder: Path) -> Finished:
    with closing(sqlite3.connect(folder / JOURNAL_FILE)) as connection, connection:
        connection.execute("DELETE FROM rows")
    return start(folder)


def journal_removed(folder: Path) -> Finished:
    (folder / JOURNAL_FILE).unlink()
    return start(folder)


def journal_emptied(folder: Path) -> Finished:
    (folder / JOURNAL_FILE).write_bytes(b"")
    return start(folder)


def clock_off_by(step_ns: int, folder: Path) -> Finished:
    step = folder.with_name("step")
    step.write_bytes(step_ns.to_bytes(8, "little", signed=True))
    return start(folder, mutant=partial(stepped_clock, step))


def engine_that_gives_up(folder: Path) -> Finished:
    return rex("demo", "--no-history", "--port", "0", "--data-dir", folder / "new", mutant=faulty_engine)


def end_that_hangs(folder: Path) -> Finished:
    return rex("demo", "--no-history", "--port", "0", "--data-dir", folder / "new", mutant=stuck_after_a_fault)


def stop_that_hangs(folder: Path) -> Finished:
    with serve(folder, mutant=partial(stuck_end, 0.5)) as venue:
        status = venue.stop()
        first, _, others = venue.said.partition("\n")
    assert first == "rex: stopping: the journal and the read database are completed"
    return Finished(status, "", others)


ROWS: tuple[tuple[ExitCode, str, Callable[[Path], Finished]], ...] = (
    (ExitCode.OK, "good", check_that_is_good),
    (ExitCode.TROUBLE, f"{JOURNAL_FILE}: {DAMAGED}. {ADVICE}\n", check_that_finds_damage),
    (ExitCode.TROUBLE, "is in use: choose another with REX_PORT or --port", start_on_a_taken_port),
    (ExitCode.TROUBLE, "(--data-dir, REX_DATA_DIR) cannot be made", start_on_a_file),
    (ExitCode.TROUBLE, "there is no journal in", report_on_no_journal),
    (ExitCode.TROUBLE, "the journal has lost commands from seq 1 on", report_on_a_journal_removed),
    (ExitCode.USAGE, "--port", option_that_cannot_be),
    (ExitCode.OTHER_WRITER, "in use by another REX process", second_venue),
    (ExitCode.DEVICE_FAILED, JOURNAL_FILE, device_that_is_full),
    (ExitCode.DEVICE_FAILED, "was removed, moved or replaced", files_removed),
    (ExitCode.JOURNAL_DAMAGED, f"{JOURNAL_FILE}: {DAMAGED}. {ADVICE}", start_on_damage),
    (ExitCode.JOURNAL_DAMAGED, "the row stored for seq 1 is damaged", start_on_a_row_that_is_none),
    (ExitCode.JOURNAL_DAMAGED, "the journal has lost commands from seq 1 on", lost_commands),
    (ExitCode.JOURNAL_DAMAGED, "the journal has lost commands from seq 1 on", journal_removed),
    (ExitCode.JOURNAL_DAMAGED, "the journal has lost commands from seq 1 on", journal_emptied),
    (ExitCode.CLOCK, "--accept-clock", partial(clock_off_by, -HOUR_NS)),
    (ExitCode.CLOCK, "skipping", partial(clock_off_by, 30 * DAY_NS)),
    (ExitCode.ENGINE_FAULT, "rex: the sequencer stopped, nothing from seq ", engine_that_gives_up),
    (ExitCode.WATCHDOG, f"\nrex: {WATCHDOG}\n", end_that_hangs),
    (ExitCode.WATCHDOG, f"rex: it was told to stop\nrex: {WATCHDOG}\n", stop_that_hangs),
)


def name_of(part: object) -> str:
    return getattr(part, "__name__", getattr(getattr(part, "func", None), "__name__", ""))


@pytest.mark.parametrize(("status", "sentence", "provoke"), ROWS, ids=name_of)
def test_each_status_is_what_the_table_says(
    stopped: Path, tmp_path: Path, status: ExitCode, sentence: str, provoke: Callable[[Path], Finished]
) -> None:
    shutil.copytree(stopped, folder := tmp_path / "venue")
    ended = provoke(folder)
    assert ended.exit_status == status, ended
    assert sentence in ended.out + ended.err
    assert not ended.is_traceback
    if status not in (ExitCode.OK, ExitCode.USAGE) and not ended.out:
        said = told_operator(ended.err)
        assert [line.startswith("rex: ") for line in said] == [True] * (2 if status == ExitCode.WATCHDOG else 1), said


def test_no_row_of_the_table_is_left_out() -> None:
    assert {status for status, _, _ in ROWS} == set(ExitCode)


def test_a_second_signal_ends_a_venue_that_hangs(stopped: Path, tmp_path: Path) -> None:
    shutil.copytree(stopped, folder := tmp_path / "venue")
    with serve(folder, mutant=partial(stuck_end, PATIENCE_S)) as venue:
        venue.process.terminate()
        with suppress(httpx.TransportError):  # It has taken the first signal when it answers no more.
            while http_get(f"{venue.url}/readyz"):
                continue
        assert venue.stop() == -signal.SIGTERM
