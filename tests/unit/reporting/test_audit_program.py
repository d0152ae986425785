"""The audit program as an auditor runs it: one copied file beside a journal. Exit status, sentences, damage."""

from __future__ import annotations

import ast
import hashlib
import json
import shutil
import sqlite3
import subprocess
import sys
import zlib
from contextlib import closing
from pathlib import Path
from random import Random
from struct import Struct

import pytest

from matching_engine import ENGINE_VERSION
from matching_engine.records import RECORD_FORMAT, Command, Event, pack_commands, struct_of, widths
from services.journal.batch import BATCH_FORMAT, MAGIC
from services.reporting import audit
from tests.unit.reporting.audited_journals import example, forge_events, resealed, write

PROGRAM = Path(audit.__file__)
RENAMED = {"maker_ppm": "rate_ppm", "taker_ppm": "taker_rate_ppm"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write(tmp_path / "journal.sqlite", example())


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    """The exit status, standard output and standard error."""
    try:
        status = audit.main([str(argument) for argument in arguments])
    except SystemExit as end:
        status = int(str(end.code))
    output = capsys.readouterr()
    return status, output.out, output.err


def test_it_imports_the_standard_library_only() -> None:
    tree = ast.parse(PROGRAM.read_text("utf-8"))
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.partition(".")[0] for name in names} <= sys.stdlib_module_names
    assert not any(isinstance(node, ast.ImportFrom) and node.level for node in ast.walk(tree))
    assert "import_module" not in PROGRAM.read_text("utf-8")


def test_a_copy_runs_alone_and_says_the_same(path: Path) -> None:
    copy = Path(shutil.copy(PROGRAM, path.with_name("copied.py")))
    command = [sys.executable, "-I", "-S", "-W", "error", str(copy), str(path), "2026", "--json"]
    ended = subprocess.run(command, cwd="/", capture_output=True, text=True, check=True)
    found = json.loads(ended.stdout)
    assert (found["net"], found["net_fen"], found["seq"], found["agree"]) == ("946030.00", 94_603_000, 24, True)
    assert (found["gross"], found["busted"], found["row_hash"]) == ("962080.00", "16050.00", example()[-1].hash.hex())
    assert found["cash_fen"] == {"1": 37_842, "2": 194_593_539, "3": 5_368_619}
    assert found["program_sha256"] == hashlib.sha256(PROGRAM.read_bytes()).hexdigest() == audit.own_sha256()


def test_it_knows_the_formats_and_the_engine_of_this_version() -> None:
    """Where this fails, the rules at the top of the program must be compared with those of the new version."""
    assert (MAGIC, (BATCH_FORMAT, RECORD_FORMAT)) == (audit.MAGIC, audit.FORMATS)
    assert audit.ENGINE_VERSION == ENGINE_VERSION


@pytest.mark.parametrize(
    ("record", "own", "own_struct"), [(Command, audit.Command, audit.COMMAND), (Event, audit.Event, audit.EVENT)]
)
def test_its_records_are_those_of_the_journal(record: type, own: type, own_struct: Struct) -> None:
    full = struct_of(record)
    assert own_struct.size == full.size
    for _ in range(20):
        data = Random(7).randbytes(full.size)
        values = dict(zip(widths(record), full.unpack(data), strict=True))
        read = own._make(own_struct.unpack(data))._asdict()  # type: ignore[attr-defined]
        assert read == {name: values[RENAMED.get(name, name)] for name in read}


def test_the_parts_of_an_order_are_those_of_the_record() -> None:
    decoder = audit.Decoder(2026)
    for batch in example():
        decoder.take(batch.encode())
    sent = pack_commands([Command(kind=1, instrument=2, side=1, account=70_000)])
    assert audit.ORDER.unpack_from(sent, 104) == (2, 1, 1)
    assert audit.SENDER.unpack_from(sent, 84) == (70_000,)


def test_it_says_what_it_computed(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, said, _ = run(capsys, path, 2026)
    assert (status, said.splitlines()[-1]) == (0, "Everything agrees.")
    for line in ("gross                962080.00", "net_fen              94603000", "trades               3"):
        assert line in said.splitlines()
    status, said, _ = run(capsys, path, 2026, "--seq", 18)
    assert (status, "net                  946000.00" in said) == (0, True)
    assert run(capsys, path, 2025, "--json")[:2] == (0, run(capsys, path, 2025, "--json")[1])
    assert json.loads(run(capsys, path, 2025, "--json")[1])["trades"] == 0


def test_it_names_what_disagrees(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    forged = resealed(example(), forge_events(lambda e: e._replace(amount_fen=7) if (e.seq, e.kind) == (18, 4) else e))
    status, said, _ = run(capsys, write(tmp_path / "journal.sqlite", forged), 2026)
    assert status == 1
    assert said.splitlines()[-2:] == [
        "Seq 18: amount, taker's fee and maker's fee: (7, 28380, 9460) in the event, (94600000, 28380, 9460) computed.",
        "THE JOURNAL DISAGREES with what follows from its commands.",
    ]


def test_the_calendar_is_read_from_a_file(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    calendar = path.with_name("days.csv")
    calendar.write_text("date\n2026-03-02\n2026-03-03\n")
    assert run(capsys, path, 2026, "--calendar", calendar)[0] == 0
    calendar.write_text("date\n2026-03-02\n2026-03-04\n")
    status, said, _ = run(capsys, path, 2026, "--calendar", calendar)
    assert status == 1
    assert "Seq 24: by the calendar, 20260303 is not the trading day of 2026-03-02 17:00:00." in said
    calendar.write_text("date\nMonday\n")
    assert run(capsys, path, 2026, "--calendar", calendar)[0] == 2


@pytest.mark.parametrize("arguments", [[], ["2026x"], ["1999"], ["2026", "--seq", "x"], ["2026", "--seq", "-1"]])
def test_a_wrong_command_line(path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    status, _, said = run(capsys, path, *arguments)
    assert (status, "usage:" in said) == (2, True)


def test_a_sequence_number_beyond_the_end(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    expected = (1, "", "The journal ends at seq 24, before seq 25.\n")
    assert run(capsys, path, 2026, "--seq", 25) == expected


HEADER_BYTES, COMMANDS = audit.HEADER.size, 7
EVENTS_BEGIN = HEADER_BYTES + COMMANDS * audit.COMMAND.size


@pytest.mark.parametrize(
    ("offset", "sentence"),
    [
        (0, "The row after seq 16 is damaged: it does not begin like a row of a journal."),
        (40, "is damaged: its CRC is wrong."),
        (HEADER_BYTES + 5, "The row from seq 17 is damaged: its CRC is wrong."),
        (EVENTS_BEGIN + 50, "The row from seq 17 is damaged: its CRC is wrong."),
        (-30, "The row from seq 17 is damaged: its CRC is wrong."),
        (-1, "The row from seq 17 is damaged: its CRC is wrong."),
    ],
    ids=["magic", "header", "command", "event", "hash", "CRC"],
)
def test_a_flipped_byte_is_found(path: Path, capsys: pytest.CaptureFixture[str], offset: int, sentence: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        (row,) = connection.execute("SELECT data FROM rows WHERE first_seq = 17").fetchone()
        flipped = bytearray(row)
        flipped[offset] ^= 1
        connection.execute("UPDATE rows SET data = ? WHERE first_seq = 17", (bytes(flipped),))
    status, _, said = run(capsys, path, 2026)
    assert (status, said.endswith(f"{sentence}\n"), said.count("\n")) == (1, True, 1)


def test_a_rewritten_row_with_a_new_crc_has_a_wrong_hash(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    row = bytearray(example()[1].encode())
    row[EVENTS_BEGIN + 50] ^= 1
    row[-4:] = zlib.crc32(row[:-4]).to_bytes(4, "little")
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE rows SET data = ? WHERE first_seq = 17", (bytes(row),))
    assert run(capsys, path, 2026)[2] == "The row from seq 17 was rewritten: its hash is wrong.\n"


@pytest.mark.parametrize("content", [b"", b"nothing of use" * 400, None], ids=["empty", "not a database", "missing"])
def test_what_is_no_journal(tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes | None) -> None:
    path = tmp_path / "journal.sqlite"
    if content is not None:
        path.write_bytes(content)
    status, said, why = run(capsys, path, 2026)
    assert (status, said) == (1, "")
    assert why.startswith(f"{path} cannot be read as a journal after seq 0: ")


def test_a_truncated_file(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size - 4096)
    status, said, why = run(capsys, path, 2026)
    assert (status, said) == (1, "")
    assert "cannot be read as a journal after seq " in why


def test_a_row_that_is_no_bytes(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE rows SET data = 'text' WHERE first_seq = 17")
    assert "The row after seq 16 is damaged" in run(capsys, path, 2026)[2]
