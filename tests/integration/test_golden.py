"""Golden files: a journal or database of every format that a REX has written stays readable (tests/data).

A format number that moves fails the first test until a file of the new number is added: tests/data/engine_4/make_journals.py
shows how. Old files are never made anew.
"""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from matching_engine import ENGINE_VERSION, Engine
from matching_engine.records import COMMAND, RECORD_FORMAT
from matching_engine.snapshot.state import STATE_FORMAT, from_bytes
from services.engine_versions.upgrades import starting_engine
from services.journal.batch import BATCH_FORMAT, HEADER, Header, JournalBatch
from services.journal.compression import COMPRESSED_FORMAT
from services.journal.connections import FILE_FORMAT
from services.journal.sqlite import SqliteJournal
from services.journal.verify import verify
from services.migrations.folder import migrate_folder
from services.read_database.database import READ_FORMAT
from services.reporting.report_database import JOURNAL_FILE, READ_DATABASE_FILE
from services.upgrade import sealed_state_error, upgrade
from tests.integration.older_journal import MADE, stored, unpack
from tests.integration.test_upgrade import dump, project

pytestmark = pytest.mark.anyio

OLDEST = {"engine": 2, "row": BATCH_FORMAT, "record": 2, "state": 2, "file": 1, "read": 9}
"""The first number of each format that left the hands of its makers; nothing of an earlier one is kept."""
PRESENT = {
    "engine": ENGINE_VERSION,
    "row": COMPRESSED_FORMAT,
    "record": RECORD_FORMAT,
    "state": STATE_FORMAT,
    "file": FILE_FORMAT,
    "read": READ_FORMAT,
}
JOURNALS = sorted(
    str(path.relative_to(MADE)).removesuffix(".sqlite.xz")
    for path in MADE.glob("*/*.sqlite.xz")
    if not path.parent.name.startswith("read_")
)
READ_DATABASES = sorted(MADE.glob("read_*/read.sqlite.xz"))

STATE_HASHES = {
    "engine_2/auction_halted": "cdb7ae9bfdefe298a47f60fced6de54a0fa76369f633b020b5c169b992a16c15",
    "engine_2/unchanged": "fc9ef91a3a6405589f8778d066c6007d8399db007a45cd1848c3e898f14692c3",
    "engine_3/sealed": "1d24aee4f18822d070fc32c2611cbbb9bf7d9af1c0496306856b181447629fe7",
    "engine_3/thin_days": "809ba0ce55496ac6e50e4400af0f597c82077858382efd0cc8bff14b01d88101",
    "engine_4/sealed": "1d24aee4f18822d070fc32c2611cbbb9bf7d9af1c0496306856b181447629fe7",
    "engine_4/thin_days": "b23a4d8dc51375f869aa69bd4c61319c30bf112a98f266f6678d86a5411998dc",
    "row_format_2/thin_days": "809ba0ce55496ac6e50e4400af0f597c82077858382efd0cc8bff14b01d88101",
}
"""The state that the present engine reaches at the end of each journal, before an upgrade adds its row. A change here is a
change of the rules for journals that exist: it needs another ENGINE_VERSION."""


def formats(path: Path) -> Iterator[tuple[str, int]]:
    """The numbers of every format in a journal's file."""
    with closing(sqlite3.connect(path)) as connection:
        yield "file", int(connection.execute("SELECT format FROM meta").fetchone()[0])
    for data in stored(path):
        header = Header._make(HEADER.unpack_from(data))
        yield "row", header.batch_format
        yield "record", header.record_format
        yield "engine", header.engine_version
    for _, sealed in sealed_states(path):
        yield "state", _format_of(sealed)


def sealed_states(path: Path) -> Iterator[tuple[int, bytes]]:
    """The states that upgrades have sealed in a journal, each with the seq of its row."""
    for data in stored(path):
        header = Header._make(HEADER.unpack_from(data))
        if (header.batch_format, header.attachment_count, header.command_count) == (BATCH_FORMAT, 2, 1):
            yield header.first_seq, zlib.decompress(JournalBatch.decode(data).attachments[1])


def _format_of(state: bytes) -> int:
    return int.from_bytes(state[8:16], "little")


def test_every_format_has_a_golden_file(tmp_path: Path) -> None:
    found = {("read", int(path.parent.name.removeprefix("read_"))) for path in READ_DATABASES}
    for name in JOURNALS:
        found |= set(formats(unpack(name, tmp_path)))
        (tmp_path / JOURNAL_FILE).unlink()
    wanted = {(kind, number) for kind, last in PRESENT.items() for number in range(OLDEST[kind], last + 1)}
    assert wanted - found == set(), "add a golden file of this format: see tests/data/engine_4/make_journals.py"


@pytest.mark.parametrize("name", JOURNALS)
async def test_a_golden_journal_is_taken_over_and_reaches_its_state(tmp_path: Path, name: str) -> None:
    path = unpack(name, tmp_path)
    older = stored(path)
    found = await upgrade(tmp_path)
    assert stored(path)[: len(older)] == older
    journal = await SqliteJournal.open(path, read_only=True)
    assert await sealed_state_error(journal) is None
    engine = await starting_engine(journal)
    if found.needed:
        assert found.state_hash == STATE_HASHES[name]
    else:
        assert await _state_hash(journal) == STATE_HASHES[name]
    result = await verify(journal, engine=engine)
    assert (result.good, result.error) == (True, None)
    await journal.close()


async def _state_hash(journal: SqliteJournal) -> str:
    engine = await starting_engine(journal)
    async for batch in journal.read(engine.last_seq):
        engine.process(np.frombuffer(batch.commands, COMMAND))
    return engine.state_hash()


@pytest.mark.parametrize("golden", READ_DATABASES, ids=lambda path: path.parent.name)
async def test_a_golden_read_database_is_as_the_journal_or_is_made_again(tmp_path: Path, golden: Path) -> None:
    """One of the present format equals the projection of its journal, row by row; an older one is rebuilt."""
    path = unpack("engine_4/thin_days", tmp_path)
    read_database = unpack(str(golden.relative_to(MADE)).removesuffix(".sqlite.xz"), tmp_path / "golden")
    read_database = read_database.rename(tmp_path / READ_DATABASE_FILE)
    _, migrated = await migrate_folder(path, read_database)
    assert (migrated.after, int(migrated.before)) == (str(READ_FORMAT), int(golden.parent.name.removeprefix("read_")))
    assert dump(read_database) == dump(await project(tmp_path, "again.sqlite"))


@pytest.mark.parametrize("number", range(OLDEST["state"], STATE_FORMAT + 1))
def test_a_state_of_every_format_is_restored(tmp_path: Path, number: int) -> None:
    states = [found for name in JOURNALS for found in sealed_states(unpack(name, tmp_path / name.replace("/", "_")))]
    for seq, sealed in (found for found in states if _format_of(found[1]) == number):
        assert Engine.from_state(from_bytes(sealed)).last_seq == seq - 1
        return
    raise AssertionError(f"no golden journal holds a state of format {number}")
