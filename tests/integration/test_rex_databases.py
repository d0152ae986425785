"""`rex migrate` and `rex journal` on PostgreSQL, through the console script: what they print, and how they end."""

from __future__ import annotations

import asyncio
import json
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import asyncpg
import pytest
from typer.testing import CliRunner

from load_tests.servers.postgres import PostgresServer
from matching_engine import Engine
from services.cli import app
from services.files.data_folder import JOURNAL_FILE, READ_DATABASE_FILE
from services.journal.compression import decompress
from services.journal.journal_lock import JournalLock
from services.journal.postgres.journal import PostgresJournal
from services.migrations.postgres import migrate_database, revisions
from services.processes.exit_codes import ExitCode
from services.read_model.postgres.writer import PostgresWriter
from services.read_model.projector import catch_up
from services.read_model.tables import READ_FORMAT
from services.scaled.launch import REX
from tests.faults import venue_process
from tests.integration.golden_journals import stored
from tests.integration.test_reporting_folder import deals, journal_of
from tests.unit.read_model.history import History, opening

pytestmark = pytest.mark.slow

LAST_SEQ = 25
_SEEN = "rex: warning: whoever may list the processes of this machine sees the password in "
READ_POSITION = "INSERT INTO position VALUES (1, $1, 0, 0, $2, $3, 0)"


class Ended(NamedTuple):
    """How a command ended."""

    status: int
    out: str
    err: str


def rex(*arguments: str | Path, url: str = "") -> Ended:
    """Runs one command to its end in this process, with REX_DATABASE_URL where a URL is given."""
    done = CliRunner().invoke(app, [*map(str, arguments)], env={"REX_DATABASE_URL": url} if url else None)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return Ended(done.exit_code, done.stdout, done.stderr)


def rex_process(*arguments: str | Path, url: str) -> Ended:
    """The same in a process of its own."""
    done = venue_process.rex(*arguments, variables={"REX_DATABASE_URL": url})
    assert done.exit_status is not None
    return Ended(done.exit_status, done.out, done.err)


def execute(url: str, sql: str, *values: Any) -> Any:
    async def work() -> Any:
        connection = await asyncpg.connect(url)
        try:
            return await connection.fetchval(sql, *values)
        finally:
            await connection.close()

    return asyncio.run(work())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A journal with three trades, completely projected, without a running venue."""
    path = tmp_path_factory.mktemp("venue")
    asyncio.run(journal_of(path, History(Engine()), [opening(), deals(1), deals(2)]))
    return path


@pytest.fixture(scope="module")
def templates(shared_postgres: PostgresServer, folder: Path) -> Iterator[tuple[str, str]]:
    """The names of a database with the tables, and of one with the journal of `folder`, too."""
    names = "rex_migrated", "rex_copied"
    asyncio.run(migrate_database(shared_postgres.create_database(names[0])))
    copy = shared_postgres.create_database(names[1], names[0])
    assert rex("journal", "copy", "--from", folder, "--to", copy).status == 0
    yield names
    for name in names:
        shared_postgres.drop_database(name)


@pytest.fixture
def migrated(shared_postgres: PostgresServer, templates: tuple[str, str]) -> Iterator[str]:
    """A database with the tables."""
    yield shared_postgres.create_database("rex_of_this_test", templates[0])
    shared_postgres.drop_database("rex_of_this_test")


@pytest.fixture
def copied(shared_postgres: PostgresServer, templates: tuple[str, str]) -> Iterator[str]:
    """A database with the journal of `folder`."""
    yield shared_postgres.create_database("rex_of_this_test", templates[1])
    shared_postgres.drop_database("rex_of_this_test")


def last_hash(folder: Path) -> str:
    done = rex("journal", "verify", "--data-dir", folder, "--json")
    return str(json.loads(done.out)["last_hash"])


def test_migrate_says_what_it_makes(postgres_url: str) -> None:
    check = rex_process("migrate", "--check", url=postgres_url)
    newest = revisions()[-1]
    made = f"journal: base → {newest}{{0}}\nread database: none → {READ_FORMAT}{{0}}\n"
    assert check == (0, made.format(" (not done: --check)"), "")
    assert rex_process("migrate", url=postgres_url) == (0, made.format(""), "")
    assert rex("migrate", "--database-url", postgres_url) == (
        0,
        f"journal: {newest}, nothing to do\nread database: {READ_FORMAT}, nothing to do\n",
        f"{_SEEN}--database-url: set REX_DATABASE_URL instead\n",
    )


def test_migrate_says_where_a_read_database_stood_that_it_drops(copied: str, folder: Path) -> None:
    project(copied)
    stood_at = f"{LAST_SEQ}:{last_hash(folder)}"
    emptied = rex("migrate", "--empty-read-database", url=copied)
    assert emptied == (
        0,
        f"journal: {revisions()[-1]}, nothing to do\n"
        f"read database: {READ_FORMAT} → {READ_FORMAT}, dropped at {stood_at}\n",
        "",
    )
    execute(copied, READ_POSITION, LAST_SEQ + 1, b"h" * 32, execute(copied, "SELECT journal_id FROM journal_writer"))
    execute(copied, "UPDATE read_format SET format = format - 1")
    kept = rex("migrate", url=copied)
    assert (kept.status, f"knows commands up to seq {LAST_SEQ + 1}" in kept.err) == (ExitCode.JOURNAL_DAMAGED, True)
    dropped = json.loads(rex("migrate", "--empty-read-database", "--json", url=copied).out)
    assert (dropped["changed"], dropped["databases"][1]["stood_at"]) == (True, f"{LAST_SEQ + 1}:{(b'h' * 32).hex()}")


@pytest.fixture(scope="module")
def nowhere(shared_postgres: PostgresServer) -> Iterator[str]:
    """The address of a database that no command reaches."""
    yield shared_postgres.create_database("rex_nowhere")
    shared_postgres.drop_database("rex_nowhere")


WRONG = [
    ("postgresql", "mysql", "REX_DATABASE_URL: it is no address of PostgreSQL: write postgresql://user:password@"),
    ("127.0.0.1:", "127.0.0.1:x", "REX_DATABASE_URL is not the address of a PostgreSQL database: write"),
    ("127.0.0.1:", "127.0.0.1:9", "REX_DATABASE_URL is not the address of a PostgreSQL database: write"),
    (
        "/rex_",
        "/rex?sslmode=perhaps&x=",
        "(REX_DATABASE_URL) cannot be addressed: `sslmode` parameter must be one of",
    ),
    ("127.0.0.1", "127.0.0.2", "(REX_DATABASE_URL) cannot be reached"),
    ("postgres:", "postgres:x", "(REX_DATABASE_URL) refuses the user or the password"),
    ("/rex_", "/nothing_", "(REX_DATABASE_URL) has no such database: create it"),
]


@pytest.mark.parametrize(("old", "new", "sentence"), WRONG)
def test_a_wrong_url_is_one_sentence_without_the_password_that_names_the_setting(
    nowhere: str, tmp_path: Path, old: str, new: str, sentence: str
) -> None:
    refuses(nowhere, ["migrate"], old, new, sentence)


@pytest.mark.parametrize("command", [["journal", "verify"], ["report", "2026"], ["init"]], ids=" ".join)
def test_so_it_is_with_every_command(nowhere: str, tmp_path: Path, command: list[str]) -> None:
    command = ["init", "--data-dir", str(tmp_path / "keys")] if command == ["init"] else command
    for old, new, sentence in WRONG[:1] + WRONG[-1:]:  # one that is malformed, one that a server refuses
        refuses(nowhere, command, old, new, sentence)
    assert not [*tmp_path.iterdir()]


def refuses(nowhere: str, command: list[str], old: str, new: str, sentence: str) -> None:
    wrong = nowhere.replace(old, new, 1)
    malformed = new == "mysql" or "is not the address" in sentence or "cannot be addressed" in sentence
    given = sentence.replace("REX_DATABASE_URL", "--database-url")
    for ended, expected, warnings in (
        (rex(*command, url=wrong), sentence, 0),
        (rex(*command, "--database-url", wrong), given, 1),
    ):
        assert (ended.status, ended.out) == (ExitCode.USAGE if malformed else ExitCode.TROUBLE, "")
        assert expected in ended.err
        assert ended.err.count("\n") == 1 + warnings
        assert nowhere.split(":")[2].split("@")[0] not in ended.err


@pytest.mark.parametrize(
    ("url", "is_warned"),
    [
        ("postgresql://rex:secret-word@127.0.0.2:1/rex", True),
        ("postgresql://rex@127.0.0.2:1/rex?password=secret-word", True),
        ("postgresql://rex@127.0.0.2:1/rex", False),
    ],
)
def test_a_password_on_the_command_line_is_warned_of(url: str, is_warned: bool) -> None:
    (line, *_) = rex("journal", "verify", "--database-url", url).err.splitlines()
    assert line.startswith(_SEEN) == is_warned
    assert not is_warned or line == f"{_SEEN}--database-url: set REX_DATABASE_URL instead"
    assert _SEEN not in rex("journal", "verify", url=url).err
    (line, *_) = rex("journal", "copy", "--from", url, "--to", "/dev/null/x").err.splitlines()
    assert line.startswith(f"{_SEEN}--from: leave it to PGPASSWORD or ~/.pgpass") == is_warned


def test_a_copy_names_the_place_that_is_no_address(folder: Path, tmp_path: Path) -> None:
    wrong = "postgresql://rex:secret-word@127.0.0.1:port/rex"
    for side, other, place in (("--from", "--to", tmp_path / "copy"), ("--to", "--from", folder)):
        ended = rex("journal", "copy", side, wrong, other, place)
        sentence = (
            f"rex: {side} is not the address of a PostgreSQL database: write postgresql://user:password@host:port"
        )
        assert (ended.status, ended.out) == (ExitCode.USAGE, "")
        assert ended.err.splitlines()[1].startswith(sentence)
    assert not [*tmp_path.iterdir()]


def test_a_server_without_fsync_is_refused_by_its_setting() -> None:
    with PostgresServer(None, fsync="off") as server:
        ended = rex("migrate", url=server.create_database("venue"))
    assert (ended.status, ended.out, ended.err.count("\n")) == (ExitCode.TROUBLE, "", 1)
    assert ended.err.endswith("has fsync = off: it would lose acknowledged commands. Set fsync = on\n")


def test_a_database_without_tables_or_journal_is_said_to_be_so(postgres_url: str, folder: Path) -> None:
    no_tables = "run `rex migrate`"
    for command in (["journal", "verify"], ["journal", "export"]):
        assert no_tables in (ended := rex(*command, url=postgres_url)).err
        assert ended.status == ExitCode.TROUBLE
    assert no_tables in (ended := rex("journal", "copy", "--from", folder, "--to", postgres_url)).err
    assert ended.status == ExitCode.TROUBLE
    asyncio.run(migrate_database(postgres_url))
    ended = rex("journal", "verify", url=postgres_url)
    assert (ended.status, "holds no journal: run `rex init`" in ended.err) == (ExitCode.TROUBLE, True)


def test_a_journal_is_copied_to_postgresql_and_back_and_has_the_same_hash(
    migrated: str, folder: Path, tmp_path: Path
) -> None:
    end = f"{LAST_SEQ}:{last_hash(folder)}"
    there = rex("journal", "copy", "--from", folder, "--to", migrated)
    assert (there.status, there.out.splitlines()[1:]) == (0, [f"source  {end}", f"target  {end}"])
    back = rex("journal", "copy", "--from", migrated, "--to", tmp_path / "back", "--json")
    document = json.loads(back.out)
    assert (document["rows"], document["last_seq"]) == (3, LAST_SEQ)
    assert f"{LAST_SEQ}:{document['source_hash']}" == f"{LAST_SEQ}:{document['target_hash']}" == end
    copied = [decompress(row) for row in stored(tmp_path / "back" / JOURNAL_FILE)]  # A copy is compressed.
    assert copied == stored(folder / JOURNAL_FILE)
    proven = rex("journal", "verify", "--prove", url=migrated)
    assert (proven.status, proven.out.startswith(f"3 rows, {LAST_SEQ} commands")) == (0, True)
    assert rex("journal", "verify", "--expect", end, url=migrated).status == 0
    assert rex("report", "2023", "--prove", "--data-dir", tmp_path / "back").status == 0


def test_a_copy_goes_only_to_an_empty_place_and_from_a_stopped_venue(
    migrated: str, folder: Path, tmp_path: Path
) -> None:
    def refused(source: str | Path, target: str | Path) -> Ended:
        ended = rex("journal", "copy", "--from", source, "--to", target)
        warned = [str(place).startswith("postgresql://") for place in (source, target)].count(True)
        assert (ended.out, ended.err.count("\n"), ended.err.count(_SEEN)) == ("", 1 + warned, warned)
        return ended

    (tmp_path / READ_DATABASE_FILE).touch()
    occupied = refused(folder, tmp_path)
    assert (occupied.status, f"{READ_DATABASE_FILE} exists" in occupied.err) == (ExitCode.JOURNAL_DAMAGED, True)
    execute(migrated, READ_POSITION, 7, b"h" * 32, b"j" * 16)
    occupied = refused(folder, migrated)
    assert (occupied.status, "stands at seq 7: a journal is copied only" in occupied.err) == (5, True)
    execute(migrated, "DELETE FROM position")
    held = JournalLock.take(folder / JOURNAL_FILE)
    try:
        assert refused(folder, migrated).status == ExitCode.OTHER_WRITER
    finally:
        held.release()
    assert refused(tmp_path / "nowhere", migrated).status == ExitCode.TROUBLE
    assert not (tmp_path / "nowhere").exists()
    assert rex("journal", "copy", "--from", folder, "--to", migrated).status == 0
    occupied = refused(folder, migrated)
    assert (occupied.status, "holds a journal: a journal is copied only" in occupied.err) == (5, True)
    assert refused(migrated, folder).status == ExitCode.JOURNAL_DAMAGED


def test_verify_names_the_damaged_row_and_export_ends_there_and_leaves_no_half_file(
    copied: str, tmp_path: Path
) -> None:
    execute(copied, "UPDATE journal SET data = set_byte(data, 500, get_byte(data, 500) # 1) WHERE first_seq = 20")
    ended = rex("journal", "verify", url=copied)
    assert (ended.status, "bad at seq 20" in ended.out) == (1, True)
    assert "the row from seq 20 is damaged: its checksum is wrong" in ended.out
    ended = rex("journal", "export", url=copied)
    assert (ended.status, ended.err.count("\n")) == (ExitCode.JOURNAL_DAMAGED, 1)
    assert ended.out.count('"command":{"kind"') == 19
    assert rex("journal", "export", "--output", tmp_path / "half", url=copied).status == ExitCode.JOURNAL_DAMAGED
    assert not (tmp_path / "half").exists()


def test_the_read_database_in_postgresql_is_a_witness(copied: str) -> None:
    journal_id = execute(copied, "SELECT journal_id FROM journal_writer")
    for seq, whose, sentence in (
        (LAST_SEQ + 1, journal_id, f"lost commands from seq {LAST_SEQ + 1} on"),
        (20, b"other", "was made from another journal"),
    ):
        execute(copied, "DELETE FROM position")
        execute(copied, READ_POSITION, seq, b"h" * 32, whose)
        ended = rex("journal", "verify", url=copied)
        assert (ended.status, sentence in ended.out) == (1, True)


def test_a_proof_compares_the_read_database_in_postgresql(copied: str) -> None:
    project(copied)
    good = rex("journal", "verify", "--prove", url=copied)
    assert (good.status, f"stands at seq {LAST_SEQ}" in good.out) == (0, True)
    execute(copied, "UPDATE accounts SET cash_fen = cash_fen + 5 WHERE account = 3")
    differs = rex("journal", "verify", "--prove", "--json", url=copied)
    (difference,) = json.loads(differs.out)["differences"]
    assert (differs.status, difference.startswith("accounts, account 3: cash_fen ")) == (1, True)
    assert rex("journal", "verify", url=copied).status == 0


def project(url: str) -> None:
    """Brings the read database of this journal to its end."""

    async def work() -> None:
        journal = await PostgresJournal.open(url)
        try:
            await catch_up(PostgresWriter(url), journal)
        finally:
            await journal.close()

    asyncio.run(work())


def test_export_is_the_same_from_both_kinds(copied: str, folder: Path, tmp_path: Path) -> None:
    from_folder = rex("journal", "export", "--data-dir", folder)
    assert (from_folder.status, from_folder.err) == (0, f"exported {LAST_SEQ} commands in 3 rows\n")
    assert rex("journal", "export", url=copied) == from_folder
    lines = [json.loads(line) for line in from_folder.out.splitlines()]
    assert len(lines) == LAST_SEQ + 3
    assert [line["command"]["seq"] for line in lines if "command" in line] == [*range(1, LAST_SEQ + 1)]
    file = tmp_path / "lines.jsonl"
    part = rex("journal", "export", "--from", "21", "--to", "22", "--output", file, url=copied)
    assert part == (0, "exported 2 commands in 2 rows\n", "")
    assert [json.loads(line) for line in file.read_text().splitlines()] == [
        *[line for line in lines if line.get("row", {}).get("first_seq") == 20],
        *[line for line in lines if line.get("command", {}).get("seq") == 21],
        *[line for line in lines if line.get("row", {}).get("first_seq") == 22],
        *[line for line in lines if line.get("command", {}).get("seq") == 22],
    ]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    again = rex("journal", "export", "--output", file, url=copied)
    assert again == (ExitCode.TROUBLE, "", f"rex: --output {file} cannot be made: File exists\n")


def test_export_ends_quietly_when_its_reader_has_had_enough(folder: Path) -> None:
    with subprocess.Popen(
        [REX, "journal", "export", "--data-dir", folder], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        said = process.stderr.read().decode()
    assert (process.returncode, "rex:" in said, "Traceback" in said) == (0, False, False)


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        (["--from", "7", "--to", "6"], "6 is before --from 7"),
        (["--data-dir", "x", "--database-url", "postgresql://h/d"], "name two places: give one of them"),
    ],
)
def test_options_of_export_that_make_no_sense_are_bad_usage(command: list[str], sentence: str) -> None:
    ended = rex("journal", "export", *command)
    assert (ended.status, sentence in ended.err) == (ExitCode.USAGE, True)


def test_a_folder_named_as_an_option_goes_before_the_variable(folder: Path) -> None:
    ended = rex("journal", "verify", "--data-dir", folder, url="postgresql://nobody@127.0.0.2:1/nothing")
    assert (ended.status, ended.out.startswith(f"3 rows, {LAST_SEQ} commands")) == (0, True)
