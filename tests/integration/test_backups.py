"""`rex backup` and `rex restore`: what goes wrong is a sentence, and nothing is left of what was begun."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Coroutine
from contextlib import closing
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from services.backups import backup as backing_up
from services.backups.backup import OnProgress, backup
from services.backups.errors import BackupRefused
from services.backups.interruptible import Check, in_thread
from services.backups.manifest import Manifest
from services.backups.restore import restore
from services.files.data_folder import JOURNAL_FILE
from services.files.new_folder import MARK, UNFINISHED, FolderRefused
from services.journal import JournalBusy, JournalRefused
from services.journal.journal_lock import last_taken
from services.journal.sqlite import SqliteJournal
from services.journal.witness import Witness
from services.processes.exit_codes import ExitCode
from services.scaled.launch import REX
from services.snapshots.folder import FolderStore
from services.snapshots.taking import take
from tests.faults.venue_process import rex
from tests.integration.journal_contract import fill, read_all
from tests.integration.test_limited_files import limited
from tests.patience import PATIENCE_S
from tests.unit.journal.chains import next_batch, with_header

pytestmark = pytest.mark.anyio

KEYS = b'{"operator": {"key": "secret"}}'


def silent(_what: str, _done: int, _total: int) -> None:
    """Shows no progress."""


@pytest.fixture
async def data_dir(tmp_path: Path) -> Path:
    """A data folder with a journal of 300 commands and keys."""
    folder = tmp_path / "venue"
    folder.mkdir(0o700)
    journal = await SqliteJournal.open(folder / JOURNAL_FILE)
    await fill(journal, [100, 199, 1])
    await journal.close()
    (folder / "keys.json").write_bytes(KEYS)
    return folder


@pytest.fixture
async def made(data_dir: Path, tmp_path: Path) -> Path:
    """Its backup."""
    await backup(data_dir, tmp_path / "made", silent)
    return tmp_path / "made"


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def hash_of(data: bytes) -> str:
    return sha256(data).hexdigest()


def rewritten(made: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Changes the manifest."""
    path = made / "manifest.json"
    manifest = json.loads(path.read_bytes())
    change(manifest)
    path.write_bytes(json.dumps(manifest).encode())


def sealed_again(made: Path) -> None:
    """Makes the manifest say what the journal's file now is, as somebody would who changed both."""
    data = (made / JOURNAL_FILE).read_bytes()
    new = {"path": JOURNAL_FILE, "bytes": len(data), "sha256": hash_of(data)}
    rewritten(made, lambda manifest: manifest.update(files=[new]))


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()} if folder.is_dir() else {}


async def refused(made: Path, data_dir: Path, *witnesses: Witness) -> str:
    """The sentence of a restore that leaves nothing; the backup stays as it is."""
    before, beside = contents(made), os.listdir(data_dir.parent)
    with pytest.raises(JournalRefused) as error:
        await restore(made, data_dir, None, witnesses, silent)
    assert (contents(made), os.listdir(data_dir.parent)) == (before, beside)
    return str(error.value)


async def test_a_backup_beside_a_writer_is_one_commit_and_comes_back_equal(data_dir: Path, tmp_path: Path) -> None:
    writer = await SqliteJournal.open(data_dir / JOURNAL_FILE)
    await fill(writer, [7])
    steps: list[str] = []

    manifest = await backup(data_dir, tmp_path / "made", lambda what, *_: steps.append(what))
    await fill(writer, [9])
    await writer.close()
    assert {"copying the journal", "reading the copy"} <= set(steps)
    assert sorted(path.name for path in (tmp_path / "made").iterdir()) == [JOURNAL_FILE, "keys.json", "manifest.json"]
    assert manifest.last_seq == 307
    assert manifest.state_hash is not None
    kept = Witness(manifest.last_seq, bytes.fromhex(manifest.last_hash), "--expect")
    (tmp_path / "new").mkdir()  # an empty folder will do
    assert await restore(tmp_path / "made", tmp_path / "new", None, [kept], silent) == manifest
    assert (tmp_path / "new" / "keys.json").read_bytes() == KEYS
    for folder in ("made", "new"):
        assert all(path.stat().st_mode & 0o77 == 0 for path in [tmp_path / folder, *(tmp_path / folder).iterdir()])
    again = await SqliteJournal.open(tmp_path / "new" / JOURNAL_FILE)
    assert (again.journal_id.hex(), again.epoch) == (manifest.journal_id, 3)
    assert (await read_all(again))[-1].last_seq == 307
    await fill(again, [1])
    await again.close()


async def test_a_backup_holds_the_snapshots_and_executes_what_came_after(data_dir: Path, tmp_path: Path) -> None:
    writer = await SqliteJournal.open(data_dir / JOURNAL_FILE)
    store = FolderStore.of(data_dir)
    await take(writer, store)
    await fill(writer, [7])
    await take(writer, store)
    await fill(writer, [5])
    await writer.close()
    flip(store.path(307))
    state_hashes = set()
    for place, prove in (("made", False), ("proved", True)):
        manifest = await backup(data_dir, tmp_path / place, silent, prove=prove)
        state_hashes.add(manifest.state_hash)
        names = sorted(file.path for file in manifest.files)
        assert names == [JOURNAL_FILE, "keys.json", *(f"snapshots/{seq:020}.snapshot" for seq in (300, 307))]
        assert manifest.last_seq == 312
    assert len(state_hashes) == 1, "from the older snapshot as from the start"
    await restore(tmp_path / "made", tmp_path / "new", None, [], silent)
    copied = FolderStore.of(tmp_path / "new")
    assert [kept.seq for kept in await copied.kept()] == [307, 300]
    assert copied.path(307).read_bytes() == store.path(307).read_bytes(), (
        "damage is not mended, and a start passes it over"
    )


async def test_an_empty_venue_has_a_backup_too(tmp_path: Path) -> None:
    await (await SqliteJournal.open(tmp_path / "venue" / JOURNAL_FILE)).close()
    manifest = await backup(tmp_path / "venue", tmp_path / "made", silent)
    assert (manifest.last_seq, manifest.last_time) == (0, "")
    assert await restore(tmp_path / "made", tmp_path / "new", None, [], silent) == manifest


@pytest.mark.parametrize("name", ["folder", "file", "link"])
async def test_a_place_that_holds_something_is_refused(made: Path, data_dir: Path, tmp_path: Path, name: str) -> None:
    place = tmp_path / name
    if name == "folder":
        place.mkdir()
        (place / "other").touch()
    elif name == "file":
        place.touch()
    else:
        place.symlink_to(data_dir)
    before = os.listdir(data_dir)
    for work in (backup(data_dir, place, silent), restore(made, place, None, [], silent)):
        with pytest.raises(FolderRefused, match=r"name (a folder|one) that does not exist, or an empty one"):
            await work
    assert os.listdir(data_dir) == before


async def test_two_at_once_into_one_place_are_refused_and_a_killed_one_is_removed(
    data_dir: Path, tmp_path: Path
) -> None:
    left = tmp_path / f"made{UNFINISHED}"
    left.mkdir()
    (left / JOURNAL_FILE).write_bytes(b"half of it")
    (left / MARK).touch()
    other = os.open(left, os.O_RDONLY)
    fcntl.flock(other, fcntl.LOCK_EX)
    with pytest.raises(FolderRefused, match=r"another process is writing .*made: wait until it has ended"):
        await backup(data_dir, tmp_path / "made", silent)
    assert (left / JOURNAL_FILE).read_bytes() == b"half of it"
    assert "was not finished" in await refused(left, tmp_path / "new")
    os.close(other)
    await backup(data_dir, tmp_path / "made", silent)
    assert not left.exists()


KILLED = """
import asyncio, os, sys
from pathlib import Path
from services.journal.sqlite import SqliteJournal
from tests.integration.journal_contract import fill

async def main():
    await fill(await SqliteJournal.open(Path(sys.argv[1])), [50, 50])
    os._exit(9)

asyncio.run(main())
"""
"""Leaves commits in the journal's log."""

STARTED = """
import asyncio, sys
from pathlib import Path
from services.journal.sqlite import SqliteJournal

async def main():
    await (await SqliteJournal.open(Path(sys.argv[1]))).close()

asyncio.run(main())
"""


async def test_a_backup_gives_way_to_a_venue_that_is_started(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A venue that was killed during the backup must be able to start before its end."""
    monkeypatch.setattr(backing_up, "_STEP_PAGES", 1)
    path, root = data_dir / JOURNAL_FILE, Path(__file__).parents[2]
    killed = await asyncio.create_subprocess_exec(sys.executable, "-c", KILLED, str(path), cwd=root)
    assert await killed.wait() == 9
    before, started = last_taken(path), list[subprocess.Popen[bytes]]()

    def start(what: str, _done: int, _total: int) -> None:
        if what == "copying the journal" and not started:
            started.append(subprocess.Popen([sys.executable, "-c", STARTED, str(path)], cwd=root))
            while last_taken(path) == before:
                assert started[0].poll() is None

    with pytest.raises(JournalBusy, match=r"gave way to it. Nothing was made; make the backup again"):
        await backup(data_dir, tmp_path / "made", start)
    assert await asyncio.to_thread(started[0].wait, PATIENCE_S) == 0
    assert os.listdir(tmp_path) == ["venue"]
    assert (await backup(data_dir, tmp_path / "made", silent)).last_seq == 400


async def cancelled_at(what: str, begin: Callable[[OnProgress], Coroutine[Any, Any, object]]) -> None:
    """Ctrl-C while `what` is shown: the loop cancels the task at once, not after the copy."""
    loop, delivered = asyncio.get_running_loop(), threading.Event()

    def cancel() -> None:
        task.cancel()
        delivered.set()

    def show(now: str, _done: int, _total: int) -> None:
        if now == what and not delivered.is_set():
            loop.call_soon_threadsafe(cancel)
            assert delivered.wait(PATIENCE_S), "the loop stands still"

    task = asyncio.ensure_future(begin(show))
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_ctrl_c_ends_a_copy_at_once_and_nothing_is_left(made: Path, data_dir: Path, tmp_path: Path) -> None:
    before = os.listdir(tmp_path)
    await cancelled_at("copying the journal", partial(backup, data_dir, tmp_path / "more"))
    await cancelled_at("copying", partial(restore, made, tmp_path / "new", None, []))
    assert os.listdir(tmp_path) == before


async def test_a_cancelled_task_ends_the_work_in_its_thread() -> None:
    begun, ended = threading.Event(), threading.Event()

    def endless(check: Check) -> None:
        begun.set()
        try:
            while True:
                check()
        finally:
            ended.set()

    task = asyncio.ensure_future(in_thread(endless))
    assert await asyncio.to_thread(begun.wait, PATIENCE_S)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended.is_set()


def beside_a_mount(mounted: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    """The command where a device is mounted at `mounted`: in a namespace of mounts of its own, which ends with it."""
    mount = ["unshare", "--map-root-user", "--mount", "sh", "-c", 'mount -t tmpfs none "$0" && exec "$@"', str(mounted)]
    command = [*mount, str(REX), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE_S)


async def test_a_mount_point_is_refused_before_any_work_and_a_folder_within_it_is_not(
    made: Path, data_dir: Path, tmp_path: Path
) -> None:
    mounted = tmp_path / "mounted"
    mounted.mkdir()
    if beside_a_mount(mounted, "--help").returncode:
        pytest.skip("NO MOUNT POINT WAS TRIED: this system gives no namespace of mounts")
    before = os.listdir(tmp_path)
    for command in (
        ("backup", mounted, "--data-dir", data_dir),
        ("restore", made, "--data-dir", mounted),
    ):
        done = beside_a_mount(mounted, *command)
        assert (done.returncode, done.stdout) == (ExitCode.TROUBLE, "")
        assert f"{mounted} is a mount point" in done.stderr
        assert "name a folder within it" in done.stderr
    assert "backup of" in beside_a_mount(mounted, "backup", mounted / "within", "--data-dir", data_dir).stdout
    assert os.listdir(tmp_path) == before


async def test_what_is_no_backup_is_named(made: Path, data_dir: Path, tmp_path: Path) -> None:
    assert "there is no such folder" in await refused(tmp_path / "nowhere", tmp_path / "new")
    assert "that is a file" in await refused(made / JOURNAL_FILE, tmp_path / "new")
    assert f"{data_dir} is no backup: it holds no manifest.json" in await refused(data_dir, tmp_path / "new")
    (made / "manifest.json").unlink()
    assert "Name a folder that `rex backup` made" in await refused(made, tmp_path / "new")


def add_file(manifest: dict[str, Any], name: str) -> None:
    manifest["files"].append({"path": name, "bytes": 0, "sha256": hash_of(b"")})


MANIFESTS: list[tuple[Callable[[dict[str, Any]], object], str]] = [
    (lambda manifest: manifest.update(format=2), "has format 2; this version of REX reads 1"),
    (lambda manifest: manifest.pop("last_hash"), "is damaged: Object missing required field `last_hash`"),
    (lambda manifest: manifest.update(last_seq=299), "its manifest says last seq 299, its journal holds 300"),
    (lambda manifest: manifest.update(journal_id="00"), "its manifest says journal 00, its journal holds"),
    (lambda manifest: manifest.update(state_hash="ff"), "its manifest says state hash ff, its journal holds"),
    (lambda manifest: manifest.update(files=[]), "names other files"),
    (lambda manifest: manifest["files"][0].update(path="../keys.json"), "names other files"),
    (lambda manifest: add_file(manifest, "a\0b"), "names other files"),
    (lambda manifest: add_file(manifest, ""), "names other files"),
    (lambda manifest: add_file(manifest, "."), "names other files"),
    (lambda manifest: add_file(manifest, f"./{JOURNAL_FILE}"), "names other files"),
    (lambda manifest: add_file(manifest, JOURNAL_FILE), "is damaged: it names a file twice"),
]


async def test_a_manifest_that_is_damaged_newer_or_foreign_is_named(made: Path, tmp_path: Path) -> None:
    path = made / "manifest.json"
    data = path.read_bytes()
    for change, sentence in MANIFESTS:
        rewritten(made, change)
        assert sentence in await refused(made, tmp_path / "new")
        path.write_bytes(data)
    path.write_bytes(data[: len(data) // 2])
    assert "manifest.json is damaged" in await refused(made, tmp_path / "new")


async def test_a_file_that_is_damaged_or_missing_is_named(made: Path, tmp_path: Path) -> None:
    path = made / "keys.json"
    data = path.read_bytes()
    path.write_bytes(data[:20] + bytes([data[20] ^ 1]) + data[21:])
    assert f"{path} is damaged: it has {len(data):,} bytes" in await refused(made, tmp_path / "new")
    path.write_bytes(data[:-1])
    assert f"{path} is damaged: it has {len(data) - 1:,} bytes" in await refused(made, tmp_path / "new")
    path.unlink()
    assert f"{path} cannot be read: No such file" in await refused(made, tmp_path / "new")


async def test_a_row_that_was_changed_with_its_file_hash_is_found_by_the_chain(made: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(made / JOURNAL_FILE)) as connection, connection:
        connection.execute(
            "UPDATE rows SET data = CAST(substr(data, 1, 200) || x'07' || substr(data, 202) AS BLOB) WHERE first_seq = 101"
        )
    sealed_again(made)
    assert "the row from seq 101 is damaged" in await refused(made, tmp_path / "new")


async def test_a_newer_row_is_refused_by_name(data_dir: Path, tmp_path: Path, made: Path) -> None:
    last = await last_of(data_dir)
    newer = with_header(next_batch(last, 1, journal_id=last.journal_id), engine_version=9)
    with closing(sqlite3.connect(made / JOURNAL_FILE)) as connection, connection:
        connection.execute("INSERT INTO rows VALUES (301, 301, 1, ?)", (newer,))
    sealed_again(made)
    assert "engine version 9" in await refused(made, tmp_path / "new")


async def last_of(data_dir: Path) -> Any:
    journal = await SqliteJournal.open(data_dir / JOURNAL_FILE, read_only=True)
    last = await journal.last_batch()
    await journal.close()
    return last


async def test_a_whole_backup_of_another_journal_is_found_by_a_witness_alone(
    made: Path, data_dir: Path, tmp_path: Path
) -> None:
    last = await last_of(data_dir)
    other = Witness(300, bytes(32), "--expect 300:00")
    assert "--expect 300:00 knows a row that ends at seq 300" in await refused(made, tmp_path / "new", other)
    newer = Witness(301, last.hash[::-1], "--expect 301:00")
    assert "--expect 301:00 knows commands up to seq 301" in await refused(made, tmp_path / "new", newer)


async def test_a_backup_in_which_a_venue_ran_is_refused(made: Path, tmp_path: Path) -> None:
    (made / f"{JOURNAL_FILE}-wal").write_bytes(b"commits")
    assert "a venue was started in" in await refused(made, tmp_path / "new")


async def test_a_damaged_journal_gets_no_backup(data_dir: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(data_dir / JOURNAL_FILE)) as connection, connection:
        connection.execute("DELETE FROM rows WHERE first_seq = 101")
    with pytest.raises(BackupRefused, match=r"seq 300 does not follow seq 100.*Remove nothing"):
        await backup(data_dir, tmp_path / "made", silent)
    assert os.listdir(tmp_path) == ["venue"]


async def test_where_files_may_not_grow_nothing_is_left(data_dir: Path, made: Path, tmp_path: Path) -> None:
    """A full device."""
    before = os.listdir(tmp_path)
    backed_up = limited("backup", tmp_path / "more", "--data-dir", data_dir)
    restored = limited("restore", made, "--data-dir", tmp_path / "new")
    for done in (backed_up, restored):
        assert (done.exit_status, done.out) == (ExitCode.DEVICE_FAILED, "")
        assert "file too large" in done.err.lower()
        assert "Nothing was made" in done.err
    assert os.listdir(tmp_path) == before


async def test_the_commands_say_what_they_made(tmp_path: Path, data_dir: Path) -> None:
    made = rex("backup", tmp_path / "made", "--data-dir", data_dir, "--json")
    manifest = json.loads(made.out)
    assert manifest == json.loads((tmp_path / "made" / "manifest.json").read_bytes())
    assert set(manifest) == set(Manifest.__struct_fields__)
    kept = f"{manifest['last_seq']}:{manifest['last_hash']}"
    arguments: list[str | Path] = ["restore", tmp_path / "made", "--data-dir", tmp_path / "new", "--expect", kept]
    restored = rex(*arguments, "--archives", tmp_path)
    assert f"to keep     {kept}\nstate hash  {manifest['state_hash']}\n" in restored.out
    assert f"--archives was not used: {tmp_path / 'made'} holds every row\n" in restored.err
    refusal = f"rex: {tmp_path / 'new'} is not empty: name a folder that does not exist, or an empty one\n"
    assert rex(*arguments) == (ExitCode.TROUBLE, "", refusal)
