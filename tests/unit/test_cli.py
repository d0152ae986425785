"""How `rex` ends: what the environment does wrong is a sentence and a status, a bug is a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from matching_engine.faults import EngineFault
from services.cli import app, run
from services.data import DataFileError
from services.first_start import KeysFileRefused
from services.journal import JournalBusy, JournalError
from services.read_database import ReadDatabaseRefused
from services.reporting.projector import ProjectorStopped
from services.sequencer.sequencer import SequencerStopped

TROUBLES = (
    JournalBusy("the folder is in use"),
    FileNotFoundError("no such file"),
    SequencerStopped(7, JournalError("the device is full", 7)),
    ReadDatabaseRefused("read.sqlite", "was made from another journal"),
    KeysFileRefused("keys.json cannot be read"),
    DataFileError(Path("days.csv"), 3, "is not a date"),
)


async def fail(error: BaseException) -> None:
    raise error


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda trouble: type(trouble).__name__)
def test_trouble_of_the_environment_is_one_line_however_deep_it_lies(
    trouble: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    # A venue's parts run in a task group; a part that waited for the one that failed fails with it.
    waited = ProjectorStopped("The read database stands at seq 0.")
    for error in (trouble, ExceptionGroup("parts", [waited, ExceptionGroup("tasks", [trouble])])):
        with pytest.raises(typer.Exit) as end:
            run(fail(error))
        assert end.value.exit_code == 1
        assert capsys.readouterr().err == f"rex: {trouble}\n"


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


def test_a_setting_that_cannot_be_is_bad_usage(tmp_path: Path) -> None:
    for name, value in (("REX_ALLOWED_HOSTS", "not json"), ("REX_REQUEST_LOG", "perhaps")):
        ended = CliRunner().invoke(app, ["serve", "--data-dir", str(tmp_path), "--port", "0"], env={name: value})
        assert ended.exit_code == 2
        assert name.removeprefix("REX_").lower() in ended.stderr
        assert "Traceback" not in ended.stderr
