"""`rex migrate` on a real PostgreSQL server: the history of the journal's tables, and what holds for every migration."""

from __future__ import annotations

import asyncio
import shutil
import tomllib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from setuptools import find_packages
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.util import await_only

from load_tests.servers.postgres import PostgresServer
from services.journal import JournalBusy, JournalUnclaimed
from services.journal.postgres.journal import PostgresJournal
from services.journal.postgres.tables import create as create_journal
from services.journal.postgres.tables import initialise
from services.migrations import postgres as migrations
from services.migrations.outcome import NONE, Migrated, MigrationRefused
from services.migrations.postgres import BASE, migrate_database
from services.read_model.postgres import tables
from services.read_model.tables import READ_FORMAT
from tests.integration.postgres_journal import until
from tests.patience import PATIENCE_S

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

NEWEST = migrations.revisions()[-1]
FUTURE = f"{int(NEWEST) + 1:04d}"
FORMAT = str(READ_FORMAT)
UP = [Migrated("journal", BASE, NEWEST), Migrated("read database", NONE, FORMAT)]
NOTHING = [Migrated("journal", NEWEST, NEWEST), Migrated("read database", FORMAT, FORMAT)]
EMPTIED = [NOTHING[0], Migrated("read database", FORMAT, FORMAT, "0")]
TABLES = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public' AND tablename NOT LIKE 'alembic%'"
LEADER = "INSERT INTO journal_writer VALUES (1, 1, 'j', 1, 0, 0, 'h', 0, $1, 1)"
BATCH = "INSERT INTO journal VALUES (1, 7, 1, 'a batch')"
NEXT = '''
"""A revision of the future."""
from alembic import op
revision = {revision!r}
down_revision = {before!r}
def upgrade():
    op.execute("ALTER TABLE journal ADD COLUMN note varchar NOT NULL DEFAULT 'none yet'")
    op.execute({then!r})
'''


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


def add_revision(folder: Path, monkeypatch: pytest.MonkeyPatch, then: str = "SELECT 1") -> None:
    """The history of the journal's tables as it is when there is a next revision."""
    versions = folder / "journal 50%"  # a path may hold what an ini file would take for its own
    shutil.copytree(migrations.FOLDER, versions, ignore=shutil.ignore_patterns("__pycache__"))
    (versions / f"r{FUTURE}_next.py").write_text(NEXT.format(then=then, revision=FUTURE, before=NEWEST))
    monkeypatch.setattr(migrations, "FOLDER", versions)


def test_the_wheel_takes_the_folder_of_revisions() -> None:
    with (Path(__file__).parents[2] / "pyproject.toml").open("rb") as file:
        taken = tomllib.load(file)["tool"]["setuptools"]["packages"]["find"]["include"]
    packages = set(find_packages(str(Path(__file__).parents[2]), include=taken))
    assert f"services.migrations.{migrations.FOLDER.name}" in packages


async def test_an_empty_database_gets_the_tables_and_keeps_them(postgres_url: str) -> None:
    assert await migrate_database(postgres_url, check=True) == UP
    async with connected(postgres_url) as connection:
        assert await connection.fetchval(TABLES) == 0
    assert await migrate_database(postgres_url) == UP
    assert await migrate_database(postgres_url) == NOTHING
    assert await migrate_database(postgres_url, check=True) == NOTHING


async def test_two_at_once_migrate_once(postgres_url: str) -> None:
    assert sorted(await asyncio.gather(migrate_database(postgres_url), migrate_database(postgres_url))) == sorted(
        [UP, NOTHING]
    )


async def test_the_next_revision_keeps_the_journal(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await migrate_database(postgres_url)
    async with connected(postgres_url) as connection:
        await connection.execute(BATCH)
        with monkeypatch.context() as patched:
            add_revision(tmp_path, patched)
            assert await migrate_database(postgres_url) == [Migrated("journal", NEWEST, FUTURE), NOTHING[1]]
        assert tuple(await connection.fetchrow("SELECT * FROM journal")) == (1, 7, 1, b"a batch", "none yet")
    for options in ({}, {"check": True}, {"empty_read_database": True}):
        with pytest.raises(MigrationRefused, match=rf"revision {FUTURE}, which this REX does not know.* the newer REX"):
            await migrate_database(postgres_url, **options)


async def test_a_migration_that_fails_changes_nothing(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await migrate_database(postgres_url)
    async with connected(postgres_url) as connection:
        await connection.execute(BATCH)
        with monkeypatch.context() as patched:
            add_revision(tmp_path, patched, then="SELECT nothing")
            with pytest.raises(
                MigrationRefused, match=r'refuses: column "nothing" does not exist. Nothing was changed'
            ):
                await migrate_database(postgres_url)
        assert tuple(await connection.fetchrow("SELECT * FROM journal")) == (1, 7, 1, b"a batch")
    assert await migrate_database(postgres_url, check=True) == NOTHING


async def test_a_living_leader_forbids_steps_and_a_silent_or_stopped_one_does_not(postgres_url: str) -> None:
    async def beat() -> None:
        while True:
            await leader.execute("UPDATE journal_writer SET beat = beat + 1")
            await asyncio.sleep(0.05)

    await migrate_database(postgres_url)
    async with connected(postgres_url) as leader:
        await leader.execute(LEADER, "ws://127.0.0.1:9000")
        beating = asyncio.create_task(beat())
        try:
            with pytest.raises(JournalBusy, match=r"a sequencer leads \(ws://127.0.0.1:9000\): stop all sequencers"):
                await migrate_database(postgres_url, empty_read_database=True)
            assert await migrate_database(postgres_url) == NOTHING  # no step, so nobody is disturbed
        finally:
            beating.cancel()
            await asyncio.wait([beating])
        assert await migrate_database(postgres_url, empty_read_database=True) == EMPTIED  # silent: it was killed
    async with connected(postgres_url) as stopped:
        await stopped.execute("UPDATE journal_writer SET url = ''")
    assert await migrate_database(postgres_url, empty_read_database=True) == EMPTIED


async def test_a_claim_waits_for_a_migration_instead_of_ending_it(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await migrate_database(postgres_url)
    async with connected(postgres_url) as connection:
        await initialise(connection)
    standby = await PostgresJournal.open(postgres_url)
    row, claims, drop = await standby.look(), list[str](), tables.drop

    def long(connection: Connection) -> None:
        with pytest.raises(JournalUnclaimed, match="another session locks the writer row"):
            await_only(standby.claim(row, "ws://standby"))  # every attempt, while the steps are under way
        claims.append("refused")
        drop(connection)

    monkeypatch.setattr(tables, "drop", long)
    async with asyncio.timeout(PATIENCE_S):
        assert await migrate_database(postgres_url, empty_read_database=True) == EMPTIED
    assert claims == ["refused"]
    assert await standby.claim(row, "ws://standby") is not None
    await standby.close()


async def test_a_migration_whose_process_has_stopped_ends_and_a_claim_succeeds(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await migrate_database(postgres_url)
    async with connected(postgres_url) as connection:
        await initialise(connection)
    standby = await PostgresJournal.open(postgres_url)
    row, drop = await standby.look(), tables.drop

    def stopped(connection: Connection) -> None:
        await_only(until(lambda: standby.claim(row, "ws://standby")))
        drop(connection)

    monkeypatch.setattr(tables, "drop", stopped)
    monkeypatch.setattr(migrations, "IDLE_S", 1)
    with pytest.raises(MigrationRefused, match="Nothing was changed"):
        await migrate_database(postgres_url, empty_read_database=True)
    assert (await standby.look()).url == "ws://standby"
    await standby.close()


async def test_a_database_that_cannot_hold_chinese_names_is_refused(shared_postgres: PostgresServer) -> None:
    shared_postgres.query("CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0")
    try:
        with pytest.raises(MigrationRefused, match="has the encoding LATIN1, which has no Chinese: create"):
            await migrate_database(shared_postgres.url("latin"))
    finally:
        shared_postgres.drop_database("latin")


SCHEMA = {
    "columns": """
        SELECT relname, attname, format_type(atttypid, atttypmod), attnotnull, attstorage, attidentity, atthasdef
        FROM pg_attribute JOIN pg_class ON attrelid = pg_class.oid
        WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND attnum > 0 AND NOT attisdropped""",
    "tables": "SELECT relname, reloptions FROM pg_class WHERE relkind IN ('r', 'S') AND relnamespace = 'public'::regnamespace",
    "indexes": "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
    "constraints": """
        SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
        WHERE connamespace = 'public'::regnamespace""",
}


async def schema_of(url: str) -> dict[str, list[tuple[Any, ...]]]:
    """All that PostgreSQL knows of the journal's tables, without alembic's own."""
    async with connected(url) as connection:
        return {
            what: sorted(
                (tuple(row) for row in await connection.fetch(sql) if not row[0].startswith("alembic")), key=str
            )
            for what, sql in SCHEMA.items()
        }


async def test_the_revisions_make_the_tables_that_the_journal_declares(
    postgres_url: str, shared_postgres: PostgresServer
) -> None:
    engine = create_async_engine(postgres_url.replace("postgresql://", "postgresql+asyncpg://"))
    async with engine.begin() as steps:
        await steps.run_sync(migrations.upgrade)
    await engine.dispose()
    declared_url = shared_postgres.create_database("declared")
    try:
        await create_journal(declared_url)
        migrated, declared = await schema_of(postgres_url), await schema_of(declared_url)
    finally:
        shared_postgres.drop_database("declared")
    assert migrated == declared
    assert [column[:2] for column in migrated["columns"] if column[4] == b"e" and column[2] == "bytea"] == [
        ("journal", "data"),
        ("snapshots", "data"),
    ]
    assert len(migrated["tables"]) == 3
