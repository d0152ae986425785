"""The tables of a PostgreSQL database from revision to revision, with data, on a real server."""

from __future__ import annotations

import asyncio
import shutil
import tomllib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from setuptools import find_packages
from sqlalchemy import Connection
from sqlalchemy.util import await_only

from load_tests.servers.postgres import PostgresServer
from services.journal import JournalBusy, JournalRefused, JournalUnclaimed
from services.journal.errors import JournalAddressInvalid
from services.journal.postgres.journal import PostgresJournal
from services.journal.postgres.tables import create as create_journal
from services.journal.postgres.tables import initialise
from services.migrations import postgres
from services.migrations import transaction as transactions
from services.migrations.histories import BASE, JOURNAL, READ_DATABASE, History
from services.migrations.outcome import Migrated, MigrationRefused
from services.migrations.postgres import downgrade, upgrade
from services.read_database.postgres.database import make_tables
from tests.integration.postgres_journal import until
from tests.patience import PATIENCE_S

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

NEWEST = READ_DATABASE.revisions[-1]
NEWEST_JOURNAL = JOURNAL.revisions[-1]
FUTURE = f"{int(NEWEST) + 1:04d}"
UP = [Migrated("journal", BASE, NEWEST_JOURNAL), Migrated("read database", BASE, NEWEST)]
NOTHING = [Migrated("journal", NEWEST_JOURNAL, NEWEST_JOURNAL), Migrated("read database", NEWEST, NEWEST)]
TABLES = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public' AND tablename NOT LIKE 'alembic%'"
LEADER = "INSERT INTO journal_writer VALUES (1, 2, 'j', 1, 0, 0, 'h', 0, $1, 1)"
COLUMNS = (7, 1, 2, "venue", "net_traded", 2026, 0, 5, 0, "a target", "", 0)
TARGET = f"INSERT INTO targets VALUES {COLUMNS}"
NEXT = '''
"""A revision of the future."""
from alembic import op
revision = {revision!r}
down_revision = {before!r}
def upgrade():
    op.execute("ALTER TABLE targets ADD COLUMN note varchar NOT NULL DEFAULT 'none yet'")
    op.execute({then!r})
def downgrade():
    op.execute("ALTER TABLE targets DROP COLUMN note")
'''


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


def with_next_revision(folder: Path, then: str = "SELECT 1") -> History:
    versions = folder / "read 50%"  # a path may hold what an ini file would take for its own
    shutil.copytree(READ_DATABASE.folder, versions, ignore=shutil.ignore_patterns("__pycache__"))
    (versions / f"r{FUTURE}_next.py").write_text(NEXT.format(then=then, revision=FUTURE, before=NEWEST))
    return READ_DATABASE._replace(folder=versions)


def without_revisions_after(newest: str, folder: Path) -> History:
    """The read database's history as it was when this revision was the newest."""
    versions = folder / "until"
    shutil.copytree(READ_DATABASE.folder, versions, ignore=shutil.ignore_patterns("__pycache__"))
    for later in versions.glob("r*.py"):
        if later.name[1:5] > newest:
            later.unlink()
    return READ_DATABASE._replace(folder=versions)


def test_the_wheel_takes_every_folder_of_revisions() -> None:
    with (Path(__file__).parents[2] / "pyproject.toml").open("rb") as file:
        taken = tomllib.load(file)["tool"]["setuptools"]["packages"]["find"]["include"]
    packages = set(find_packages(str(Path(__file__).parents[2]), include=taken))
    assert packages >= {f"services.migrations.{history.folder.name}" for history in (JOURNAL, READ_DATABASE)}


async def test_an_empty_database_comes_to_the_newest_revisions_and_stays_there(postgres_url: str) -> None:
    assert await upgrade(postgres_url, check=True) == UP
    async with connected(postgres_url) as connection:
        assert await connection.fetchval(TABLES) == 0
    assert await upgrade(postgres_url) == UP
    assert await upgrade(postgres_url) == NOTHING
    assert await upgrade(postgres_url, check=True) == NOTHING


async def test_two_at_once_migrate_once(postgres_url: str) -> None:
    assert sorted(await asyncio.gather(upgrade(postgres_url), upgrade(postgres_url))) == sorted([UP, NOTHING])


async def test_the_read_database_goes_down_and_up_again_and_the_journal_stays(postgres_url: str) -> None:
    await upgrade(postgres_url)
    async with connected(postgres_url) as connection:
        await connection.execute(TARGET)
        await connection.execute("INSERT INTO journal VALUES (1, 7, 1, 'a batch')")
        assert await downgrade(postgres_url, READ_DATABASE, BASE) == [Migrated("read database", NEWEST, BASE)]
        assert await connection.fetchval(TABLES) == 3
        assert await upgrade(postgres_url) == [NOTHING[0], UP[1]]
        assert await connection.fetchval("SELECT count(*) FROM targets") == 0
        assert await connection.fetchval("SELECT data FROM journal") == b"a batch"


async def test_the_snapshots_go_and_come_and_the_journal_stays(postgres_url: str) -> None:
    """Revision 0002: an older REX knows its tables by their format."""
    await upgrade(postgres_url)
    async with connected(postgres_url) as connection:
        await initialise(connection)
        await connection.execute("INSERT INTO journal VALUES (1, 7, 1, 'a batch')")
        await connection.execute("INSERT INTO snapshots VALUES (7, 'a hash', 0, 'a part')")
        assert await downgrade(postgres_url, JOURNAL, "0001") == [Migrated("journal", "0002", "0001")]
        assert await connection.fetchval("SELECT format FROM journal_writer") == 1
        with pytest.raises(JournalRefused, match=r"have format 1; this version reads 2: run `rex migrate`"):
            await PostgresJournal.open(postgres_url)
        assert (await upgrade(postgres_url))[0] == Migrated("journal", "0001", "0002")
        assert await connection.fetchval("SELECT count(*) FROM snapshots") == 0
        assert await connection.fetchval("SELECT data FROM journal") == b"a batch"


async def test_a_journal_with_commands_is_never_dropped(postgres_url: str) -> None:
    await upgrade(postgres_url)
    async with connected(postgres_url) as connection:
        await connection.execute("INSERT INTO journal VALUES (1, 7000, 1, 'a batch')")
        with pytest.raises(MigrationRefused, match=r"the journal holds 7,000 commands"):
            await downgrade(postgres_url, JOURNAL, BASE)
        assert await connection.fetchval("SELECT data FROM journal") == b"a batch"
        await connection.execute("DELETE FROM journal")
    assert await downgrade(postgres_url, JOURNAL, BASE) == [Migrated("journal", NEWEST_JOURNAL, BASE)]


async def test_the_next_revision_keeps_the_data_up_and_down(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await upgrade(postgres_url)
    history = with_next_revision(tmp_path)
    async with connected(postgres_url) as connection:
        await connection.execute(TARGET)
        with monkeypatch.context() as patched:
            patched.setattr(postgres, "HISTORIES", (JOURNAL, history))
            assert await upgrade(postgres_url) == [NOTHING[0], Migrated("read database", NEWEST, FUTURE)]
        assert tuple(await connection.fetchrow("SELECT * FROM targets")) == (*COLUMNS, "none yet")
        with pytest.raises(
            MigrationRefused, match=rf"read database is of revision {FUTURE}, which this REX does not know"
        ):
            await upgrade(postgres_url)
        with pytest.raises(MigrationRefused, match="use the newer REX"):
            await upgrade(postgres_url, check=True)
        assert await downgrade(postgres_url, history, NEWEST) == [Migrated("read database", FUTURE, NEWEST)]
        assert tuple(await connection.fetchrow("SELECT * FROM targets")) == COLUMNS
        assert await upgrade(postgres_url, check=True) == NOTHING


async def test_decisions_empty_the_read_database_up_and_down(postgres_url: str) -> None:
    """Who set a target, and when, is in the journal only: the projector fills the tables again."""
    await upgrade(postgres_url)
    position = "INSERT INTO position VALUES (1, 5, 6, 20230103, '\\x00', '\\x00', 0)"
    async with connected(postgres_url) as connection:
        for revision, columns in (("0001", 4), (NEWEST, 12)):
            await connection.execute(position)
            await connection.execute(TARGET if revision == "0001" else "INSERT INTO targets VALUES (2026, 5, 'a', 7)")
            if revision == "0001":
                await downgrade(postgres_url, READ_DATABASE, revision)
            else:
                await upgrade(postgres_url)
            assert await connection.fetchval("SELECT count(*) FROM position") == 0
            assert await connection.fetchval("SELECT count(*) FROM targets") == 0
            of_targets = "SELECT count(*) FROM information_schema.columns WHERE table_name = 'targets'"
            assert await connection.fetchval(of_targets) == columns


async def test_daily_sums_empty_the_read_database_up_and_down(postgres_url: str) -> None:
    """Revision 0004: when a day began, and what was released, is in the journal only."""
    await upgrade(postgres_url)
    async with connected(postgres_url) as connection:
        for go in (downgrade(postgres_url, READ_DATABASE, "0003"), upgrade(postgres_url)):
            await connection.execute("INSERT INTO position VALUES (1, 5, 6, 20230103, '\\x00', '\\x00', 0)")
            await connection.execute("INSERT INTO holdings VALUES (2, 0, 5, 0)")
            await go
            for name in ("position", "holdings"):
                assert await connection.fetchval(f"SELECT count(*) FROM {name}") == 0
        names = await connection.fetch("SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'")
    assert {name for (name,) in names} >= {"trading_days", "daily_members", "daily_phases", "goods_movements"}


async def test_alerts_begin_empty_and_going_back_empties_the_read_database(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Revision 0005: no older journal has alerts, so what is there stays; one that has some is read from its beginning."""
    await upgrade(postgres_url)
    await downgrade(postgres_url, READ_DATABASE, "0004")
    monkeypatch.setattr(postgres, "HISTORIES", (JOURNAL, without_revisions_after("0005", tmp_path)))
    async with connected(postgres_url) as connection:
        await connection.execute("INSERT INTO position VALUES (1, 5, 6, 20230103, '\\x00', '\\x00', 0)")
        await upgrade(postgres_url)
        assert await connection.fetchval("SELECT seq FROM position") == 5
        for name in ("alerts", "day_closings"):
            assert await connection.fetchval(f"SELECT count(*) FROM {name}") == 0
        await downgrade(postgres_url, READ_DATABASE, "0004")
        assert await connection.fetchval("SELECT count(*) FROM position") == 0


async def test_records_begin_empty_and_going_back_empties_the_read_database(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Revision 0006: a position that stayed behind would be past the records of a later way up."""
    await upgrade(postgres_url)
    await downgrade(postgres_url, READ_DATABASE, "0005")
    monkeypatch.setattr(postgres, "HISTORIES", (JOURNAL, without_revisions_after("0006", tmp_path)))
    async with connected(postgres_url) as connection:
        await connection.execute("INSERT INTO position VALUES (1, 5, 6, 20230103, '\\x00', '\\x00', 0)")
        await upgrade(postgres_url)
        assert await connection.fetchval("SELECT seq FROM position") == 5
        await connection.execute("INSERT INTO records VALUES (4, 5, 6, 'measure_imposed', '{}')")
        await downgrade(postgres_url, READ_DATABASE, "0005")
        assert await connection.fetchval("SELECT count(*) FROM position") == 0
        await upgrade(postgres_url)
        for name in ("position", "records"):
            assert await connection.fetchval(f"SELECT count(*) FROM {name}") == 0


async def test_keys_empty_the_read_database_up_and_down(postgres_url: str) -> None:
    """Revision 0007: who issued a key, and when, is in the journal only."""
    await upgrade(postgres_url)
    issued = "INSERT INTO api_keys VALUES (3, '\\x00', 2, 'desk', 'read'"
    async with connected(postgres_url) as connection:
        await connection.execute(f"{issued}, NULL, 5, 1, 0, '', '')")
        await downgrade(postgres_url, READ_DATABASE, "0006")
        assert await connection.fetchval("SELECT count(*) FROM api_keys") == 0
        await connection.execute(f"{issued}, NULL)")
        await connection.execute("INSERT INTO position VALUES (1, 5, 6, 20230103, '\\x00', '\\x00', 0)")
        await upgrade(postgres_url)
        for name in ("position", "api_keys"):
            assert await connection.fetchval(f"SELECT count(*) FROM {name}") == 0


async def test_the_past_empties_the_read_database_up_and_down(postgres_url: str) -> None:
    """Revision 0008: what an order reserved, and what was paid in, is in the journal only."""
    await upgrade(postgres_url)
    async with connected(postgres_url) as connection:
        for go in (downgrade(postgres_url, READ_DATABASE, "0007"), upgrade(postgres_url)):
            await connection.execute("INSERT INTO position VALUES (1, 5, 6, 20230103, '\\x00', '\\x00', 0)")
            await connection.execute("INSERT INTO records VALUES (4, 5, 6, 'measure_imposed', '{}')")
            await go
            for name in ("position", "records"):
                assert await connection.fetchval(f"SELECT count(*) FROM {name}") == 0
        names = await connection.fetch("SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'")
    assert {name for (name,) in names} >= {"candles", "cash_movements", "reserve_changes"}


async def test_proposals_begin_empty_and_going_back_empties_the_read_database(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Revision 0009: a position that stayed behind would be past the proposals of a later way up."""
    await upgrade(postgres_url)
    await downgrade(postgres_url, READ_DATABASE, "0008")
    monkeypatch.setattr(postgres, "HISTORIES", (JOURNAL, without_revisions_after("0009", tmp_path)))
    proposed = "INSERT INTO proposals VALUES (4, 5, 6, 'resume', 'operate', 'POST', '/v1/admin/resume', NULL, '')"
    async with connected(postgres_url) as connection:
        await connection.execute("INSERT INTO position VALUES (1, 5, 6, 20230103, '\\x00', '\\x00', 0)")
        await upgrade(postgres_url)
        assert await connection.fetchval("SELECT seq FROM position") == 5
        await connection.execute(proposed)
        await downgrade(postgres_url, READ_DATABASE, "0008")
        assert await connection.fetchval("SELECT count(*) FROM position") == 0
        await upgrade(postgres_url)
        for name in ("position", "proposals"):
            assert await connection.fetchval(f"SELECT count(*) FROM {name}") == 0


async def test_days_and_instruments_of_before_get_the_source_of_their_price(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Revision 0003: what had trades was settled at its average price, the others at the previous one. Trades that a decision
    excluded have settled their day, too. The day that has not ended, and an instrument that no day has settled, have no
    source."""
    await upgrade(postgres_url)
    await downgrade(postgres_url, READ_DATABASE, "0002")
    day = "INSERT INTO daily_turnover VALUES ($1, $2, 1, $3, 5, 0, 0, 0, 0, 0, 5, 1, $4, 0, $5, 0)"
    listed = (
        "INSERT INTO instruments"
        " VALUES ($1, $2, '', '', '', '', 'kg', 1, '1', 1, 0, 1, 1, 1, 'assumed', '', '', 0, 0, 0, 0, 0)"
    )
    async with connected(postgres_url) as connection:
        for instrument, symbol in enumerate(("Nd", "Dy", "Tb")):
            await connection.execute(listed, instrument, symbol)
        for row in (
            (20240102, 0, 3, 100, 0),
            (20240103, 0, 0, 100, 0),
            (20240102, 1, 0, 70, 9),
            (20240104, 1, 2, None, 0),
        ):
            await connection.execute(day, *row)
        monkeypatch.setattr(postgres, "HISTORIES", (JOURNAL, without_revisions_after("0003", tmp_path)))
        assert await upgrade(postgres_url) == [NOTHING[0], Migrated("read database", "0002", "0003")]
        days = await connection.fetch("SELECT settlement_source FROM daily_turnover ORDER BY instrument, trading_date")
        assert [source for (source,) in days] == [1, 4, 1, None]
        instruments = await connection.fetch("SELECT settlement_source FROM instruments ORDER BY instrument")
        assert [source for (source,) in instruments] == [4, 1, None]


async def test_instruments_of_before_keep_their_texts_and_going_back_empties_the_read_database(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Revision 0010: a position that stayed behind would be past the names of a later way up."""
    await upgrade(postgres_url)
    await downgrade(postgres_url, READ_DATABASE, "0009")
    monkeypatch.setattr(postgres, "HISTORIES", (JOURNAL, without_revisions_after("0010", tmp_path)))
    listed = (
        "INSERT INTO instruments VALUES"
        " (3, 'Nd', 'neodymium', '钕', '', '', 'kg', 1, '1', 1, 0, 1, 1, 1, 'assumed', 'oxide', 'new', 0, 0, 0, 0, 0, NULL, 7)"
    )
    async with connected(postgres_url) as connection:
        await connection.execute("INSERT INTO position VALUES (1, 9, 6, 20230103, '\\x00', '\\x00', 0)")
        await connection.execute(listed)
        assert await upgrade(postgres_url) == [NOTHING[0], Migrated("read database", "0009", "0010")]
        (texts,) = await connection.fetch("SELECT * FROM instrument_texts")
        assert tuple(texts) == (3, 7, "neodymium", "钕", "oxide", "new")
        await downgrade(postgres_url, READ_DATABASE, "0009")
        for name in ("position", "instruments"):
            assert await connection.fetchval(f"SELECT count(*) FROM {name}") == 0


async def test_proofs_begin_empty_and_going_back_empties_the_read_database(postgres_url: str) -> None:
    """Revision 0011: a position that stayed behind would be past the proofs of a later way up."""
    await upgrade(postgres_url)
    await downgrade(postgres_url, READ_DATABASE, "0010")
    async with connected(postgres_url) as connection:
        await connection.execute("INSERT INTO position VALUES (1, 5, 6, 20230103, '\\x00', '\\x00', 0)")
        assert await upgrade(postgres_url) == [NOTHING[0], Migrated("read database", "0010", "0011")]
        assert await connection.fetchval("SELECT seq FROM position") == 5
        await connection.execute("INSERT INTO proofs VALUES (4, 5, 2023, 3)")
        await downgrade(postgres_url, READ_DATABASE, "0010")
        assert await connection.fetchval("SELECT count(*) FROM position") == 0


async def test_a_migration_that_fails_changes_nothing(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await upgrade(postgres_url)
    failing = with_next_revision(tmp_path, then="SELECT nothing")
    monkeypatch.setattr(postgres, "HISTORIES", (JOURNAL, failing))
    refusal = r'refuses: column "nothing" does not exist. Nothing was changed'
    with pytest.raises(MigrationRefused, match=refusal):
        await upgrade(postgres_url)
    monkeypatch.undo()
    assert await upgrade(postgres_url, check=True) == NOTHING
    async with connected(postgres_url) as connection:
        assert await connection.fetch("SELECT * FROM targets") == []  # without the new column
        await connection.execute(TARGET)


async def test_a_living_leader_forbids_steps_and_a_silent_or_stopped_one_does_not(postgres_url: str) -> None:
    async def beat() -> None:
        while True:
            await leader.execute("UPDATE journal_writer SET beat = beat + 1")
            await asyncio.sleep(0.05)

    await upgrade(postgres_url)
    async with connected(postgres_url) as leader:
        await leader.execute(LEADER, "ws://127.0.0.1:9000")
        beating = asyncio.create_task(beat())
        try:
            with pytest.raises(JournalBusy, match=r"a sequencer leads \(ws://127.0.0.1:9000\): stop all sequencers"):
                await downgrade(postgres_url, READ_DATABASE, BASE)
            assert await upgrade(postgres_url) == NOTHING  # no step, so nobody is disturbed
        finally:
            beating.cancel()
            await asyncio.wait([beating])
        assert await downgrade(postgres_url, READ_DATABASE, BASE)  # silent: it was killed
    async with connected(postgres_url) as stopped:
        await stopped.execute("UPDATE journal_writer SET url = ''")
    assert await upgrade(postgres_url) == [NOTHING[0], UP[1]]


@pytest.mark.parametrize(
    ("history", "revision", "refusal"),
    [
        (
            READ_DATABASE,
            "0000",
            f"the read database has no revision 0000; its revisions are {', '.join(READ_DATABASE.revisions)}",
        ),
        (READ_DATABASE, "0001", "the read database is of revision base, which is older than 0001"),
        (JOURNAL, "nowhere", "the journal has no revision nowhere; its revisions are base, 0001, 0002"),
    ],
)
async def test_down_is_to_an_older_revision_that_exists(
    postgres_url: str, history: History, revision: str, refusal: str
) -> None:
    with pytest.raises(MigrationRefused, match=refusal):
        await downgrade(postgres_url, history, revision)


async def test_tables_of_somebody_else_are_left_alone(postgres_url: str) -> None:
    async with connected(postgres_url) as connection:
        await connection.execute("CREATE TABLE orders (theirs integer)")
        with pytest.raises(MigrationRefused, match='relation "orders" already exists'):
            await upgrade(postgres_url)
        assert await connection.fetchval(TABLES) == 1


WRONG: dict[str, tuple[Callable[[str], str], str]] = {
    "another kind": (
        lambda url: url.replace("postgresql", "mysql"),
        "is not the address of a PostgreSQL database: write",
    ),
    "no port": (
        lambda url: url.replace("127.0.0.1:", "127.0.0.1:x"),
        "is not the address of a PostgreSQL database: write",
    ),
    "no server": (
        lambda url: url.replace("127.0.0.1", "127.0.0.2"),
        r"PostgreSQL at 127\.0\.0\.2:\d+.* cannot be reached",
    ),
    "no database": (lambda url: url + "x", "has no such database: create it, then run `rex migrate`"),
    "wrong password": (lambda url: url.replace("postgres:", "postgres:x"), "refuses the user or the password"),
}


@pytest.mark.parametrize("case", WRONG)
async def test_a_wrong_url_is_a_sentence_that_names_the_setting_and_no_password(postgres_url: str, case: str) -> None:
    change, sentence = WRONG[case]
    with pytest.raises((MigrationRefused, JournalAddressInvalid), match=sentence) as refused:
        await upgrade(change(postgres_url))
    assert isinstance(refused.value, JournalAddressInvalid) == ("is not the address" in sentence)
    assert "REX_DATABASE_URL" in str(refused.value)
    assert postgres_url.split(":")[2].split("@")[0] not in str(refused.value)


async def test_a_claim_waits_for_a_migration_instead_of_ending_it(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await upgrade(postgres_url)
    async with connected(postgres_url) as connection:
        await initialise(connection)
    standby = await PostgresJournal.open(postgres_url)
    row, claims, go_to = await standby.look(), list[str](), History.go_to

    def long(history: History, connection: Connection, revision: str) -> None:
        with pytest.raises(JournalUnclaimed, match="another session locks the writer row"):
            await_only(standby.claim(row, "ws://standby"))  # every attempt, while the steps are under way
        claims.append(revision)
        go_to(history, connection, revision)

    monkeypatch.setattr(History, "go_to", long)
    async with asyncio.timeout(PATIENCE_S):
        assert await downgrade(postgres_url, READ_DATABASE, BASE) == [
            Migrated("read database", READ_DATABASE.revisions[-1], BASE)
        ]
    assert claims == [BASE]
    assert await standby.claim(row, "ws://standby") is not None
    await standby.close()


async def test_a_migration_whose_process_has_stopped_ends_and_a_claim_succeeds(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await upgrade(postgres_url)
    async with connected(postgres_url) as connection:
        await initialise(connection)
    standby = await PostgresJournal.open(postgres_url)
    row, go_to = await standby.look(), History.go_to

    def stopped(history: History, connection: Connection, revision: str) -> None:
        await_only(until(lambda: standby.claim(row, "ws://standby")))
        go_to(history, connection, revision)

    monkeypatch.setattr(History, "go_to", stopped)
    monkeypatch.setattr(transactions, "IDLE_S", 1)
    with pytest.raises(MigrationRefused, match="Nothing was changed"):
        await downgrade(postgres_url, READ_DATABASE, BASE)
    assert (await standby.look()).url == "ws://standby"
    await standby.close()


@pytest.mark.parametrize("setting", ["fsync", "full_page_writes"])
async def test_a_server_that_would_lose_commands_is_refused(setting: str) -> None:
    with PostgresServer(None, **{setting: "off"}) as server:
        url = server.create_database("venue")
        with pytest.raises(MigrationRefused, match=f"has {setting} = off: it would lose acknowledged commands"):
            await upgrade(url)
        async with connected(url) as connection:
            assert await connection.fetchval(TABLES) == 0


async def test_a_database_that_cannot_hold_chinese_names_is_refused(shared_postgres: PostgresServer) -> None:
    shared_postgres.query("CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0")
    try:
        with pytest.raises(MigrationRefused, match="has the encoding LATIN1, which has no Chinese: create"):
            await upgrade(shared_postgres.url("latin"))
    finally:
        shared_postgres.drop_database("latin")


SCHEMA = {
    "columns": """
        SELECT relname, attname, format_type(atttypid, atttypmod), attnotnull, attstorage, attidentity, atthasdef,
            -- The projector writes whole rows of orders; of every other table it names the columns.
            CASE relname WHEN 'orders' THEN row_number() OVER (PARTITION BY relname ORDER BY attnum) END
        FROM pg_attribute JOIN pg_class ON attrelid = pg_class.oid
        WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND attnum > 0 AND NOT attisdropped
        ORDER BY relname, attnum""",
    "tables": "SELECT relname, reloptions FROM pg_class WHERE relkind IN ('r', 'S') AND relnamespace = 'public'::regnamespace",
    "indexes": "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
    "constraints": """
        SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
        WHERE connamespace = 'public'::regnamespace""",
    "format": "SELECT 'read_format', format FROM read_format",
}


async def schema_of(url: str) -> dict[str, list[tuple[Any, ...]]]:
    """All that PostgreSQL knows of the tables, without alembic's own."""
    async with connected(url) as connection:
        return {
            what: sorted(
                (tuple(row) for row in await connection.fetch(sql) if not row[0].startswith("alembic")), key=str
            )
            for what, sql in SCHEMA.items()
        }


async def test_the_revisions_make_the_tables_that_the_services_declare(
    postgres_url: str, shared_postgres: PostgresServer
) -> None:
    await upgrade(postgres_url)
    declared_url = shared_postgres.create_database("declared")
    try:
        await create_journal(declared_url)
        await make_tables(declared_url)
        migrated, declared = await schema_of(postgres_url), await schema_of(declared_url)
    finally:
        shared_postgres.drop_database("declared")
    assert migrated == declared
    assert [column[:2] for column in migrated["columns"] if column[4] == b"e" and column[2] == "bytea"] == [
        ("journal", "data"),
        ("snapshots", "data"),
    ]
    assert len(migrated["tables"]) > 10
