"""A start trusts the journal, not the read database: differences are named and rebuilt, and a witness is kept as it is."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
import structlog

from matching_engine import Engine
from matching_engine.records import Side
from services.commands import administrative as admin
from services.commands.attachments import KeyIssued, KeyRevoked
from services.files.data_folder import JOURNAL_FILE, READ_DATABASE_FILE
from services.journal import JournalError, JournalLost
from services.journal.sqlite import SqliteJournal
from services.read_model.audit.differences import differences
from services.read_model.audit.rebuilt import Rebuilt
from services.read_model.database import SET_ASIDE, connect_writer
from services.read_model.errors import ReadDatabaseFailed, ReadDatabaseForeign
from services.read_model.opening import open_true
from services.read_model.read_witness import remembered
from services.read_model.tables import READ_FORMAT
from services.reporting.checked_report import report_at_rest
from services.sequencer.recovery import recover
from tests.integration.test_reporting_folder import deals, journal_of
from tests.unit.read_model.history import REFERENCE_TICKS, SENDER, History, opening, order

pytestmark = pytest.mark.anyio

VALUES = {
    "UPDATE accounts SET cash_fen = cash_fen + 5 WHERE account = 3": "account 3: cash_fen ",
    "UPDATE accounts SET kill_switch = 'yes' WHERE account = 4": "account 4: kill_switch yes in the read database",
    "UPDATE accounts SET name = 'somebody' WHERE account = 2": "account 2: name somebody in the read database, trader 2 in",
    "UPDATE holdings SET lots = lots + 1 WHERE account = 2 AND instrument = 0": "account 2, instrument 0: lots ",
    "UPDATE orders SET client_order_id = 'mine' WHERE leaves_lots > 0": "client_order_id mine in the read database, resting in",
    "UPDATE orders SET fees_fen = fees_fen + 1 WHERE order_id = 20": "orders, order_id 20: fees_fen 601 in",
    "UPDATE trades SET taker_account = 4 WHERE trade_id = 22020097": "taker_account 4 in the read database, 3 in the journal",
    "UPDATE daily_turnover SET amount_fen = amount_fen + 1": "instrument 0: amount_fen 6000001 in",
    "UPDATE daily_members SET fees_fen = 'none' WHERE sold": "trading_date 20230103, instrument 0, account 2: fees_fen none in",
    "UPDATE trading_days SET began_ns = began_ns + 1": "trading_days, trading_date 20230103: began_ns ",
    "UPDATE goods_movements SET lots = -lots WHERE account = 2": "lots -500 in the read database, 500 in the journal",
    "UPDATE instruments SET symbol = 'X' WHERE instrument = 0": "instrument 0: symbol X in the read database, ND-OX in the",
    "UPDATE levels SET orders = orders + 1": "levels, instrument 0, side 0, price_ticks 990: orders 2 in",
    "UPDATE api_keys SET revoked_seq = NULL": "revoked_seq None in the read database",
    "UPDATE targets SET amount = 1": "amount 1 in the read database, 2300000000000 in the journal",
    "UPDATE position SET kill_switch = 1": "position, id 1: kill_switch 1 in the read database, 0 in the journal",
}
"""One in each table, and what a start says of it."""

FORGED = {
    "; ".join(VALUES): [*VALUES.values()],
    "DELETE FROM orders WHERE leaves_lots = 0; UPDATE daily_phases SET phase = 3; "
    "INSERT INTO accounts SELECT 9, name, owner, 1, 0, 1, 0, 0, 0, 0, 0, 0 FROM accounts WHERE account = 2; "
    "INSERT INTO daily_members VALUES ('a day', 0, 2, 0, 0, 0, 0, 0, 0, 0)": [
        "orders, order_id 20 is missing in the read database",
        "daily_phases, trading_date 20230103, instrument 0, phase 1 is missing in",
        "account 9 is in the read database, not in the journal",
        "a day, instrument 0, account 2 is in the read",
    ],
    "DROP TABLE holdings": ["no such table: holdings"],
    "DROP INDEX orders_open; "
    "CREATE TRIGGER t AFTER INSERT ON trades BEGIN UPDATE accounts SET cash_fen = 0; END; "
    "CREATE TRIGGER sqlitez AFTER INSERT ON trades BEGIN UPDATE accounts SET cash_fen = 0; END; "
    "CREATE TRIGGER sqliteq AFTER INSERT ON trades BEGIN UPDATE accounts SET cash_fen = 0; END; PRAGMA writable_schema = ON; "
    "UPDATE sqlite_master SET name = 'sqlite_q', sql = replace(sql, 'sqliteq', 'sqlite_q') WHERE name = 'sqliteq'": [
        "index orders_open is missing in the read database", "trigger t is in the read database",
        "trigger sqlitez is in the", "trigger sqlite_q is in the read database",
    ],
    "PRAGMA user_version = 1": [f"has tables of format 1, and this version of REX reads {READ_FORMAT}"],
}  # fmt: skip


@pytest.fixture(scope="module")
async def made(tmp_path_factory: pytest.TempPathFactory, anyio_backend: str) -> Path:
    """A projected history: trades, a resting order, a revoked key."""
    folder = tmp_path_factory.mktemp("made")
    issued = KeyIssued(key_hash="cd" * 32, account=0, name="old", scopes=("read",))
    history = History(Engine())
    await journal_of(folder, history, [opening(), deals(3), [admin.record(SENDER, issued)]])
    revoked = admin.record(SENDER, KeyRevoked(key_id=history.engine.last_seq))
    await journal_of(
        folder, history, [[revoked, order(2, Side.BUY, REFERENCE_TICKS - 10, 4, client_order_id=b"resting")]]
    )
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    """A copy of it for one test."""
    return shutil.copytree(made, tmp_path, dirs_exist_ok=True)


async def open_folder(folder: Path) -> list[str]:
    """Opens the read database as a start does; returns the differences."""
    journal = await SqliteJournal.open(folder / JOURNAL_FILE)
    try:
        engine = Engine()
        with Rebuilt(journal.journal_id) as rebuilt, structlog.testing.capture_logs() as logged:
            await recover(engine, journal, on_batch=rebuilt.add)
            compared = partial(differences, engine=engine, rebuilt=rebuilt)
            database = await open_true(folder / READ_DATABASE_FILE, journal, compared)
        await database.dispose()
    finally:
        await journal.close()
    return [entry["difference"] for entry in logged if "difference" in entry]


def dump(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return sorted(connection.iterdump())


async def rebuilt(folder: Path, elsewhere: Path) -> list[str]:
    """The contents of a database made from this journal alone."""
    await asyncio.to_thread(shutil.copytree, folder, elsewhere, ignore=shutil.ignore_patterns("read*", "elsewhere"))
    assert await open_folder(elsewhere) == []
    return dump(elsewhere / READ_DATABASE_FILE)


@pytest.fixture(scope="module")
async def true(made: Path, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What the read database of that history must contain."""
    return await rebuilt(made, tmp_path_factory.mktemp("true") / "venue")


async def test_a_true_read_database_stays_and_nothing_is_said(folder: Path, true: list[str]) -> None:
    before = dump(folder / READ_DATABASE_FILE)
    assert await open_folder(folder) == []
    assert dump(folder / READ_DATABASE_FILE) == before == true
    assert not (folder / (READ_DATABASE_FILE + SET_ASIDE)).exists()


@pytest.mark.parametrize("forge", FORGED, ids=["values", "rows", "table", "schema", "format"])
async def test_what_was_forged_is_named_and_rebuilt(folder: Path, true: list[str], forge: str) -> None:
    path = folder / READ_DATABASE_FILE
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(forge)
    if "user_version" not in forge:
        assert not (await report_at_rest(folder, 2023, prove=True)).agree
    named = await open_folder(folder)
    assert [said for said in FORGED[forge] if not any(said in difference for difference in named)] == [], named
    assert dump(path) == true
    set_aside = path.with_name(path.name + SET_ASIDE)
    assert set_aside.stat().st_mode & 0o777 == 0o600
    assert await open_folder(folder) == []


def overwrite(path: Path, at: int, data: bytes) -> None:
    content = path.read_bytes()
    path.write_bytes(content[:at] + data + content[at + len(data) :])


def spoil_pages(path: Path) -> None:
    for at in range(4096, path.stat().st_size, 8192):
        overwrite(path, at, b"\xff" * 200)


def forget_where_it_is(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE position SET time_ns = 'late'")


def flip_bit_in_index(path: Path) -> None:
    """Damages the leaf of the client order ids: a query by "resting" finds nothing, although the table has it."""
    with closing(sqlite3.connect(path)) as connection:
        (page,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'orders_by_client_id'").fetchone()
    at = path.read_bytes().index(b"resting", (page - 1) * 4096)
    assert at < page * 4096
    overwrite(path, at, b"sesting")
    with closing(sqlite3.connect(path)) as connection:
        query = "SELECT count(*) FROM orders WHERE account = 2 AND client_order_id = 'resting'"
        assert connection.execute(query).fetchone() == (0,)


DAMAGED: dict[str, Callable[[Path], object]] = {
    "no database": lambda path: path.write_bytes(b"nothing of use" * 1000),
    "half of it": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "its schema": lambda path: overwrite(path, 100, bytes(4_000)),
    "its position": forget_where_it_is,
    "every other page": spoil_pages,
}


async def test_an_index_beside_its_table_is_found_by_start_and_proof(folder: Path, true: list[str]) -> None:
    path = folder / READ_DATABASE_FILE
    flip_bit_in_index(path)
    figure = (await report_at_rest(folder, 2023, prove=True)).figure
    assert figure is not None
    assert ["missing from index orders_by_client_id" in said for said in figure.differences] == [True]
    [named] = await open_folder(folder)
    assert "missing from index orders_by_client_id" in named
    assert dump(path) == true
    with closing(sqlite3.connect(path)) as connection:
        query = "SELECT count(*) FROM orders WHERE account = 2 AND client_order_id = 'resting'"
        assert connection.execute(query).fetchone() == (1,)


@pytest.mark.parametrize("damage", DAMAGED)
async def test_a_damaged_file_heals(folder: Path, true: list[str], damage: str) -> None:
    path = folder / READ_DATABASE_FILE
    DAMAGED[damage](path)
    figure = (await report_at_rest(folder, 2023, prove=True)).figure
    assert figure is not None
    assert (figure.agree, figure.sql_sum_fen) == (False, figure.journal_replay_fen)  # of a copy, made from the journal
    assert [str(path) in named for named in figure.differences] == [True]
    assert len(await open_folder(folder)) == 1
    assert dump(path) == true


async def test_a_key_beside_an_empty_journal_is_found(tmp_path: Path) -> None:
    assert await open_folder(tmp_path) == []
    with closing(sqlite3.connect(tmp_path / READ_DATABASE_FILE)) as connection, connection:
        connection.execute("INSERT INTO api_keys VALUES (1, x'00', 0, 'mine', 'admin', NULL, 0, 0, 0, '', '')")
    assert await open_folder(tmp_path) == ["api_keys, key_id 1 is in the read database, not in the journal"]


async def test_one_that_is_behind_is_projected_on(tmp_path: Path) -> None:
    history = History(Engine())
    await journal_of(tmp_path, history, [opening(), deals(1)])
    await journal_of(tmp_path, history, [deals(2)], projected=False)
    assert await open_folder(tmp_path) == []
    assert dump(tmp_path / READ_DATABASE_FILE) == await rebuilt(tmp_path, tmp_path / "elsewhere")


async def test_a_witness_is_left_alone(folder: Path) -> None:
    path = folder / READ_DATABASE_FILE
    before = path.read_bytes()
    with closing(sqlite3.connect(folder / JOURNAL_FILE)) as connection, connection:
        connection.execute("DELETE FROM rows WHERE first_seq = (SELECT max(first_seq) FROM rows)")
    with pytest.raises(JournalLost):
        await open_folder(folder)
    for suffix in ("", "-wal", "-shm"):
        (folder / (JOURNAL_FILE + suffix)).unlink(missing_ok=True)
    with pytest.raises((ReadDatabaseForeign, JournalError), match="another journal"):
        await open_folder(folder)
    assert path.read_bytes() == before


def journal_files(folder: Path) -> list[Path]:
    return list(folder.glob(f"{JOURNAL_FILE}*"))


async def open_beside_its_read_database(folder: Path) -> SqliteJournal:
    return await SqliteJournal.open(folder / JOURNAL_FILE, remembered=partial(remembered, folder / READ_DATABASE_FILE))


KNOWN = "from seq 1 on: there is no command in the journal, and the read database .* knows commands up to seq 28"


async def test_a_journal_that_was_removed_or_emptied_is_not_begun_anew_beside_its_read_database(folder: Path) -> None:
    """Nor one whose first page was on its way."""
    for file in journal_files(folder):
        file.unlink()
    with pytest.raises(JournalLost, match=KNOWN):
        await open_beside_its_read_database(folder)
    assert journal_files(folder) == []
    path = folder / JOURNAL_FILE
    rollback = path.with_name(f"{path.name}-journal")
    for first_page in (b"", b"a page on its way".ljust(4096, b"\0")):
        path.write_bytes(first_page)
        rollback.write_bytes(first_page)
        for _ in range(2):
            with pytest.raises(JournalLost, match=KNOWN):
                await open_beside_its_read_database(folder)
            assert (path.read_bytes(), rollback.read_bytes()) == (first_page, first_page)


async def test_a_device_that_refuses_is_no_damage(folder: Path) -> None:
    path = folder / READ_DATABASE_FILE
    path.rename(folder / "kept")
    path.mkdir()
    with pytest.raises(ReadDatabaseFailed, match=READ_DATABASE_FILE):
        await open_folder(folder)
    assert path.is_dir()
    with closing(connect_writer(folder / "kept")) as connection:
        assert connection.execute("SELECT count(*) FROM trades").fetchone() == (3,)
