"""`rex migrate` and the read database in PostgreSQL: one of another REX is made anew, and one that is evidence stays."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from load_tests.servers.postgres import PostgresServer
from matching_engine import Engine
from services.journal import JournalCorrupt, JournalLost
from services.journal.postgres.journal import PostgresJournal
from services.journal.postgres.tables import initialise
from services.migrations.outcome import Migrated, MigrationRefused
from services.migrations.postgres import migrate_database
from services.read_model.errors import ReadDatabaseForeign
from services.read_model.postgres.tables import MARK
from services.read_model.projector import catch_up
from services.read_model.tables import READ_FORMAT
from tests.integration.postgres_journal import execute, lead
from tests.integration.read_databases import ReadDatabase
from tests.integration.test_reporting_folder import deals
from tests.unit.read_model.history import History, opening

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

OLDER = f"UPDATE read_format SET format = {READ_FORMAT - 1}"
NEWER = f"UPDATE read_format SET format = {READ_FORMAT + 1}"
EMPTY = "SELECT NOT EXISTS (SELECT FROM position) AND NOT EXISTS (SELECT FROM trades)"
TABLES = "SELECT schemaname || '.' || tablename FROM pg_tables WHERE schemaname IN ('public', 'theirs') ORDER BY 1"


@pytest.fixture(scope="module")
async def made(
    shared_postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory, anyio_backend: str
) -> AsyncIterator[str]:
    """A journal in PostgreSQL with three trades, completely projected; nobody writes it."""
    name = "rex_read_tables"
    url = shared_postgres.create_database(name)
    await migrate_database(url)
    connection = await asyncpg.connect(url)
    await initialise(connection)
    await connection.close()
    journal = await lead(url, "")
    history = History(Engine(), journal.journal_id, journal.epoch)
    for batch in (opening(), deals(3)):
        await journal.append(history.batch(batch))
    await project(ReadDatabase(tmp_path_factory.mktemp("made"), url))
    await journal.close()
    yield name
    shared_postgres.drop_database(name)


@pytest.fixture
def venue(made: str, shared_postgres: PostgresServer, tmp_path: Path) -> Iterator[ReadDatabase]:
    """A copy of it for one test."""
    name = f"rex_{uuid4().hex}"
    yield ReadDatabase(tmp_path, shared_postgres.create_database(name, made))
    shared_postgres.drop_database(name)


def url_of(venue: ReadDatabase) -> str:
    assert venue.url is not None
    return venue.url


async def project(venue: ReadDatabase) -> None:
    """Brings the read database to the journal's end."""
    journal = await PostgresJournal.open(url_of(venue))
    try:
        await catch_up(venue.writer(), journal)
    finally:
        await journal.close()


async def value(venue: ReadDatabase, sql: str) -> object:
    """What one statement finds: a column."""
    return [found for (found,) in await execute(url_of(venue), sql)]


async def stands_at(venue: ReadDatabase) -> str:
    ((seq, row_hash),) = await execute(url_of(venue), "SELECT seq, row_hash FROM position")
    return f"{seq}:{row_hash.hex()}"


def made_anew(before: int, stood_at: str) -> Migrated:
    return Migrated("read database", str(before), str(READ_FORMAT), stood_at)


async def test_an_older_one_is_made_anew_and_filled_from_the_journal(venue: ReadDatabase) -> None:
    before, tables, stood_at = await venue.dump(), await value(venue, TABLES), await stands_at(venue)
    for sql in (
        OLDER,
        "ALTER TABLE trades RENAME TO fills",
        "ALTER TABLE position ADD COLUMN note varchar",
        'CREATE TABLE "of that REX only" (id int)',
        f"COMMENT ON TABLE \"of that REX only\" IS '{MARK}'",
    ):
        await venue.execute(sql)
    done = made_anew(READ_FORMAT - 1, stood_at)
    assert (await migrate_database(url_of(venue), check=True))[1] == done
    assert await value(venue, "SELECT count(*) FROM fills") == [3]
    assert (await migrate_database(url_of(venue)))[1] == done
    assert await value(venue, EMPTY) == [True]
    assert await value(venue, TABLES) == tables
    await project(venue)
    assert await venue.dump() == before
    assert not any(one.changed for one in await migrate_database(url_of(venue)))


async def test_journal_snapshots_and_tables_of_others_stay(venue: ReadDatabase) -> None:
    for sql in (
        OLDER,
        "INSERT INTO snapshots VALUES (7, 'a hash', 0, 'a part')",
        "CREATE TABLE rare_earths (theirs int)",
        "COMMENT ON TABLE rare_earths IS 'read by REX'",
        "CREATE SCHEMA theirs",
        "CREATE TABLE theirs.position (of_another_venue int)",
        f"COMMENT ON TABLE theirs.position IS '{MARK}'",
    ):
        await venue.execute(sql)
    kept = [await value(venue, sql) for sql in (TABLES, "SELECT data FROM journal", "SELECT data FROM snapshots")]
    await migrate_database(url_of(venue))
    assert [
        await value(venue, sql) for sql in (TABLES, "SELECT data FROM journal", "SELECT data FROM snapshots")
    ] == kept


@pytest.mark.parametrize(
    ("theirs", "refusal"),
    [
        (["ALTER TABLE targets RENAME TO goals", "CREATE TABLE targets (theirs int)"], '"targets" already exists'),
        (["CREATE VIEW net AS SELECT amount_fen FROM trades"], "cannot drop .* because other objects depend on them"),
        ([f"COMMENT ON TABLE {name} IS NULL" for name in ("trades", "fees")], '"(trades|fees)" already exists'),
    ],
    ids=["table", "view", "no mark"],
)
async def test_what_may_be_of_others_ends_the_migration(venue: ReadDatabase, theirs: list[str], refusal: str) -> None:
    for sql in [OLDER, *theirs]:
        await venue.execute(sql)
    before = await value(venue, TABLES)
    with pytest.raises(MigrationRefused, match=rf"refuses: .*{refusal}.* Nothing was changed"):
        await migrate_database(url_of(venue))
    assert (await value(venue, TABLES), await value(venue, EMPTY)) == (before, [False])


async def test_a_newer_one_is_refused_unless_it_is_to_be_emptied(venue: ReadDatabase) -> None:
    """An older REX makes its own tables so."""
    await venue.execute(NEWER)
    refusal = (
        rf"read database in PostgreSQL.* has format {READ_FORMAT + 1}, and this REX reads format {READ_FORMAT}: use"
    )
    for check in (False, True):
        with pytest.raises(MigrationRefused, match=refusal):
            await migrate_database(url_of(venue), check=check)
    assert await value(venue, EMPTY) == [False]
    before, stood_at = await trades_of(venue), await stands_at(venue)
    done = made_anew(READ_FORMAT + 1, stood_at)
    assert (await migrate_database(url_of(venue), empty_read_database=True))[1] == done
    await project(venue)
    assert await trades_of(venue) == before


async def trades_of(venue: ReadDatabase) -> object:
    return await execute(url_of(venue), "SELECT * FROM trades ORDER BY trade_id")


LAST_ROW = "(SELECT max(last_seq) FROM journal)"
EVIDENCE: dict[str, tuple[str, type[Exception], str]] = {
    "ahead": (f"DELETE FROM journal WHERE last_seq = {LAST_ROW}", JournalLost, "read database .* knows commands up to"),
    "no journal": (
        "DELETE FROM journal",
        JournalLost,
        "no command in the journal, and the read database in PostgreSQL",
    ),
    "another row": (
        "UPDATE position SET row_hash = decode(repeat('00', 32), 'hex')",
        JournalCorrupt,
        "knows a row that",
    ),
    "within a row": ("UPDATE position SET seq = seq - 1", JournalCorrupt, "the journal's row goes on to seq"),
    "another journal": ("UPDATE position SET journal_id = 'another'", ReadDatabaseForeign, "made from another journal"),
    "unreadable": (
        "ALTER TABLE position RENAME TO stand",
        MigrationRefused,
        r'its position cannot be read \(relation "position" does not exist\)',
    ),
}


@pytest.mark.parametrize("case", EVIDENCE)
async def test_evidence_is_dropped_only_on_demand(venue: ReadDatabase, case: str) -> None:
    sql, error, sentence = EVIDENCE[case]
    await venue.execute(OLDER)
    await venue.execute(sql)
    with pytest.raises(error, match=sentence):
        await migrate_database(url_of(venue))
    assert await value(venue, "SELECT count(*) FROM trades") == [3]
    stood_at = "unknown" if case == "unreadable" else await stands_at(venue)
    done = made_anew(READ_FORMAT - 1, stood_at)
    assert (await migrate_database(url_of(venue), empty_read_database=True))[1] == done
    assert await value(venue, EMPTY) == [True]
