"""A part of a proof in a process of its own: each part is caught where it alone is wrong, and none is missed when it dies."""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from matching_engine import Engine
from matching_engine.records import CommandKind, EventKind
from services.files.data_folder import JOURNAL_FILE, READ_DATABASE_FILE
from services.journal.errors import JournalCorrupt
from services.journal.sqlite import SqliteJournal
from services.read_model.database import open_read_database
from services.reporting import proof_processes
from services.reporting.figure import Figure, compute_figure
from services.reporting.re_execution import FigureUnavailable
from tests.integration.golden_journals import rewrite
from tests.integration.test_figure_proofs import NET_FEN, Misreading
from tests.integration.test_reporting_folder import deals, journal_of
from tests.unit.read_model.history import History, opening
from tests.unit.reporting.audited_journals import forge_commands, forge_events

pytestmark = pytest.mark.anyio

Script = Callable[[str], None]
PYTHON = sys.executable


@pytest.fixture(autouse=True)
def cores(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process also for a short journal."""
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    monkeypatch.setattr(proof_processes, "COMMANDS_FOR_PROCESSES", 1)


@pytest.fixture
def history() -> History:
    return History(Engine())


@pytest.fixture
async def folder(tmp_path: Path, history: History) -> Path:
    """A journal with three trades, projected, in two rows."""
    await journal_of(tmp_path, history, [opening(), deals(3)])
    return tmp_path


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Script:
    """A shell script takes the place of Python in the other processes."""
    path = tmp_path / "python"
    monkeypatch.setattr(sys, "executable", str(path))

    def written(text: str) -> None:
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o700)

    return written


async def proven(folder: Path, *, apart: bool = True, on_progress: Any = None) -> Figure:
    journal = await SqliteJournal.open(folder / JOURNAL_FILE, read_only=True)
    read_database = open_read_database(folder / READ_DATABASE_FILE, read_only=True)
    try:
        last = await journal.last_batch()
        assert last is not None
        return await compute_figure(
            2023, seq=last.last_seq, engine_counter_fen=None, read_database=read_database, journal=journal,
            place=folder / JOURNAL_FILE if apart else None,
            **({} if on_progress is None else {"on_progress": on_progress}),
        )  # fmt: skip
    finally:
        await read_database.dispose()
        await journal.close()


def forge(folder: Path, statement: str) -> None:
    with closing(sqlite3.connect(folder / READ_DATABASE_FILE)) as connection, connection:
        assert connection.execute(statement).rowcount == 1


async def test_the_figure_is_that_of_one_process(folder: Path) -> None:
    reached: list[tuple[int, int]] = []
    figure = await proven(folder, on_progress=lambda *progress: reached.append(progress))
    assert figure == await proven(folder, apart=False)
    assert (figure.decoder_fen, figure.agree) == (NET_FEN, True)
    assert reached == sorted(reached)
    assert reached[-1] == (figure.seq, figure.seq)


@pytest.mark.parametrize(
    "change",
    [
        forge_events(lambda e: e._replace(amount_fen=e.amount_fen ^ 1) if e.kind == EventKind.TRADE else e),
        forge_commands(lambda c: c._replace(amount_fen=c.amount_fen ^ 1) if c.kind == CommandKind.DEPOSIT else c),
    ],
    ids=["event", "command"],
)
async def test_the_re_execution_finds_a_byte_of_a_journal_with_new_hashes(folder: Path, change: Any) -> None:
    rewrite(folder / JOURNAL_FILE, change)
    with pytest.raises(JournalCorrupt, match="makes other events than the journal holds"):
        await proven(folder)


async def test_a_byte_of_a_row_is_damage(folder: Path) -> None:
    with closing(sqlite3.connect(folder / JOURNAL_FILE)) as connection, connection:
        ((first_seq, data),) = connection.execute("SELECT max(first_seq), data FROM rows").fetchall()
        changed = bytes(data[:200]) + bytes([data[200] ^ 1]) + bytes(data[201:])
        connection.execute("UPDATE rows SET data = ? WHERE first_seq = ?", (changed, first_seq))
    with pytest.raises(JournalCorrupt, match="checksum is wrong"):
        await proven(folder)


async def test_the_decoder_finds_an_engine_that_computes_wrongly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = CommandKind.LIST_INSTRUMENT, "amount_fen"
    await journal_of(tmp_path, History(Misreading(*wrong)), [opening(), deals(3)])
    monkeypatch.setattr("services.reporting.figure.Engine", lambda: Misreading(*wrong))
    figure = await proven(tmp_path)
    assert figure.sql_sum_fen == figure.journal_replay_fen != figure.decoder_fen == NET_FEN
    assert "amount, taker's fee and maker's fee" in figure.decoder.disagreements[0]
    assert not figure.agree


FORGED = {
    "UPDATE orders SET updated_ns = updated_ns - 1 WHERE order_id = (SELECT min(order_id) FROM orders)": "updated_ns",
    "UPDATE accounts SET cash_fen = cash_fen - 1 WHERE account = 2": "account 2: cash_fen",
    "UPDATE trades SET time_ns = time_ns - 1 WHERE trade_id = (SELECT min(trade_id) FROM trades)": "time_ns",
}


async def test_bytes_of_the_read_database_are_differences(folder: Path) -> None:
    for statement in FORGED:
        forge(folder, statement)
    figure = await proven(folder)
    assert figure.differences == (await proven(folder, apart=False)).differences
    for difference in FORGED.values():
        assert [named for named in figure.differences if difference in named], difference
    assert not figure.agree


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("kill -9 $$", "status -9"),
        ("cat > /dev/null; echo 3; kill -9 $$", "status -9"),
        ("echo out of memory >&2; exit 1", "out of memory"),
        ("cat > /dev/null; echo 3", "ended without an outcome"),
        ("cat > /dev/null; echo null", "ended without an outcome"),
        ("echo '{\"audit\": 1}'", "ended without an outcome"),
    ],
)
async def test_a_process_without_an_outcome_is_an_error(folder: Path, script: Script, text: str, reason: str) -> None:
    script(text)
    with pytest.raises(FigureUnavailable, match=reason):
        await proven(folder)


@pytest.mark.parametrize("what", ["journal", "read database"])
async def test_a_process_that_read_other_files_is_an_error(folder: Path, script: Script, what: str) -> None:
    figure = await proven(folder, apart=False)
    row_hash = "00" if what == "journal" else figure.decoder.row_hash
    found = {"seq": figure.seq - (what != "journal"), "row_hash": row_hash, "differences": [], "damage": None}
    (folder / "outcome").write_text(json.dumps(found))
    script(f"cat {folder / 'outcome'}")
    with pytest.raises(FigureUnavailable, match=f"the {what} was replaced"):
        await proven(folder)


async def test_canceled_it_ends_its_processes(folder: Path, script: Script) -> None:
    numbers = fifo(folder / "numbers")
    script(f"echo $$ > {folder / 'numbers'}; exec sleep 1000")
    try:
        running = asyncio.create_task(proven(folder))
        number = int((await asyncio.to_thread(os.read, numbers, 64)).split()[0])
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
    finally:
        os.close(numbers)
    with pytest.raises(ProcessLookupError):
        os.kill(number, 0)


async def test_a_venue_trades_on_before_the_processes_begin(folder: Path, history: History, script: Script) -> None:
    """They compare at a later position than this process does; the figure is that of the seq that was asked for."""
    begun, go = fifo(folder / "begun"), fifo(folder / "go")
    script(f'echo > {folder / "begun"}; read line < {folder / "go"}; exec {PYTHON} "$@"')
    try:
        running = asyncio.create_task(proven(folder))
        await asyncio.to_thread(os.read, begun, 1)  # the proof has its position
        await journal_of(folder, history, [deals(2)])
        os.write(go, b"\n" * 2)
        figure = await running
    finally:
        os.close(begun)
        os.close(go)
    assert (figure.decoder_fen, figure.differences, figure.agree) == (NET_FEN, (), True)


def fifo(path: Path) -> int:
    """A named pipe that is open at both ends, so that no program waits for the other one to open it."""
    os.mkfifo(path)
    return os.open(path, os.O_RDWR)
