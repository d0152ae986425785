"""`rex snapshot` and `rex snapshot verify`: what they do, what they say, and what a full disk and a kill leave."""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from matching_engine import Engine
from services.cli import app
from services.files.data_folder import JOURNAL_FILE
from services.journal.chain import ChainEnd
from services.journal.copying import PostgresTarget, copy
from services.journal.postgres.tables import create
from services.journal.sqlite import SqliteJournal
from services.processes.exit_codes import ExitCode
from services.snapshots.folder import PARTIAL, FolderStore
from services.snapshots.postgres import PostgresStore
from services.snapshots.record import Snapshot
from tests.faults.venue_process import Mutant
from tests.faults.venue_process import rex as rex_process
from tests.integration.harmed_commands import (
    die_after_its_name,
    die_before_its_name,
    die_before_the_commit,
    limit_snapshots,
)
from tests.property.engine_flow import flow
from tests.unit.snapshots.journals import batches_of, state_hash_of
from tests.unit.snapshots.test_record import resealed

BATCHES = 40


async def _fill(folder: Path, batches: int) -> str:
    journal = await SqliteJournal.open(folder / JOURNAL_FILE)
    try:
        last = await journal.last_batch()
        for batch in batches_of(flow(13, 1_200), (25, 4), journal_id=journal.journal_id)[:batches]:
            if last is None or batch.first_seq > last.last_seq:
                last = replace(batch, epoch=journal.epoch, previous_hash=ChainEnd.after(last).hash)
                await journal.append(last)
        return await state_hash_of(journal)
    finally:
        await journal.close()


def fill(folder: Path, batches: int) -> str:
    """Brings the journal of a folder to so many batches; returns the state hash there."""
    folder.mkdir(exist_ok=True)
    return asyncio.run(_fill(folder, batches))


def rex(*arguments: object, url: str = "") -> tuple[int, str, str]:
    done = CliRunner().invoke(app, ["snapshot", *map(str, arguments)], env={"REX_DATABASE_URL": url} if url else None)
    return done.exit_code, done.stdout, " ".join(done.stderr.split())


def taken(*arguments: object, url: str = "") -> dict[str, Any]:
    status, output, errors = rex(*arguments, "--json", url=url)
    assert status == 0, errors
    found: dict[str, Any] = json.loads(output)
    return found


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A journal with two snapshots and rows after them."""
    folder = tmp_path_factory.mktemp("snapshots") / "venue"
    for batches in (15, 30):
        fill(folder, batches)
        taken("--data-dir", folder)
    fill(folder, BATCHES)
    return folder


@pytest.fixture
def folder(built: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(built, tmp_path / "venue"))


def seqs(folder: Path) -> list[int]:
    return [kept.seq for kept in asyncio.run(FolderStore.of(folder).kept())]


def test_it_says_what_it_took_and_that_there_is_nothing_more_to_take(folder: Path) -> None:
    newest, older = seqs(folder)
    state_hash = fill(folder, BATCHES)
    status, output, _ = rex("--data-dir", folder)
    assert status == 0
    assert f", state hash {state_hash}; " in output
    assert f"followed from the one at seq {newest:,}" in output
    assert f"Removed: seq {older:,}." in output
    status, output, _ = rex("--data-dir", folder)
    assert (status, output.startswith("The last snapshot is good and stands at the journal's end already")) == (0, True)
    assert len(seqs(folder)) == 2


def test_verify_follows_every_snapshot_to_the_end(folder: Path) -> None:
    status, output, _ = rex("verify", "--data-dir", folder, "--json")
    found = json.loads(output)
    newest, older = seqs(folder)
    assert (status, found["good"], found["state_hash"]) == (0, True, fill(folder, BATCHES))
    assert [(one["seq"], one["followed_to"]) for one in found["snapshots"]] == [
        (older, newest),
        (newest, found["last_seq"]),
    ]
    status, output, _ = rex("verify", "--data-dir", folder)
    assert (status, output.count("good  seq"), f"State hash {found['state_hash']}." in output) == (0, 2, True)


def test_verify_names_what_is_not_good_and_ends_with_status_1(folder: Path) -> None:
    store, (newest, older) = FolderStore.of(folder), seqs(folder)
    data = store.path(older).read_bytes()
    store.path(older).write_bytes(data[:-1])
    status, output, _ = rex("verify", "--data-dir", folder, "--json")
    (bad, good) = json.loads(output)["snapshots"]
    assert (status, bad["good"], good["good"], bad["followed_to"]) == (1, False, True, None)
    assert bad["error"] == f"the snapshot {store.path(older)} is damaged: its hash is wrong"
    # A state that cannot be the next one's: the one before is followed and shows it.
    wrong = resealed(Snapshot.decode(data), seq=newest, row_hash=_row_hash(store, newest))
    store.path(newest).write_bytes(wrong)
    store.path(older).write_bytes(data)
    status, output, _ = rex("verify", "--data-dir", folder)
    assert (status, "BAD   " in output) == (1, True)


def _row_hash(store: FolderStore, seq: int) -> bytes:
    return Snapshot.decode(store.path(seq).read_bytes()).header.row_hash


def test_what_is_passed_over_is_logged_beside_the_result(folder: Path) -> None:
    """In a process of its own: here the tests have already said where the log goes."""
    newest, older = seqs(folder)
    path = FolderStore.of(folder).path(newest)
    path.write_bytes(path.read_bytes()[:-1])
    done = rex_process("snapshot", "--data-dir", folder, "--json")
    found = json.loads(done.out)
    reason = f"the snapshot {path} is damaged: its hash is wrong"
    assert (found["passed_over"], found["followed_from"], found["removed"]) == ([reason], older, [newest])
    assert (done.exit_status, "a snapshot is passed over" in done.err) == (0, True)


def test_a_snapshot_of_another_journal_is_named_and_stays(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    fill(other, 20)
    taken("--data-dir", other)
    (foreign,) = seqs(other)
    shutil.copy(FolderStore.of(other).path(foreign), FolderStore.of(folder).path(foreign))
    status, output, _ = rex("verify", "--data-dir", folder)
    assert (status, f"{foreign:020}.snapshot is of journal " in output) == (1, True)
    taken("--data-dir", folder)
    assert foreign in seqs(folder)


def test_what_is_wrong_with_the_place_is_a_sentence(tmp_path: Path, folder: Path) -> None:
    for command in ([], ["verify"]):
        status, _, errors = rex(*command, "--data-dir", tmp_path / "none")
        assert (status, "there is no journal in" in errors) == (ExitCode.TROUBLE, True)
    status, _, errors = rex("--data-dir", folder, "verify")
    assert (status, "write the options after `verify`" in errors) == (ExitCode.USAGE, True)
    (tmp_path / "empty").mkdir()
    fill(tmp_path / "empty", 0)
    assert rex("--data-dir", tmp_path / "empty")[1] == "The journal is empty: there is nothing to take.\n"
    assert rex("verify", "--data-dir", tmp_path / "empty")[1].startswith("There is no snapshot: a start executes")


def test_a_full_disk_is_named_and_the_older_snapshots_stay(folder: Path) -> None:
    before = {kept: FolderStore.of(folder).path(kept).read_bytes() for kept in seqs(folder)}
    done = rex_process("snapshot", "--data-dir", folder, mutant=limit_snapshots)
    assert (done.exit_status, done.out) == (ExitCode.DEVICE_FAILED, "")
    assert "cannot be written: File too large" in " ".join(done.err.split())
    assert {kept: FolderStore.of(folder).path(kept).read_bytes() for kept in seqs(folder)} == before
    assert not list((folder / "snapshots").glob(f"*{PARTIAL}"))
    assert rex("verify", "--data-dir", folder)[0] == 0


@pytest.mark.parametrize(
    ("mutant", "more"),
    [(die_before_its_name, 0), (die_after_its_name, 1)],
    ids=["name", "folder"],
)
def test_a_kill_leaves_the_older_snapshots_and_a_whole_new_one_or_none(folder: Path, mutant: Mutant, more: int) -> None:
    before = seqs(folder)
    assert rex_process("snapshot", "--data-dir", folder, mutant=mutant).exit_status == -signal.SIGKILL
    assert len(seqs(folder)) == 2 + more
    assert set(before) <= set(seqs(folder))
    assert rex("verify", "--data-dir", folder)[0] == 0
    again = taken("--data-dir", folder)
    assert again["state_hash"] == fill(folder, BATCHES)
    assert not list((folder / "snapshots").glob(f"*{PARTIAL}"))


async def _copied(folder: Path, url: str) -> None:
    await create(url)
    journal = await SqliteJournal.open(folder / JOURNAL_FILE, read_only=True)
    try:
        await copy(journal, PostgresTarget(url))
    finally:
        await journal.close()


def test_a_database_is_a_place_too(folder: Path, postgres_url: str) -> None:
    asyncio.run(_copied(folder, postgres_url))
    first = taken(url=postgres_url)
    assert (first["written"], first["followed_from"], first["state_hash"]) == (True, 0, fill(folder, BATCHES))
    assert taken("--database-url", postgres_url)["written"] is False
    assert [kept.seq for kept in asyncio.run(PostgresStore(postgres_url).kept())] == [first["seq"]]
    status, output, _ = rex("verify", "--json", url=postgres_url)
    assert (status, json.loads(output)["state_hash"]) == (0, first["state_hash"])


def journal_verify(folder: Path, *options: str) -> tuple[int, dict[str, Any]]:
    done = CliRunner().invoke(app, ["journal", "verify", "--data-dir", str(folder), "--json", *options])
    found: dict[str, Any] = json.loads(done.stdout)
    return done.exit_code, found


def test_the_journal_is_verified_with_its_snapshots_as_witnesses(folder: Path) -> None:
    newest, older = seqs(folder)
    for options in ((), ("--prove",)):
        status, found = journal_verify(folder, *options)
        assert (status, found["snapshots"]) == (0, {"seqs": [older, newest], "differences": []})
    store = FolderStore.of(folder)
    whole = Snapshot.decode(store.path(newest).read_bytes())
    state = whole.engine().state()
    accounts = state.accounts.copy()
    accounts["cash_fen"][1] += 1
    other = Engine.from_state(state._replace(accounts=accounts))
    store.path(newest).write_bytes(Snapshot.of_engine(other, whole.header.journal_id, whole.header.end, 1).data)
    assert journal_verify(folder)[0] == 0
    status, found = journal_verify(folder, "--prove")
    (difference,) = found["snapshots"]["differences"]
    assert (status, found["good"], found["error"]) == (1, False, None)
    assert difference == f"{store.name(newest)} holds another state than the journal makes"


def test_a_snapshot_beyond_the_journal_is_told_by_every_check(folder: Path) -> None:
    newest, _ = seqs(folder)
    with closing(sqlite3.connect(folder / JOURNAL_FILE)) as connection, connection:
        connection.execute("DELETE FROM rows WHERE last_seq >= ?", (newest,))
    status, found = journal_verify(folder)
    assert (status, found["good"]) == (1, False)
    assert f"knows commands up to seq {newest}" in found["error"]
    for command in ([], ["verify"]):
        status, _, errors = rex(*command, "--data-dir", folder)
        assert (status, f"knows commands up to seq {newest}" in errors) == (1 if command else 5, True)


def test_a_kill_before_the_commit_leaves_the_database_as_it_was(folder: Path, postgres_url: str) -> None:
    asyncio.run(_copied(folder, postgres_url))
    done = rex_process("snapshot", mutant=die_before_the_commit, variables={"REX_DATABASE_URL": postgres_url})
    assert done.exit_status == -signal.SIGKILL
    assert asyncio.run(PostgresStore(postgres_url).kept()) == []
    assert taken(url=postgres_url)["written"]
