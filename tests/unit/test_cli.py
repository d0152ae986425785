"""The ends of `rex`: a fault of the environment is a sentence and a status, a bug is a traceback."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from pathlib import Path
from queue import SimpleQueue

import pytest
import typer
from typer.testing import CliRunner

from matching_engine.faults import EngineFault
from services.cli import app
from services.cli.stopping import say_stopping
from services.cli.terminal import run
from services.data.instruments import DataFileError
from services.journal import JournalBusy, JournalCorrupt, JournalError, JournalLost, JournalRefused, JournalRemoved
from services.journal.errors import naming
from services.processes.exit_codes import ExitCode
from services.processes.watchdog import Watchdog
from services.read_model.errors import ReadDatabaseDeviceFailed, ReadDatabaseFailed, ReadDatabaseForeign
from services.read_model.seq_waiters import ProjectorStopped
from services.sequencer.sequencer import SequencerStopped
from services.venue.errors import KeysFileRefused
from services.venue.fatal_errors import sentence_of
from tests.patience import PATIENCE_S

TROUBLES = (
    (JournalBusy("the folder is in use"), ExitCode.OTHER_WRITER),
    (SequencerStopped(7, JournalBusy("another process took over the journal", 7)), ExitCode.OTHER_WRITER),
    (SequencerStopped(7, JournalRefused("seq 7 does not continue the hash chain", 7)), ExitCode.JOURNAL_DAMAGED),
    (SequencerStopped(7, JournalError("the device is full", 7)), ExitCode.DEVICE_FAILED),
    (SequencerStopped(7, JournalRemoved("the journal was removed", 7)), ExitCode.DEVICE_FAILED),
    (JournalError("commits would not be durable"), ExitCode.DEVICE_FAILED),
    (JournalCorrupt("seq 3 is damaged", 3), ExitCode.JOURNAL_DAMAGED),
    (JournalLost("the journal has lost commands from seq 8 on", 8), ExitCode.JOURNAL_DAMAGED),
    (JournalRefused("the row from seq 1 has engine version 9", 1), ExitCode.JOURNAL_DAMAGED),
    (SequencerStopped(5, EngineFault(1, 6)), ExitCode.ENGINE_FAULT),
    (FileNotFoundError("no such file"), ExitCode.TROUBLE),
    (ReadDatabaseFailed("read.sqlite", "its projector has ended"), ExitCode.TROUBLE),
    (ReadDatabaseDeviceFailed("read.sqlite", sqlite3.OperationalError("disk full")), ExitCode.DEVICE_FAILED),
    (ReadDatabaseForeign("read.sqlite", "was made from another journal"), ExitCode.TROUBLE),
    (KeysFileRefused("keys.json cannot be read"), ExitCode.TROUBLE),
    (DataFileError(Path("days.csv"), 3, "is not a date"), ExitCode.TROUBLE),
)


async def fail(error: BaseException) -> None:
    raise error


@pytest.mark.parametrize(("trouble", "status"), TROUBLES, ids=lambda part: getattr(part, "name", str(part)))
def test_trouble_of_the_environment_is_one_line_and_a_status_however_deep_it_lies(
    trouble: Exception, status: ExitCode, capsys: pytest.CaptureFixture[str]
) -> None:
    # A venue's parts run in a task group; a part that waited for the one that failed fails with it, at a start alone. Where
    # another part failed, the projector was canceled.
    waited, canceled = ProjectorStopped("The read database stands at seq 0."), ProjectorStopped("It stands at seq 0.")
    waited.__cause__, canceled.__cause__ = trouble, asyncio.CancelledError()
    for error in (
        trouble,
        waited,
        ExceptionGroup("parts", [waited, ExceptionGroup("tasks", [trouble])]),
        ExceptionGroup("parts", [canceled, ExceptionGroup("tasks", [trouble])]),
    ):
        with pytest.raises(typer.Exit) as end:
            run(fail(error))
        assert end.value.exit_code == status
        advice = f". {JournalCorrupt.advice}" if type(trouble) is JournalCorrupt else ""
        assert capsys.readouterr().err == f"rex: {trouble}{advice}\n"


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (JournalCorrupt("the row from seq 3 is damaged", 3), "{path}: the row from seq 3 is damaged. {advice}"),
        (
            JournalCorrupt("{path} cannot be read: file is not a database"),
            "{path} cannot be read: file is not a database. {advice}",
        ),
        (JournalLost.after(7, "{path} ends there"), "{lost}"),
    ],
)
def test_damage_is_told_with_file_and_advice_each_once(error: JournalCorrupt, told: str) -> None:
    path = Path("/venue/journal.sqlite")
    advice = "Remove nothing; restore a copy: docs/durability.md"
    found = type(error)(str(error).replace("{path}", str(path)), error.seq)
    with pytest.raises(JournalCorrupt) as raised, naming(path):
        raise found
    said = sentence_of(raised.value)
    assert said == told.format(path=path, advice=advice, lost=found)
    assert said.lower().count("remove nothing") == said.count(str(path)) == 1


def test_of_several_causes_the_gravest_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    journal = SequencerStopped(7, JournalError("the device is full", 7))
    first = ReadDatabaseDeviceFailed("read.sqlite", sqlite3.OperationalError("disk full"))
    with pytest.raises(typer.Exit) as end:
        run(fail(ExceptionGroup("parts", [first, ConnectionResetError("a page"), journal, journal])))
    assert end.value.exit_code == ExitCode.DEVICE_FAILED
    assert capsys.readouterr().err == f"rex: {journal}\n"


def test_what_a_check_finds_is_status_1_whatever_it_is() -> None:
    with pytest.raises(typer.Exit) as end:
        run(fail(JournalCorrupt("seq 3 is damaged", 3)), is_check=True)
    assert end.value.exit_code == ExitCode.TROUBLE


def test_the_watchdog_tells_the_first_fault_and_ends_the_process(capfd: pytest.CaptureFixture[str]) -> None:
    ended: SimpleQueue[int] = SimpleQueue()
    watchdog = Watchdog(0.01, ended.put)
    watchdog.arm("the device is full")
    watchdog.arm("a page lost the venue")
    assert ended.get(timeout=PATIENCE_S) == ExitCode.WATCHDOG
    said = (
        "rex: the device is full\nrex: the process did not end within 0.01 seconds after this; its watchdog ended it\n"
    )
    assert capfd.readouterr().err == said
    assert ended.empty()


def test_a_stop_is_said_at_once_also_where_nobody_reads_any_more(capfd: pytest.CaptureFixture[str]) -> None:
    say_stopping("the venue")
    assert capfd.readouterr().err == "rex: stopping: the venue\n"
    kept, (reading, writing) = os.dup(2), os.pipe()
    os.close(reading)
    os.dup2(writing, 2)
    try:
        say_stopping("the venue")
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(writing)


def test_a_bug_keeps_its_traceback() -> None:
    with pytest.raises(KeyError):
        run(fail(KeyError("an order")))
    with pytest.raises(ExceptionGroup) as raised:
        run(fail(ExceptionGroup("parts", [JournalError("the device is full"), KeyError("an order")])))
    assert raised.value.subgroup(KeyError) is not None


def test_a_fault_of_the_engine_names_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit):
        run(fail(SequencerStopped(5, EngineFault(1, 6))))
    said = capsys.readouterr().err
    assert "nothing from seq 5 on was published" in said
    assert "at command 6" in said


@pytest.mark.parametrize(
    "command",
    [
        [],
        ["demo"],
        ["serve"],
        ["report"],
        ["simulate-year"],
        ["migrate"],
        ["journal"],
        ["journal", "verify"],
        ["journal", "export"],
        ["journal", "copy"],
    ],
    ids=" ".join,
)
def test_help_teaches_and_shows_no_types(command: list[str]) -> None:
    said = CliRunner().invoke(app, [*command, "--help"], env={"COLUMNS": "150", "TERMINAL_WIDTH": "150"})
    assert said.exit_code == 0
    assert f"Usage: rex {' '.join(command)}".strip() in said.stdout.replace("root", "rex")
    assert "Show this message and exit." in said.stdout
    assert "<bool>" not in said.stdout
    assert "<path>" not in said.stdout
    assert "--no-" not in said.stdout.replace("--no-history", "")
    assert ("Exit status:" in said.stdout) == (command not in ([], ["journal"]))


@pytest.mark.parametrize("year", ["abc", "1999", "2100", "2026.5", "٢٠٢٦"])
def test_a_year_that_is_none_is_refused_in_a_sentence(year: str) -> None:
    refused = CliRunner().invoke(app, ["report", year], env={"COLUMNS": "200", "TERMINAL_WIDTH": "200"})
    assert refused.exit_code == ExitCode.USAGE
    said = f"'{year}' is not a year: YEAR must be a whole number from 2000 to 2099, for example 2026."
    assert said in refused.stderr


def test_every_exit_status_is_documented() -> None:
    documented = (
        (Path(__file__).parents[2] / "docs/operators.md")
        .read_text(encoding="utf-8")
        .split("| exit status |")[1]
        .split("\n\n")[0]
    )
    assert [int(line.split("|")[1]) for line in documented.splitlines()[2:]] == sorted(ExitCode)
    said = CliRunner().invoke(app, ["serve", "--help"]).stdout
    assert all(f"{status:d} " in said.split("Exit status:")[1] for status in ExitCode)


def test_a_pace_that_so_few_orders_cannot_trade_is_bad_usage(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    given = ["demo", "--data-dir", str(folder), "--seconds", "1", "--port", "0", "--no-history"]
    result = CliRunner().invoke(app, [*given, "--rate", "2", "--pace", "2001"])
    assert result.exit_code == ExitCode.USAGE
    assert "--pace 2001 is too much for --rate 2" in result.output
    assert not folder.exists()
