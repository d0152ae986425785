"""`rex upgrade` on journals that older engine versions made: its findings, the row it adds, and the next start of the venue."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import subprocess
import sys
import zlib
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rex_client import RexClient
from typer.testing import CliRunner

from matching_engine import ENGINE_VERSION, Engine
from matching_engine.records import COMMAND, EVENT, EventKind
from matching_engine.snapshot.state import State, from_bytes, snapshot_bytes, state_hash
from services.bootstrap import open_venue
from services.cli import app
from services.closing import closing_of
from services.commands.attachments import Upgraded, read_decision
from services.engine_versions.upgrades import starting_engine
from services.exit_codes import ExitCode
from services.first_start import OPERATOR
from services.journal import JournalBatch, JournalBusy, JournalCorrupt, JournalError, JournalLost, JournalRefused
from services.journal.copying import SqliteTarget, copy
from services.journal.sqlite import SqliteJournal
from services.journal.verify import verify
from services.read_database.database import open_read_database
from services.read_database.projector import catch_up
from services.read_database.sqlite_writer import SqliteWriter
from services.reporting.figure import compute_figure
from services.reporting.re_execution import FigureUnavailable
from services.reporting.report_database import READ_DATABASE_FILE, report_from_folder
from services.settings import Settings
from services.upgrade import UpgradeRefused, sealed_state_error, upgrade
from tests.faults.venue_process import rex
from tests.integration.older_journal import (
    AUCTION_HALTED,
    COMPRESSED,
    SEALED,
    THIN_DAYS,
    UNCHANGED,
    rewrite,
    stored,
    unpack,
)

LAST_SEQ = {UNCHANGED: 377, AUCTION_HALTED: 381, THIN_DAYS: 62, SEALED: 447}
BOTH = pytest.mark.parametrize("name", [UNCHANGED, AUCTION_HALTED])


class Clock:
    """A clock that begins a second after the journal's last command."""

    def __init__(self, path: Path) -> None:
        self.now_ns = JournalBatch.decode(stored(path)[-1]).command_list[-1].time_ns + 10**9

    def __call__(self) -> int:
        self.now_ns += 1_000
        return self.now_ns


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix == ".sqlite"}


def dump(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return sorted(connection.iterdump())


async def project(folder: Path, name: str = READ_DATABASE_FILE) -> Path:
    """Makes a read database of the whole journal, whatever version made it."""
    journal = await SqliteJournal.open(folder / "journal.sqlite", read_only=True, outdated=True)
    await open_read_database(folder / name).dispose()
    await catch_up(SqliteWriter(folder / name), journal)
    await journal.close()
    return folder / name


async def prove(path: Path) -> Any:
    journal = await SqliteJournal.open(path, read_only=True)
    result = await verify(journal, engine=await starting_engine(journal))
    await journal.close()
    return result


# What it finds


@pytest.mark.anyio
async def test_where_the_rules_are_unchanged_one_batch_says_so(tmp_path: Path) -> None:
    path = unpack(UNCHANGED, tmp_path)
    older = stored(path)
    found = await upgrade(tmp_path)
    assert (found.from_version, found.to_version, found.last_seq) == (2, ENGINE_VERSION, 377)
    assert (found.differences, found.re_executed_after, found.marker_seq) == ((), 0, 378)
    assert stored(path)[:-1] == older
    marker = JournalBatch.decode(stored(path)[-1])
    assert read_decision(marker.attachments[0]) == Upgraded(
        from_version=2, to_version=ENGINE_VERSION, last_seq=377, last_hash=JournalBatch.decode(older[-1]).hash.hex(),
        state_hash=found.state_hash, re_executed_after=0, differences=(),
    )  # fmt: skip
    assert (len(marker.attachments), marker.previous_hash) == (1, JournalBatch.decode(older[-1]).hash)
    assert marker.command_list[0].time_ns == JournalBatch.decode(older[-1]).command_list[-1].time_ns
    result = await prove(path)
    assert (result.good, result.commands, result.re_executed_after) == (True, 378, 0)
    assert result.made_by == ((2, 1), (ENGINE_VERSION, 378))


@pytest.mark.anyio
async def test_where_a_rule_differs_it_says_which_and_seals_the_state(tmp_path: Path) -> None:
    path = unpack(AUCTION_HALTED, tmp_path)
    older = stored(path)
    found = await upgrade(tmp_path)
    [difference] = found.differences
    assert (difference.event, difference.rule, difference.first_seq, difference.commands) == (
        "INDICATIVE",
        "4.6",
        167,
        2,
    )
    resumed = next(batch for batch in map(JournalBatch.decode, older) if batch.last_seq == 167)
    assert EventKind.INDICATIVE not in {event.kind for event in resumed.event_list}
    assert str(difference).startswith(
        "INDICATIVE (rule 4.6) differs from seq 167 on, in 2 commands: version 2 made none"
    )
    assert (found.last_seq, found.re_executed_after, found.marker_seq) == (381, 381, 382)
    assert stored(path)[:-1] == older
    engine = Engine()
    for batch in map(JournalBatch.decode, older):
        engine.process(np.frombuffer(batch.commands, COMMAND))
    marker = JournalBatch.decode(stored(path)[-1])
    assert zlib.decompress(marker.attachments[1]) == snapshot_bytes(engine.state())
    assert found.state_hash == engine.state_hash()
    engine.process(np.frombuffer(marker.commands, COMMAND))
    result = await prove(path)
    assert (result.good, result.state_hash, result.re_executed_after) == (True, engine.state_hash(), 381)


def other_fee(batch: JournalBatch) -> JournalBatch:
    """Rewrites the journal as if version 2 had charged the first taker of a batch one fen less."""
    events = np.frombuffer(bytearray(batch.events), EVENT)
    trades = np.flatnonzero(events["kind"] == EventKind.TRADE)
    events["fee_fen"][trades[:1]] -= 1
    return replace(batch, events=events.tobytes())


@pytest.mark.anyio
async def test_where_the_events_add_up_to_something_else_it_refuses_and_writes_nothing(tmp_path: Path) -> None:
    path = unpack(AUCTION_HALTED, tmp_path)
    rewrite(path, other_fee)
    first = next(
        event
        for batch in map(JournalBatch.decode, stored(path))
        for event in batch.event_list
        if event.kind == EventKind.TRADE
    )
    before = contents(tmp_path)
    with pytest.raises(UpgradeRefused) as refused:
        await upgrade(tmp_path)
    said = str(refused.value)
    fee = f"fee_fen was {first.fee_fen} and is {first.fee_fen + 1}"
    assert f"TRADE (rule 1.1, 7.1) differs from seq {first.seq} on, in " in said
    assert fee in said
    assert "account 1: cash_fen" in said
    assert "Nothing was written" in said
    assert contents(tmp_path) == before


@pytest.mark.anyio
async def test_where_the_engine_gives_up_it_refuses_and_names_the_command(tmp_path: Path) -> None:
    path = unpack(UNCHANGED, tmp_path)

    def misnumbered(batch: JournalBatch) -> JournalBatch:
        commands = np.frombuffer(bytearray(batch.commands), COMMAND)
        commands["seq"][commands["seq"] == 100] = 7
        return replace(batch, commands=commands.tobytes())

    rewrite(path, misnumbered)
    before = contents(tmp_path)
    with pytest.raises(UpgradeRefused, match="cannot execute what version 2 executed: it stops at seq 7"):
        await upgrade(tmp_path)
    assert contents(tmp_path) == before


# Law: after it everything goes on


@BOTH
@pytest.mark.anyio
async def test_the_venue_starts_and_trades_on_and_the_figure_agrees(tmp_path: Path, name: str) -> None:
    path = unpack(name, tmp_path)
    await project(tmp_path)  # as the older REX left it
    await upgrade(tmp_path)
    settings, clock = Settings(data_dir=tmp_path, port=0, schedule="always"), Clock(path)
    async with open_venue(settings, clock=clock) as venue:
        assert venue.recovery.last_seq == LAST_SEQ[name] + 1
        async with RexClient(venue.url, venue.keys[OPERATOR].key) as operator:
            symbol = (await operator.instruments())[0]["symbol"]
            price = (await operator.trades(symbol, 1))[0]["price"]
            keys = [(await operator.issue_key("desk", ["trade", "read"], account=number))["key"] for number in (2, 3)]
        order = {"symbol": symbol, "price": price, "quantity": 400}
        async with RexClient(venue.url, keys[0]) as one, RexClient(venue.url, keys[1]) as other:
            await one.place_order({**order, "side": "sell"})
            bought = await other.place_order({**order, "side": "buy"})
            assert bought["cum_qty"] > 0
    closed = await closing_of(venue, tmp_path)
    assert closed.figure.agree
    assert closed.figure.engine_counter_fen == closed.figure.sql_sum_fen > 0
    assert closed.figure.re_executed_after == (0 if name == UNCHANGED else LAST_SEQ[name])
    for year in (2023, 2024):
        report = await report_from_folder(tmp_path, year, prove=True)
        assert report.agree
        assert report.report.net != "0.00"
    result = await prove(path)
    assert (result.good, result.last_seq, result.state_hash) == (True, closed.last_seq, closed.state_hash)
    assert dump(await project(tmp_path, "rebuilt.sqlite")) == dump(tmp_path / READ_DATABASE_FILE)
    async with open_venue(settings, clock=clock) as again:
        assert again.engine.state_hash() == closed.state_hash


@pytest.mark.anyio
async def test_what_other_rules_made_cannot_be_re_executed_and_the_figure_says_so(tmp_path: Path) -> None:
    path = unpack(AUCTION_HALTED, tmp_path)
    await upgrade(tmp_path)
    journal = await SqliteJournal.open(path, read_only=True)
    read_database = open_read_database(await project(tmp_path), read_only=True)
    with pytest.raises(
        FigureUnavailable,
        match="Seq 300 cannot be re-executed: an older engine version executed the commands up to seq 381",
    ):
        await compute_figure(
            2024, seq=300, engine_counter_fen=None, read_database=read_database, journal=journal,
            fresh_engine=await starting_engine(journal),
        )  # fmt: skip
    await read_database.dispose()
    await journal.close()


def an_earlier_upgrade(batch: JournalBatch) -> JournalBatch:
    """As if all that was upgraded had been an upgrade from version 1 to the version before this one."""
    attachments, version = batch.attachments, 1
    if batch.engine_version == ENGINE_VERSION:
        version = ENGINE_VERSION - 1
        text = read_decision(attachments[0])
        assert isinstance(text, Upgraded)
        versions = {"from_version": 1, "to_version": version, "last_hash": batch.previous_hash.hex()}
        attachments = (text.model_copy(update=versions).to_bytes(), *attachments[1:])
    return replace(batch, attachments=attachments, engine_version=version)


@BOTH
@pytest.mark.anyio
async def test_an_upgraded_journal_can_be_upgraded_again(tmp_path: Path, name: str) -> None:
    path = unpack(name, tmp_path)
    first = await upgrade(tmp_path)
    rewrite(path, an_earlier_upgrade)
    found = await upgrade(tmp_path)
    assert (found.from_version, found.differences, found.last_seq) == (ENGINE_VERSION - 1, (), first.last_seq + 1)
    assert found.re_executed_after == first.re_executed_after  # from the state sealed first, or from the start
    result = await prove(path)
    assert (result.good, result.re_executed_after) == (True, first.re_executed_after)
    assert [version for version, _ in result.made_by] == [1, ENGINE_VERSION - 1, ENGINE_VERSION]
    journal = await SqliteJournal.open(path, read_only=True)
    assert await sealed_state_error(journal) is None
    await journal.close()


# Engine version 3: days that its own rule of settlement made


@pytest.mark.parametrize(("name", "after_seq"), [(THIN_DAYS, 0), (SEALED, 381)])
@pytest.mark.anyio
async def test_days_stay_settled_by_the_rule_that_their_day_rolls_name(
    tmp_path: Path, name: str, after_seq: int
) -> None:
    """By the waterfall (rule 4.10) these days had other prices, but their day rolls name the former rule: no event differs. A
    state that version 3 sealed has an older format, and is where re-execution still begins."""
    path = unpack(name, tmp_path)
    older = [event for data in stored(path) for event in JournalBatch.decode(data).event_list]
    found = await upgrade(tmp_path)
    assert (found.from_version, found.to_version, found.last_seq) == (3, ENGINE_VERSION, LAST_SEQ[name])
    assert (found.differences, found.re_executed_after, found.marker_seq) == ((), after_seq, LAST_SEQ[name] + 1)
    result = await prove(path)
    assert (result.good, result.re_executed_after, result.state_hash) == (True, after_seq, result.state_hash)
    journal = await SqliteJournal.open(path, read_only=True)
    assert await sealed_state_error(journal) is None
    engine = await starting_engine(journal)
    async for batch in journal.read(engine.last_seq):
        engine.process(np.frombuffer(batch.commands, COMMAND))
    await journal.close()
    settled = {event.instrument: event.price_ticks for event in older if event.kind == EventKind.SETTLED}
    assert dict(enumerate(engine.state().instruments["reference_ticks"].tolist())) == settled


@pytest.mark.anyio
async def test_a_journal_with_compressed_rows_is_the_same_journal(tmp_path: Path) -> None:
    """The same batches, taken over by an upgrade, copied, re-executed to the same state."""
    journals = [unpack(THIN_DAYS, tmp_path / "plain"), unpack(COMPRESSED, tmp_path / "compressed")]
    for path in journals:
        await upgrade(path.parent)
    readers = [await SqliteJournal.open(path, read_only=True) for path in journals]
    plain, compressed = [[batch.encode() async for batch in reader.read(0)][:-1] for reader in readers]
    assert compressed == plain
    results = [await prove(path) for path in journals]
    assert [result.good for result in results] == [True, True]
    assert results[0].state_hash == results[1].state_hash
    copied = await copy(readers[1], SqliteTarget(tmp_path / "copy" / "journal.sqlite"))
    for reader in readers:
        await reader.close()
    again = await prove(tmp_path / "copy" / "journal.sqlite")
    assert (again.good, again.state_hash) == (True, results[0].state_hash)
    assert copied.end.last_seq == LAST_SEQ[THIN_DAYS] + 1


@pytest.mark.parametrize(("name", "after_seq", "hours"), [(THIN_DAYS, 0, 72), (SEALED, 381, 24)])
@pytest.mark.anyio
async def test_a_venue_of_version_3_goes_on_and_its_next_day_is_settled_by_the_waterfall(
    tmp_path: Path, name: str, after_seq: int, hours: int
) -> None:
    """Some hours after its last command its next trading day has begun."""
    path = unpack(name, tmp_path)
    await project(tmp_path)
    await upgrade(tmp_path)
    settings, clock = Settings(data_dir=tmp_path, port=0, schedule="always"), Clock(path)
    clock.now_ns += hours * 3600 * 10**9
    async with open_venue(settings, clock=clock) as venue, RexClient(venue.url, venue.keys[OPERATOR].key) as operator:
        sources = {found["settlement_source"] for found in await operator.instruments()}
    closed = await closing_of(venue, tmp_path)
    assert (closed.figure.agree, closed.figure.re_executed_after) == (True, after_seq)
    settled = [
        event
        for data in stored(path)
        for event in JournalBatch.decode(data).event_list
        if event.kind == EventKind.SETTLED
    ]
    assert 0 not in {event.number for event in settled[-3:]}
    assert {event.number for event in settled[:-3]} == {0}
    assert sources == {event.settlement_source.name.lower() for event in settled[-3:]}
    assert dump(await project(tmp_path, "rebuilt.sqlite")) == dump(tmp_path / READ_DATABASE_FILE)


# What is refused


def change_state(change: Callable[[Any], None]) -> Callable[[JournalBatch], JournalBatch]:
    def changed(batch: JournalBatch) -> JournalBatch:
        if batch.engine_version != ENGINE_VERSION:
            return batch
        state = State(*(section.copy() for section in from_bytes(zlib.decompress(batch.attachments[1]))))
        change(state)
        text = read_decision(batch.attachments[0])
        assert isinstance(text, Upgraded)
        text = text.model_copy(update={"state_hash": state_hash(state), "last_hash": batch.previous_hash.hex()})
        return replace(batch, attachments=(text.to_bytes(), zlib.compress(snapshot_bytes(state))))

    return changed


def move_cash(state: Any) -> None:
    state.accounts["cash_fen"][1] -= 1
    state.accounts["cash_fen"][2] += 1


def test_a_sealed_state_that_the_events_do_not_add_up_to_is_found_by_the_proof(tmp_path: Path) -> None:
    path = unpack(AUCTION_HALTED, tmp_path)
    assert CliRunner().invoke(app, ["upgrade", "--data-dir", str(tmp_path)]).exit_code == 0
    rewrite(path, change_state(move_cash))
    plain = CliRunner().invoke(app, ["journal", "verify", "--data-dir", str(tmp_path), "--json"])
    assert json.loads(plain.stdout)["good"]
    proved = CliRunner().invoke(app, ["journal", "verify", "--data-dir", str(tmp_path), "--prove", "--json"])
    found = json.loads(proved.stdout)
    assert (proved.exit_code, found["good"], found["error_seq"]) == (1, False, 382)
    assert "the state sealed after seq 381 is not what the events add up to: account 2: cash_fen" in found["error"]


def without_state(batch: JournalBatch) -> JournalBatch:
    return replace(batch, attachments=batch.attachments[:1]) if batch.engine_version == ENGINE_VERSION else batch


def with_another_state(batch: JournalBatch) -> JournalBatch:
    if batch.engine_version != ENGINE_VERSION:
        return batch
    return replace(batch, attachments=(batch.attachments[0], zlib.compress(snapshot_bytes(Engine().state()))))


def as_if_nothing_was_upgraded(batch: JournalBatch) -> JournalBatch:
    return replace(batch, engine_version=2 if batch.first_seq < 100 else ENGINE_VERSION)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (without_state, "the state sealed at seq 382 cannot be read"),
        (
            with_another_state,
            "sealed at seq 382 is not the one that was verified",
        ),
        (
            as_if_nothing_was_upgraded,
            f"is the first of engine version {ENGINE_VERSION}, and does not say what became of the rows before it",
        ),
    ],
    ids=["no state", "another state", "no marker"],
)
@pytest.mark.anyio
async def test_a_marker_that_does_not_hold_what_it_must_is_refused(
    tmp_path: Path, change: Callable[[JournalBatch], JournalBatch], sentence: str
) -> None:
    path = unpack(AUCTION_HALTED, tmp_path)
    await upgrade(tmp_path)
    rewrite(path, change)
    arguments = ["journal", "verify", "--data-dir", str(tmp_path), "--prove", "--json"]
    proved = await asyncio.to_thread(CliRunner().invoke, app, arguments)
    found = json.loads(proved.stdout)
    assert (proved.exit_code, found["good"], found["state_hash"]) == (1, False, None)
    assert sentence in found["error"]
    with pytest.raises(JournalCorrupt, match=sentence):
        async with open_venue(Settings(data_dir=tmp_path, port=0, schedule="always"), clock=Clock(path)):
            pass


@pytest.mark.anyio
async def test_what_is_of_this_version_or_empty_needs_nothing(tmp_path: Path) -> None:
    path = unpack(UNCHANGED, tmp_path)
    await upgrade(tmp_path)
    before = contents(tmp_path)
    found = await upgrade(tmp_path)
    assert (found.needed, found.marker_seq, found.last_seq) == (False, None, 378)
    assert contents(tmp_path) == before
    path = tmp_path / "empty" / path.name
    await (await SqliteJournal.open(path)).close()
    assert not (await upgrade(path.parent)).needed


@pytest.mark.anyio
async def test_a_journal_that_somebody_writes_is_left_alone(tmp_path: Path) -> None:
    path = unpack(UNCHANGED, tmp_path)
    writer = await SqliteJournal.open(path, outdated=True)
    with pytest.raises(JournalBusy, match="is in use by another REX process"):
        await upgrade(tmp_path)
    assert (await upgrade(tmp_path, check=True)).marker_seq is None
    await writer.close()
    assert len(stored(path)) == 187 - 1


def lose(path: Path, batches: int) -> int:
    """Removes the last batches of a closed journal; returns where it ends now."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            "DELETE FROM rows WHERE first_seq IN (SELECT first_seq FROM rows ORDER BY first_seq DESC LIMIT ?)",
            (batches,),
        )
        return int(connection.execute("SELECT max(last_seq) FROM rows").fetchone()[0])


@BOTH
@pytest.mark.parametrize("options", [[], ["--check"]], ids=["upgrade", "check"])
def test_no_marker_takes_the_number_of_a_lost_command(tmp_path: Path, name: str, options: list[str]) -> None:
    path = unpack(name, tmp_path)
    read_database = asyncio.run(project(tmp_path))
    last_seq = lose(path, 3)
    before = stored(path)
    refused = CliRunner().invoke(app, ["upgrade", *options, "--data-dir", str(tmp_path)])
    assert refused.exit_code == ExitCode.JOURNAL_DAMAGED
    said = refused.stderr.replace("\n", "")
    assert f"has lost commands from seq {last_seq + 1} on" in said
    assert f"the read database {read_database} knows commands up to seq {LAST_SEQ[name]}" in said
    assert stored(path) == before


@pytest.mark.anyio
async def test_what_comes_to_light_while_it_is_examined_stops_the_marker(tmp_path: Path) -> None:
    path = unpack(UNCHANGED, tmp_path)
    read_database = await project(tmp_path)
    aside = read_database.rename(tmp_path / "elsewhere.sqlite")
    lose(path, 3)
    before = stored(path)

    def put_back(what: str, seq: int, last_seq: int) -> None:
        if aside.exists():
            aside.rename(read_database)

    with pytest.raises(JournalLost, match="has lost commands"):
        await upgrade(tmp_path, on_progress=put_back)
    assert stored(path) == before


TAKE_SQLITE_LOCK = """
import fcntl, sys
with open(sys.argv[1], "r+b") as file:
    fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 510, 0x40000002)
"""
"""Locks exclusively the bytes that a reader of SQLite locks shared, as a writer without a log does."""


@pytest.mark.anyio
async def test_while_it_reads_its_lock_stands(tmp_path: Path) -> None:
    path = unpack(UNCHANGED, tmp_path)
    taken: list[int] = []

    def try_lock(what: str, seq: int, last_seq: int) -> None:
        if not taken:
            command = [sys.executable, "-c", TAKE_SQLITE_LOCK, str(path)]
            taken.append(subprocess.run(command, check=False, capture_output=True).returncode)

    await upgrade(tmp_path, on_progress=try_lock)
    assert taken == [1]


@pytest.mark.anyio
async def test_one_batch_is_all_or_nothing(tmp_path: Path) -> None:
    path = unpack(AUCTION_HALTED, tmp_path)
    before = stored(path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            "CREATE TRIGGER full AFTER INSERT ON rows BEGIN SELECT raise(ABORT, 'the device is full'); END"
        )
    with pytest.raises(JournalError, match="the device is full"):
        await upgrade(tmp_path)
    assert stored(path) == before
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DROP TRIGGER full")
    assert (await upgrade(tmp_path)).marker_seq == 382
    assert (await prove(path)).good


@pytest.mark.parametrize(
    ("change", "error", "sentence"),
    [
        (
            lambda batch: replace(batch, engine_version=99),
            JournalRefused,
            "made by engine version 99, which is newer than this REX",
        ),
        (lambda batch: replace(batch, first_seq=batch.first_seq + (batch.first_seq > 200)), JournalCorrupt, "seq"),
    ],
    ids=["newer", "damaged"],
)
@pytest.mark.anyio
async def test_what_cannot_be_read_is_refused(
    tmp_path: Path, change: Callable[[JournalBatch], JournalBatch], error: type[Exception], sentence: str
) -> None:
    path = unpack(UNCHANGED, tmp_path)
    rewrite(path, change)
    before = contents(tmp_path)
    with pytest.raises(error, match=sentence):
        await upgrade(tmp_path)
    assert contents(tmp_path) == before


# What it says


@pytest.mark.parametrize(
    "command", [["serve", "--port", "0"], ["demo", "--port", "0"], ["report", "2024"], ["journal", "verify", "--prove"]]
)
def test_an_older_journal_is_refused_with_the_way_out(tmp_path: Path, command: list[str]) -> None:
    path = unpack(UNCHANGED, tmp_path)
    before = stored(path)
    refused = rex(*command, "--data-dir", tmp_path)
    assert refused.exit_status != 0
    way_out = (
        f"was made by engine version 2; this REX runs version {ENGINE_VERSION}: run `rex upgrade --data-dir {tmp_path}`"
    )
    assert way_out in refused.err.replace("\n", "")
    assert stored(path) == before


def test_the_chain_of_an_older_journal_can_be_walked(tmp_path: Path) -> None:
    unpack(UNCHANGED, tmp_path)
    walked = CliRunner().invoke(app, ["journal", "verify", "--data-dir", str(tmp_path)])
    assert walked.exit_code == 0
    assert "377 commands, last seq 377: good" in walked.stdout
    assert "seq 1 to 377 were made by engine version 2" in walked.stdout
    assert "`rex upgrade` takes the journal over" in walked.stdout


def test_people_are_told_in_sentences_and_programs_in_json(tmp_path: Path) -> None:
    path = unpack(AUCTION_HALTED, tmp_path)
    before = contents(tmp_path)
    command = ["upgrade", "--data-dir", str(tmp_path)]
    checked = CliRunner().invoke(app, [*command, "--check"])
    assert checked.exit_code == 0
    assert "INDICATIVE (rule 4.6) differs from seq 167 on, in 2 commands" in checked.stdout
    assert "its state is verified" in checked.stdout
    assert checked.stdout.endswith("Not written: --check.\n")
    assert contents(tmp_path) == before
    written = CliRunner().invoke(app, [*command, "--json"])
    found = json.loads(written.stdout)
    assert (found["needed"], found["unchanged"], found["marker_seq"], found["re_executed_after"]) == (
        True,
        False,
        382,
        381,
    )
    assert found["differences"][0]["first_seq"] == 167
    assert found["last_hash"] == JournalBatch.decode(stored(path)[-1]).previous_hash.hex()
    again = CliRunner().invoke(app, command)
    assert (again.exit_code, again.stdout) == (
        0,
        f"The journal is of engine version {ENGINE_VERSION} already: nothing to do.\n",
    )
    proved = CliRunner().invoke(app, ["journal", "verify", "--prove", "--data-dir", str(tmp_path)])
    assert "re-executed from seq 382 on, from the state sealed there" in proved.stdout
    report = CliRunner().invoke(app, ["report", "2023", "--prove", "--data-dir", str(tmp_path)])
    assert "journal re-executed from seq 382 on, events equal" in report.stdout
    missing = CliRunner().invoke(app, ["upgrade", "--data-dir", str(tmp_path / "nowhere")])
    assert missing.exit_code != 0
    assert "nowhere" in missing.stderr
    assert not (tmp_path / "nowhere").exists()
