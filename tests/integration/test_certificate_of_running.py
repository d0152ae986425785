"""A venue that goes on certifies what `rex certificate` certifies of the same command, and what the turnover was made of."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from matching_engine import Engine
from services.files.data_folder import JOURNAL_FILE
from services.journal.postgres.journal import PostgresJournal
from services.journal.sqlite import SqliteJournal
from services.processes.child_process import run_module
from services.read_model.projector import catch_up
from services.reporting.certificate import certify_proven
from services.reporting.checked_report import report_at_rest
from services.reporting.proven import DATABASE_URL
from services.venue.standing_proof import StandingProof, brought_up_to_date
from tests.integration.postgres_journal import lead
from tests.integration.read_databases import ReadDatabase
from tests.integration.test_certificate import batches, certified
from tests.integration.test_reporting_folder import deals
from tests.unit.read_model.history import History

pytestmark = [pytest.mark.anyio, pytest.mark.rig]


@dataclass
class Venue:
    """Its last batches are journaled, and not projected."""

    place: Path | str
    database: ReadDatabase
    journal: SqliteJournal | PostgresJournal
    history: History

    async def go_on(self, _seq: int) -> None:
        """Trades on and projects all of it, after the proof has taken its command and before its process begins."""
        await self.journal.append(self.history.batch(deals(3)))
        await catch_up(self.database.writer(), self.journal)


async def running(place: Path | str, database: ReadDatabase, journal: SqliteJournal | PostgresJournal) -> Venue:
    history = History(Engine(), journal.journal_id, journal.epoch)
    first, *others = (history.batch(batch) for batch in batches())
    await journal.append(first)
    await catch_up(database.writer(), journal)
    for batch in others:
        await journal.append(batch)
    return Venue(place, database, journal, history)


@pytest.fixture(params=["folder", "postgresql"])
async def venue(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Venue]:
    is_folder = request.param == "folder"
    url = None if is_folder else request.getfixturevalue("postgres_url")
    database = ReadDatabase(tmp_path, url)
    await database.make()
    journal = await SqliteJournal.open(tmp_path / JOURNAL_FILE) if url is None else await lead(url)
    yield await running(url or tmp_path, database, journal)
    await journal.close()


async def test_certifies_the_same_as_the_command(venue: Venue) -> None:
    seq = venue.history.engine.last_seq
    proofs = StandingProof(venue.place, None, venue.history.engine, venue.go_on, time.time_ns, 0, 0)
    proven = await proofs.prove(2023, breakdown=True)
    assert (proven.seq, proven.agree, proofs.latest[2023].breakdown) == (seq, True, None)
    report = (await report_at_rest(venue.place, 2023, seq=seq)).report
    options = ("--data-dir" if isinstance(venue.place, Path) else "--database-url", venue.place)
    by_http = certify_proven(proven, report).to_json()
    by_command = await asyncio.to_thread(certified, 2023, *options, "--seq", seq)
    assert (by_http["engine_counter"], by_http["lacks"], by_http["net"]) == ("60000.00", None, "40000.00")
    assert by_http == {**by_command, "engine_counter": "60000.00", "made_at": by_http["made_at"]}


class WithinABatch:
    """A venue whose sequencer waits for the device: the engine has executed a part of its next batch."""

    def __init__(self, last_seq: int) -> None:
        self.last_seq = last_seq
        self.trading_date = 20231204

    def turnover_fen(self, _year: int) -> None:
        """No engine of this test has counted there."""


@pytest.mark.parametrize("falsified", [False, True])
async def test_a_command_within_a_batch_is_proven_with_its_read_database(venue: Venue, falsified: bool) -> None:
    if falsified:
        await venue.database.execute("UPDATE accounts SET cash_fen = cash_fen + 1")
    long = [batch async for batch in venue.journal.read(0) if batch.command_count > 1][-1]
    within = WithinABatch(long.last_seq - 1)
    proofs = StandingProof(venue.place, None, within, brought_up_to_date, time.time_ns, 0, 0)
    proven = await proofs.prove(2023, breakdown=True)
    assert (proven.seq, proven.trouble) == (within.last_seq, None)
    assert (proven.agree, proven.breakdown is not None) == (not falsified, not falsified)


async def test_a_breakdown_that_cannot_be_made_costs_no_proof(venue: Venue, tmp_path: Path) -> None:
    proofs = StandingProof(venue.place, tmp_path / "none.csv", venue.history.engine, venue.go_on, time.time_ns, 0, 0)
    proven = await proofs.prove(2023, breakdown=True)
    assert (proven.agree, proven.trouble, proven.breakdown) == (True, None, None)
    report = (await report_at_rest(venue.place, 2023, seq=proven.seq)).report
    assert "rex certificate 2023 --seq" in str(certify_proven(proven, report).lacks)


async def test_a_copy_that_cannot_be_written_costs_no_proof(venue: Venue, tmp_path: Path) -> None:
    """As where the room for temporary files ends while the copy is brought up to the command."""
    await catch_up(venue.database.writer(), venue.journal)
    seq, copy = venue.history.engine.last_seq, tmp_path / "none" / "copy.sqlite"
    given = ("2023", str(seq), "-", str(copy), "")
    if isinstance(venue.place, str):
        ended = await run_module("services.reporting.proof_document", *given, environment={DATABASE_URL: venue.place})
        assert ended.failure is not None, "there, only a copy can be proven"
        return
    ended = await run_module("services.reporting.proof_document", *given, str(venue.place))
    found = json.loads(ended.output.rpartition(b"\n")[2])
    assert (found["agree"], "breakdown" in found, found["lacks"] is not None) == (True, False, True)
