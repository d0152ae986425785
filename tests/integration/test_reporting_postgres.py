"""`report_at_rest`: the report and the proof of a venue in PostgreSQL are those of the same venue in a folder."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from load_tests.servers.postgres import PostgresServer
from matching_engine import Engine
from services.commands import administrative as admin
from services.commands.attachments import BustText
from services.files.data_folder import JOURNAL_FILE
from services.journal import JournalBatch, JournalLost
from services.journal.postgres.journal import PostgresJournal
from services.journal.sqlite import SqliteJournal
from services.messaging import Submission
from services.read_model.errors import ReadDatabaseForeign, ReadDatabaseUnmigrated
from services.read_model.projector import catch_up
from services.reporting import proof_processes
from services.reporting.checked_report import report_at_rest
from tests.integration.postgres_journal import execute, lead
from tests.integration.read_databases import ReadDatabase
from tests.integration.test_reporting_folder import deals
from tests.unit.read_model.history import SENDER, History, opening

pytestmark = pytest.mark.anyio


async def append(journal: SqliteJournal | PostgresJournal, batches: list[list[Submission]]) -> None:
    """Appends the batches of a venue that begins with them."""
    history = History(Engine(), journal.journal_id, journal.epoch)
    for batch in batches:
        await journal.append(history.batch(batch))


BATCHES = [
    opening(),
    deals(3),
    [admin.bust_trade(SENDER, (len(opening()) + 2) << 20 | 1, BustText(reason="a mistake"))],
]


@pytest.fixture(scope="module")
async def made(
    shared_postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory, anyio_backend: str
) -> AsyncIterator[str]:
    """A journal in PostgreSQL with three trades, of which one was busted, completely projected; nobody writes it."""
    name = "rex_reported"
    url = shared_postgres.create_database(name)
    database = ReadDatabase(tmp_path_factory.mktemp("made"), url)
    await database.make()
    journal = await lead(url)
    await append(journal, BATCHES)
    await catch_up(database.writer(), journal)
    await journal.close()
    yield name
    shared_postgres.drop_database(name)


@pytest.fixture
def venue(made: str, shared_postgres: PostgresServer, tmp_path: Path) -> Iterator[ReadDatabase]:
    """A copy of it for one test."""
    name = f"rex_{uuid4().hex}"
    yield ReadDatabase(tmp_path, shared_postgres.create_database(name, made))
    shared_postgres.drop_database(name)


async def test_the_report_is_that_of_a_folder_and_says_what_was_checked(venue: ReadDatabase, tmp_path: Path) -> None:
    assert venue.url is not None
    journal = await SqliteJournal.open(tmp_path / JOURNAL_FILE)
    await append(journal, BATCHES)
    await journal.close()
    differ = {"journal_id", "row_hash"}
    expected = (await report_at_rest(tmp_path, 2023)).report.to_json()
    read, proven = [await report_at_rest(venue.url, 2023, prove) for prove in (False, True)]
    for found in (read, proven):
        assert (found.report.net_fen, found.report.busted_fen, found.agree) == (4_000_000, 2_000_000, True)
        document = found.report.to_json()
        assert {name: document[name] for name in document.keys() - differ} == {
            name: expected[name] for name in expected.keys() - differ
        }
    assert read.checked.startswith("Read from the read database. Of the journal the row it stands at was read back")
    said = "re-executed; a copy of the read database was compared with the outcome. The independent"
    assert said in proven.checked
    figure = proven.to_json()["figure"]
    assert (figure["sql_sum"], figure["journal_replay"], figure["independent_decoder"]) == ("40000.00",) * 3
    assert figure["decoder_disagreements"] == []
    assert (read.to_json()["proven"], proven.to_json()["proven"]) == (False, True)


async def test_other_processes_prove_it_by_its_url(venue: ReadDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    assert venue.url is not None
    alone = await report_at_rest(venue.url, 2023, prove=True)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    monkeypatch.setattr(proof_processes, "COMMANDS_FOR_PROCESSES", 1)
    assert await report_at_rest(venue.url, 2023, prove=True) == alone
    await venue.execute("UPDATE accounts SET name = 'forged' WHERE account = 2")
    assert not (await report_at_rest(venue.url, 2023, prove=True)).agree


FALSIFIED = {
    "UPDATE daily_turnover SET amount_fen = amount_fen + 1 WHERE trades > 0": "daily_turnover, ",
    "UPDATE trades SET taker_fee_fen = taker_fee_fen + 1 WHERE trade_id = (SELECT max(trade_id) FROM trades)": "trades, ",
    "UPDATE orders SET client_order_id = 'forged' WHERE order_id = (SELECT min(order_id) FROM orders)": "orders, ",
    "UPDATE accounts SET name = 'forged' WHERE account = 2": "accounts, account 2: name forged in",
    "DELETE FROM holdings WHERE account = 2": "holdings, account 2, ",
}


async def test_a_falsified_row_of_any_table_is_found_out(venue: ReadDatabase) -> None:
    assert venue.url is not None
    await venue.execute("; ".join(FALSIFIED))
    found = await report_at_rest(venue.url, 2023, prove=True)
    assert found.figure is not None
    assert not found.agree
    for said in FALSIFIED.values():
        assert [difference for difference in found.figure.differences if difference.startswith(said)], said


@pytest.mark.parametrize(
    "falsify",
    ["UPDATE trades SET busted_seq = seq WHERE trade_id = (SELECT max(trade_id) FROM trades)", "DELETE FROM trades"],
)
async def test_trades_that_are_called_busted_or_are_gone_are_found_out(venue: ReadDatabase, falsify: str) -> None:
    assert venue.url is not None
    await venue.execute(falsify)
    assert not (await report_at_rest(venue.url, 2023, prove=True)).agree


async def test_a_database_that_is_behind_is_brought_up_to_date_in_a_copy(venue: ReadDatabase) -> None:
    assert venue.url is not None
    before = await venue.dump()
    journal, history = await lead(venue.url), History(Engine())
    for batch in BATCHES:
        history.batch(batch)
    last = await journal.last_batch()
    assert last is not None
    history.journal_id, history.epoch, history.last_hash = journal.journal_id, journal.epoch, last.hash
    await journal.append(history.batch(deals(1)))
    await journal.close()
    for prove in (False, True):
        found = await report_at_rest(venue.url, 2023, prove)
        assert (found.report.net_fen, found.report.seq, found.agree) == (6_000_000, history.engine.last_seq, True)
    assert await venue.dump() == before


async def test_a_database_that_contradicts_itself_is_rebuilt_elsewhere(venue: ReadDatabase) -> None:
    assert venue.url is not None
    await venue.execute("UPDATE position SET seq = seq + 1")
    found = await report_at_rest(venue.url, 2023)
    assert "a read database made from the journal now" in found.checked
    assert found.report.net_fen == 4_000_000
    proven = await report_at_rest(venue.url, 2023, prove=True)
    assert proven.figure is not None
    assert ["gives seq" in difference for difference in proven.figure.differences] == [True]
    assert not proven.agree


async def test_there_is_no_report_beside_a_read_database_that_is_evidence(venue: ReadDatabase) -> None:
    assert venue.url is not None
    await execute(venue.url, "DELETE FROM journal WHERE last_seq = (SELECT max(last_seq) FROM journal)")
    ((last_seq, data),) = await execute(venue.url, "SELECT last_seq, data FROM journal ORDER BY last_seq DESC LIMIT 1")
    end = "UPDATE journal_writer SET last_seq = $1, last_hash = $2"
    await execute(venue.url, end, last_seq, JournalBatch.decode(data).hash)
    with pytest.raises(JournalLost, match=r"the read database in PostgreSQL at .* knows commands up to seq"):
        await report_at_rest(venue.url, 2023)
    await venue.execute("UPDATE position SET journal_id = decode(repeat('00', 16), 'hex')")
    with pytest.raises(ReadDatabaseForeign, match="was made from another journal"):
        await report_at_rest(venue.url, 2023)


async def test_tables_that_were_never_made_are_named(postgres_url: str) -> None:
    journal = await lead(postgres_url)
    await journal.close()
    with pytest.raises(ReadDatabaseUnmigrated, match="Run `rex migrate`"):
        await report_at_rest(postgres_url, 2023)
