"""What `rex` refuses for its folder or its address: one sentence and one status, whoever looks."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from services.cli import app
from services.files.data_folder import JOURNAL_FILE, READ_DATABASE_FILE
from services.processes.exit_codes import ExitCode
from services.read_model.database import connect_writer, make_tables
from tests.faults.venue_process import rex

NO_JOURNAL = {
    "nowhere": "there is no such folder",
    "empty": "the folder holds no journal.sqlite",
    "begun": "journal.sqlite is empty",
    "file": "that is a file",
}


@pytest.mark.parametrize("place", NO_JOURNAL)
def test_no_journal_is_one_sentence_and_one_status_whoever_looks(tmp_path: Path, place: str) -> None:
    """Nor is a folder without a venue a new venue: it may be a volume that is not mounted."""
    folder = tmp_path / place
    if place == "file":
        folder.touch()
    elif place != "nowhere":
        folder.mkdir()
    if place == "begun":  # a first start that was killed at once
        (folder / JOURNAL_FILE).touch()
    before = sorted(tmp_path.rglob("*"))
    options = "(--data-dir, REX_DATA_DIR)"
    said = f"rex: there is no journal in {folder}: {NO_JOURNAL[place]}; name the data folder of a venue {options}"
    for command in (["report", "2026"], ["journal", "verify"]):
        looked = CliRunner().invoke(app, [*command, "--data-dir", str(folder)])
        assert (looked.exit_code, looked.stderr) == (ExitCode.TROUBLE, f"{said}\n")
    if place != "begun":
        for command in (["serve", "--port", "0"], ["user", "list"]):
            ended = rex(*command, "--data-dir", str(folder))
            assert (ended.exit_status, ended.err) == (
                ExitCode.TROUBLE, f"{said}. `rex serve --new` begins a venue\n",
            )  # fmt: skip
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("left", [f"{JOURNAL_FILE}-wal", READ_DATABASE_FILE])
def test_a_new_venue_needs_a_folder_without_one(tmp_path: Path, left: str) -> None:
    """What is left of a lost venue is one: the start without --new names the loss."""
    (tmp_path / left).touch()
    ended = rex("serve", "--new", "--port", "0", "--data-dir", str(tmp_path))
    assert ended.exit_status == ExitCode.TROUBLE
    assert ended.err == f"rex: {tmp_path} holds a venue already: start it without --new\n"


@pytest.mark.parametrize("place", ["empty", "begun"])
def test_no_journal_beside_a_read_database_is_a_loss_whoever_looks(tmp_path: Path, place: str) -> None:
    path = tmp_path / READ_DATABASE_FILE
    with closing(connect_writer(path)) as writer:
        make_tables(writer)
        columns = [row[1] for row in writer.execute("PRAGMA table_info(position)")]
        known = {"seq": 7, "row_hash": b"h" * 32, "journal_id": b"j" * 16}
        values = [known.get(name, 1) for name in columns]
        writer.execute(f"INSERT INTO position VALUES ({', '.join('?' * len(values))})", values)
    if place == "begun":
        (tmp_path / JOURNAL_FILE).touch()
    said = (
        "rex: the journal has lost commands from seq 1 on: there is no command in the journal, and the read database"
        f" {path} knows commands up to seq 7. Remove nothing: keep all files as they are and restore a copy"
        " (docs/durability.md)\n"
    )
    for command, status in (
        (["report", "2026"], ExitCode.TROUBLE),
        (["journal", "verify"], ExitCode.TROUBLE),
        (["serve", "--port", "0"], ExitCode.JOURNAL_DAMAGED),
    ):
        ended = rex(*command, "--data-dir", str(tmp_path))
        assert (ended.exit_status, ended.err) == (status, said)


def test_a_data_folder_that_cannot_be_made_is_a_sentence_that_names_the_setting(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for command, folder, reason in (
        (("serve", "--new"), tmp_path / "file", "there is a file of that name"),
        (("demo",), tmp_path / "file/venue", "Not a directory"),
    ):
        ended = rex(*command, "--port", "0", "--data-dir", str(folder))
        assert ended.exit_status == ExitCode.TROUBLE
        assert ended.err == f"rex: the data folder {folder} (--data-dir, REX_DATA_DIR) cannot be made: {reason}\n"


@pytest.mark.parametrize(
    ("host", "reason"), [("999.1.1.1", "Name or service not known"), ("192.0.2.1", "Cannot assign requested address")]
)
def test_an_address_that_is_none_of_this_machine_names_the_option(tmp_path: Path, host: str, reason: str) -> None:
    """192.0.2.1 is of a block that is for documentation only."""
    ended = rex("serve", "--new", "--host", host, "--port", "0", "--data-dir", str(tmp_path))
    assert ended.exit_status == ExitCode.TROUBLE
    assert ended.err == f"rex: --host {host} --port 0 (REX_HOST, REX_PORT): cannot listen there: {reason}\n"
