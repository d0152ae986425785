"""A venue in a data folder starts from its newest good snapshot, falls back by itself, and says what it began with."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import structlog
from rex_client import RexClient

from services.files.data_folder import JOURNAL_FILE, READ_DATABASE_FILE
from services.journal import JournalBatch, JournalCorrupt, JournalLost
from services.journal.sqlite import SqliteJournal
from services.processes.exit_codes import ExitCode
from services.read_model.errors import ReadDatabaseFailed
from services.snapshots.errors import SnapshotFailed
from services.snapshots.folder import FolderStore
from services.snapshots.record import Snapshot
from services.snapshots.store import KeptSnapshot
from services.venue.bootstrap import Venue, open_venue
from services.venue.fatal_errors import exit_code_of, root_cause
from services.venue.settings import Settings
from services.venue.standing_snapshots import Policy, StandingSnapshots, take_at
from tests.e2e.clock import Clock
from tests.e2e.test_standing_proof import one_trade
from tests.integration.test_read_database_opening import open_folder
from tests.patience import PATIENCE_S, AsyncHttpClient
from tests.unit.snapshots.test_record import resealed

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def opened(folder: Path, **options: Any) -> AsyncIterator[Venue]:
    settings = Settings(data_dir=folder, port=0, schedule="always", proof_every_s=0, alerts_every_s=0, **options)
    async with open_venue(settings, clock=Clock()) as venue:
        yield venue


async def rest_an_order(venue: Venue, offset: int) -> None:
    operator_key = venue.keys["operator"].key
    async with RexClient(venue.url, operator_key) as operator:
        (account, *_) = [one["account"] for one in (await operator.accounts())["accounts"] if one["name"] == "seller"]
        await operator.change_inventory(account, "PRND-OX", 1)
        key = (await operator.issue_key(f"more {offset}", ["read", "trade"], account=account))["key"]
    async with RexClient(venue.url, key) as trader:
        await trader.place_order(
            {"symbol": "PRND-OX", "side": "sell", "price": f"{475000 + 100 * offset}.00", "quantity": 1}
        )


class Built:
    """A folder with two snapshots and commands after them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.seqs: list[int] = []
        self.last_seq = 0
        self.state_hash = ""
        self.journal_id = b""


@pytest.fixture(scope="module")
async def built(tmp_path_factory: pytest.TempPathFactory, anyio_backend: str) -> Built:
    found = Built(tmp_path_factory.mktemp("built"))
    async with opened(found.folder) as venue:
        await one_trade(venue)
        for offset in range(2):
            taken = await take_at(found.folder)  # beside the running venue
            assert taken.header is not None
            found.seqs.append(taken.header.seq)
            await rest_an_order(venue, offset)
        await rest_an_order(venue, 2)
        found.journal_id = venue.journal.journal_id
    found.last_seq, found.state_hash = venue.engine.last_seq, venue.engine.state_hash()
    return found


@pytest.fixture
def folder(built: Built, tmp_path: Path) -> Path:
    return Path(shutil.copytree(built.folder, tmp_path / "venue"))


async def start(folder: Path, built: Built, **options: Any) -> tuple[int, list[Any]]:
    """From which snapshot a start began, and what it logged; its state is compared."""
    with structlog.testing.capture_logs() as logged:
        async with opened(folder, **options) as venue:
            assert (venue.engine.last_seq, venue.engine.state_hash()) == (built.last_seq, built.state_hash)
            async with AsyncHttpClient(base_url=venue.url) as client:
                health = (await client.get("/healthz")).json()
    assert health["start_snapshot_seq"] == venue.recovery.snapshot_seq
    assert health["snapshot_seq"] in (None, *built.seqs, built.last_seq)
    assert venue.recovery.commands == built.last_seq - venue.recovery.snapshot_seq
    return venue.recovery.snapshot_seq, logged


def reasons(logged: list[Any]) -> list[str]:
    return [entry["reason"] for entry in logged if entry["event"] == "a snapshot is passed over"]


async def test_a_start_reads_and_executes_what_came_after_the_newest_snapshot(
    folder: Path, built: Built, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It reads no row before it, not for skipped requests either: the read database knows them."""
    rows: list[int] = []
    read = SqliteJournal.read

    async def noted(journal: SqliteJournal, after_seq: int) -> AsyncIterator[JournalBatch]:
        async for batch in read(journal, after_seq):
            rows.append(batch.last_seq)
            yield batch

    assert [kept.seq for kept in await FolderStore.of(folder).kept()] == built.seqs[::-1]
    with monkeypatch.context() as watched:
        watched.setattr(SqliteJournal, "read", noted)
        assert await start(folder, built) == (built.seqs[1], [])
    assert min(rows) >= built.seqs[1]
    assert (await start(folder, built, full_check=True))[0] == 0


def flip(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)


async def test_a_damaged_snapshot_is_passed_over_and_no_snapshot_is_needed(folder: Path, built: Built) -> None:
    """One byte of the newest, the end of the older."""
    newest, older = (FolderStore.of(folder).path(seq) for seq in built.seqs[::-1])
    flip(newest)
    seq, logged = await start(folder, built)
    assert (seq, len(reasons(logged))) == (built.seqs[0], 1)
    older.write_bytes(older.read_bytes()[:-50])
    seq, logged = await start(folder, built)
    assert (seq, len(reasons(logged))) == (0, 2)
    assert all("is damaged: its hash is wrong" in reason for reason in reasons(logged))


OF_STATE = {
    "UPDATE accounts SET cash_fen = cash_fen + 1 WHERE account = 3": "account 3: cash_fen",
    "DELETE FROM orders WHERE leaves_lots > 0": "open order",
    "UPDATE levels SET quantity_lots = quantity_lots + 1": "level at",
    "UPDATE trades SET amount_fen = amount_fen + 1": "trade ",
    "UPDATE daily_turnover SET amount_fen = amount_fen + 1": "turnover",
}
OF_SCHEMA = {"CREATE TRIGGER other AFTER UPDATE ON position BEGIN DELETE FROM trades; END": "trigger other"}


@pytest.mark.parametrize("changes", [OF_STATE, OF_SCHEMA], ids=["state", "schema"])
async def test_a_read_database_that_differs_from_the_state_is_rebuilt(
    folder: Path, built: Built, changes: dict[str, str]
) -> None:
    with closing(sqlite3.connect(folder / READ_DATABASE_FILE)) as connection, connection:
        connection.executescript("; ".join(changes))
    seq, logged = await start(folder, built)
    assert seq == built.seqs[1]
    named = [entry["difference"] for entry in logged if entry["event"] == "the read database differs"]
    for said in changes.values():
        assert [difference for difference in named if said in difference], said
    assert await open_folder(folder) == [], "it was rebuilt"


async def test_what_only_older_rows_show_is_left_to_the_full_check(folder: Path, built: Built) -> None:
    """A name is in no engine: the first proof finds it, and a start with --full-check."""
    with closing(sqlite3.connect(folder / READ_DATABASE_FILE)) as connection, connection:
        connection.execute("UPDATE accounts SET name = 'somebody else' WHERE name = 'seller'")
    assert await start(folder, built) == (built.seqs[1], [])
    _, logged = await start(folder, built, full_check=True)
    assert any(entry["event"] == "the read database differs" for entry in logged)


async def test_a_start_without_room_to_rebuild_compares_with_the_engine_unless_it_is_to_compare_all(
    folder: Path, built: Built, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No venue stays closed for want of temporary room; who asks for the full check is told that there was none."""
    shutil.rmtree(folder / "snapshots")
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: SimpleNamespace(free=0))
    _, (warned,) = await start(folder, built)
    assert (warned["event"], "needs twice that" in warned["reason"]) == (
        "the read database is compared with the engine only",
        True,
    )
    with pytest.raises(ReadDatabaseFailed, match="needs twice that"):
        async with opened(folder, full_check=True):
            pass


async def test_a_journal_that_ends_before_its_snapshot_has_lost_commands(folder: Path, built: Built) -> None:
    (folder / READ_DATABASE_FILE).unlink()
    with closing(sqlite3.connect(folder / JOURNAL_FILE)) as connection, connection:
        connection.execute("DELETE FROM rows WHERE last_seq >= ?", (built.seqs[1],))
    with pytest.raises(JournalLost, match=f"knows commands up to seq {built.seqs[1]}") as lost:
        async with opened(folder):
            pass
    assert exit_code_of(root_cause(lost.value)) == ExitCode.JOURNAL_DAMAGED
    shutil.rmtree(folder / "snapshots")
    async with opened(folder) as venue:
        assert venue.recovery.snapshot_seq == 0


async def test_damage_in_the_row_of_the_snapshot_refuses_the_start(folder: Path, built: Built) -> None:
    with closing(sqlite3.connect(folder / JOURNAL_FILE)) as connection, connection:
        connection.execute("UPDATE rows SET data = zeroblob(length(data)) WHERE last_seq = ?", (built.seqs[1],))
    with pytest.raises(JournalCorrupt):
        async with opened(folder):
            pass


LOCKED = """
import fcntl, sys
with open(sys.argv[1], "r+b") as file:
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 510, 2**30 + 2)
    except BlockingIOError:
        print("locked")
"""
"""Says whether another process has the database open, as SQLite sees it."""


async def test_the_journal_stays_locked_for_reading_while_a_snapshot_is_written(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the lock, the last writer to close the journal takes its log away from the reader."""
    said: list[str] = []
    write = FolderStore.write

    async def write_after_a_look(store: FolderStore, snapshot: Snapshot) -> None:
        command = [sys.executable, "-c", LOCKED, str(folder / JOURNAL_FILE)]
        said.append(await asyncio.to_thread(subprocess.check_output, command, text=True))
        await write(store, snapshot)

    monkeypatch.setattr(FolderStore, "write", write_after_a_look)
    await take_at(folder)
    assert said == ["locked\n"]


async def test_health_says_how_old_the_newest_snapshot_is(folder: Path, built: Built) -> None:
    newest = (await FolderStore.of(folder).kept())[0]
    assert newest.header is not None
    now_ns = newest.header.taken_ns + 90_500_000_000
    standing = StandingSnapshots(folder, built.journal_id, lambda: built.last_seq, lambda: now_ns, Policy(0, 0), 0)
    await standing.look()
    assert standing.facts() == {"snapshot_seq": newest.seq, "snapshot_age_s": 90.5}


async def test_what_no_start_can_use_keeps_no_snapshot_from_being_taken(folder: Path, built: Built) -> None:
    """Of another journal, of another engine version, ahead of the journal, and without a header."""
    store, (older, newer) = FolderStore.of(folder), built.seqs
    whole = Snapshot.decode(store.path(newer).read_bytes())
    store.path(newer).write_bytes(resealed(whole, engine_version=1))
    store.path(older).unlink()
    store.path(built.last_seq).write_bytes(resealed(whole, journal_id=bytes(16), seq=built.last_seq))
    store.path(10**12).write_bytes(resealed(whole, seq=10**12)[:-1])
    store.path(10**13).write_bytes(b"nothing")
    standing = StandingSnapshots(
        folder, built.journal_id, lambda: built.last_seq, Clock(), Policy(built.last_seq, 0), 0
    )
    await standing.look()
    assert standing.facts() == {"snapshot_seq": None, "snapshot_age_s": None}
    await standing.take_due()
    assert (standing.facts()["snapshot_seq"], standing.warnings()) == (built.last_seq, [])
    assert await start(folder, built) == (built.last_seq, [])


async def test_a_venue_takes_one_when_it_is_due_by_its_own_beside_a_foreign_one_and_one_ahead(
    folder: Path, built: Built
) -> None:
    store, (_, newest) = FolderStore.of(folder), built.seqs
    whole = Snapshot.decode(store.path(newest).read_bytes())
    store.path(newest + 1).write_bytes(resealed(whole, journal_id=bytes(16), seq=newest + 1))
    store.path(10**12).write_bytes(resealed(whole, seq=10**12)[:-1])

    def standing(policy: Policy) -> StandingSnapshots:
        return StandingSnapshots(folder, built.journal_id, lambda: built.last_seq, Clock(), policy, 0)

    not_due = standing(Policy(every_commands=built.last_seq - newest + 1, every_s=1))
    await not_due.take_due()
    assert not_due.facts()["snapshot_seq"] == newest
    due = standing(Policy(every_commands=built.last_seq - newest, every_s=0))
    await due.take_due()
    assert (due.facts()["snapshot_seq"], due.warnings()) == (built.last_seq, [])
    assert {built.last_seq, newest, newest + 1} <= {kept.seq for kept in await store.kept()}


async def test_one_that_the_start_passed_over_keeps_no_snapshot_from_being_taken(folder: Path, built: Built) -> None:
    """The next one is due by what came after the snapshot that the start began with; its process passes over the damaged one,
    too, and says so beside its result."""
    older, newest = built.seqs
    flip(FolderStore.of(folder).path(newest))
    policy = Policy(built.last_seq - older, 0)

    def standing(start_seq: int | None) -> StandingSnapshots:
        last_seq, clock = (lambda: built.last_seq), Clock()
        return StandingSnapshots(folder, built.journal_id, last_seq, clock, policy, 0, start_snapshot_seq=start_seq)

    unaware, aware = standing(None), standing(older)
    await unaware.take_due()
    assert unaware.facts()["snapshot_seq"] == newest
    with structlog.testing.capture_logs() as logged:
        await aware.take_due()
    assert (aware.facts()["snapshot_seq"], aware.warnings()) == (built.last_seq, [])
    (taken,) = logged
    assert (taken["event"], taken["followed_from"], taken["removed"]) == ("a snapshot was taken", older, [newest])
    assert "is damaged: its hash is wrong" in taken["passed_over"][0]
    assert await start(folder, built) == (built.last_seq, [])


async def test_a_start_counts_from_the_snapshot_that_it_began_with(folder: Path, built: Built) -> None:
    flip(FolderStore.of(folder).path(built.seqs[1]))
    async with opened(folder) as venue, AsyncHttpClient(base_url=venue.url) as client:
        health: dict[str, Any] = {}
        async with asyncio.timeout(PATIENCE_S):  # until its first look at the snapshots
            while health.get("snapshot_seq") is None:
                health = (await client.get("/healthz")).json()
    assert (health["start_snapshot_seq"], health["snapshot_seq"]) == (built.seqs[0], built.seqs[0])


async def test_a_snapshot_that_cannot_be_taken_is_a_warning_and_the_venue_goes_on(folder: Path, built: Built) -> None:
    (folder / JOURNAL_FILE).rename(folder / "elsewhere")
    failing = StandingSnapshots(folder, built.journal_id, lambda: built.last_seq, Clock(), Policy(1, 0), 0)
    with structlog.testing.capture_logs() as logged:
        await failing.take_due()
        await failing.take_due()  # not again so soon
    (sentence,) = failing.warnings()
    assert sentence.startswith("The last snapshot could not be taken")
    assert [entry["event"] for entry in logged] == ["a snapshot could not be taken"]
    assert "the journal has lost commands from seq 1 on" in logged[0]["reason"]


@pytest.mark.parametrize(
    ("policy", "commands", "age_s", "is_due"),
    [
        (Policy(1_000, 0), 999, 1e9, False),
        (Policy(1_000, 0), 1_000, 0, True),
        (Policy(0, 60), 10**9, 59, False),
        (Policy(0, 60), 99_999, 1e9, False),
        (Policy(0, 60), 100_000, 60, True),
        (Policy(0, 0), 10**9, 1e9, False),
    ],
)
def test_when_one_is_due(policy: Policy, commands: int, age_s: float, is_due: bool) -> None:
    assert policy.is_due(commands, age_s) is is_due


async def test_a_store_that_cannot_be_read_is_logged_once_and_nothing_is_taken(tmp_path: Path) -> None:
    (tmp_path / "snapshots").mkdir()
    standing = StandingSnapshots(tmp_path, bytes(16), lambda: 5, Clock(), Policy(1, 0), 0)

    class Failing(FolderStore):
        async def kept(self) -> list[KeptSnapshot]:
            raise SnapshotFailed("the device has failed")

    standing._store = Failing.of(tmp_path)
    with structlog.testing.capture_logs() as logged:
        await standing.take_due()
        await standing.take_due()
    assert [entry["reason"] for entry in logged] == ["the device has failed"]
    assert (standing.facts()["snapshot_seq"], standing.warnings()) == (None, [])
