"""`rex report` without HTTP: from a data folder, beside a running venue, with the read database in any state."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console
from typer.testing import CliRunner

from matching_engine import Engine
from matching_engine.records import EVENT, Side
from services.cli import app
from services.commands import administrative as admin
from services.commands.attachments import TargetSet
from services.data.instruments import DataFileError
from services.files.data_folder import JOURNAL_FILE, READ_DATABASE_FILE
from services.journal import JournalError
from services.journal.errors import JournalCorrupt, JournalLost
from services.journal.sqlite import SqliteJournal
from services.messaging import Submission
from services.messaging.in_process import InProcessFeed
from services.read_model.database import open_read_database
from services.read_model.errors import ReadDatabaseForeign
from services.read_model.projector import Projector
from services.read_model.sqlite_writer import SqliteWriter
from services.reporting.audit import own_sha256
from services.reporting.checked_report import CheckedReport, report_at_rest
from services.reporting.exports.turnover_sheet import preamble
from services.reporting.schemas import ProofAlert
from services.reporting.terminal import render
from services.reporting.verdict import Outcome
from services.values.times import date_text
from tests.unit.journal.chains import next_batch
from tests.unit.read_model.history import REFERENCE_TICKS, SENDER, History, opening, order


@asynccontextmanager
async def projecting(folder: Path, journal: SqliteJournal) -> AsyncIterator[Projector]:
    read_database = open_read_database(folder / READ_DATABASE_FILE)
    projector = Projector(SqliteWriter(folder / READ_DATABASE_FILE), journal, InProcessFeed())
    task = asyncio.create_task(projector.run())
    yield projector
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    await read_database.dispose()


def deals(times: int) -> list[Submission]:
    """Each a trade of 2 lots at the reference price: 20,000.00 yuan."""
    return [
        order(account, side, REFERENCE_TICKS, 2)
        for _ in range(times)
        for account, side in ((2, Side.SELL), (3, Side.BUY))
    ]


@pytest.fixture
async def folder(tmp_path: Path) -> Path:
    """A journal with three trades, completely projected, without a running venue."""
    await journal_of(tmp_path, History(Engine()), [opening(), deals(3)])
    return tmp_path


async def journal_of(folder: Path, history: History, batches: list[list[Submission]], projected: bool = True) -> None:
    journal = await SqliteJournal.open(folder / JOURNAL_FILE)
    history.journal_id, history.epoch = journal.journal_id, journal.epoch
    for batch in batches:
        await journal.append(history.batch(batch))
    if projected:
        async with projecting(folder, journal) as projector:
            await projector.reached(history.engine.last_seq)
    await journal.close()


@pytest.mark.anyio
async def test_from_a_folder_with_nobody_running(folder: Path) -> None:
    found = await report_at_rest(folder, 2023)
    assert (found.report.net_fen, found.report.trades, found.figure, found.agree) == (6_000_000, 3, None, True)
    document = found.to_json()
    assert "figure" not in document
    assert document["proven"] is False
    assert "checked" not in document, "a report has the same bytes however it is read"
    assert "the rows before it were not. No command was re-executed: --prove does that" in found.checked


@pytest.mark.anyio
async def test_proves_the_figure(folder: Path) -> None:
    found = await report_at_rest(folder, 2023, prove=True)
    document = found.to_json()
    assert document["figure"] == {
        "year": 2023, "seq": found.report.seq, "engine_counter": None, "sql_sum": "60000.00",
        "journal_replay": "60000.00", "independent_decoder": "60000.00", "excluded_sql_sum": "0.00",
        "excluded_independent_decoder": "0.00", "net": "60000.00", "gross": "60000.00", "busted": "0.00", "trades": 3,
        "busted_trades": 0, "excluded_trades": 0, "row_hash": found.report.row_hash.hex(),
        "journal_id": found.report.journal_id.hex(), "decoder_sha256": own_sha256(),
        "decoder_disagreements": [], "differences": [], "agree": True,
    }  # fmt: skip
    assert (document["net"], document["agree"], document["proven"]) == ("60000.00", True, True)
    assert document["checked"].startswith(f"Every row up to seq {found.report.seq} was read back and every command re-")


@pytest.mark.anyio
@pytest.mark.parametrize("trouble", ["missing", "empty", "damaged pages", "another format"])
async def test_instead_of_a_read_database_of_no_use_one_is_made_elsewhere(folder: Path, trouble: str) -> None:
    path = folder / READ_DATABASE_FILE
    match trouble:
        case "missing":
            path.unlink()
        case "empty":
            path.write_bytes(b"")
        case "damaged pages":
            pages = path.stat().st_size // 4096
            path.write_bytes(path.read_bytes()[:4096] + b"\xff" * 4096 * (pages - 1))
        case _:
            with closing(sqlite3.connect(path)) as connection, connection:
                connection.execute("PRAGMA user_version = 999")
    before = path.read_bytes() if path.exists() else None
    found = await report_at_rest(folder, 2023)
    assert (found.report.net_fen, found.agree) == (6_000_000, True)
    assert "a read database made from the journal now. Every row of the journal was read back." in found.checked
    proved = await report_at_rest(folder, 2023, prove=True)
    assert (path.read_bytes() if path.exists() else None) == before

    # What is there and cannot be read is a difference; what is not there yet is none.
    assert proved.figure is not None
    assert proved.figure.sql_sum_fen == proved.figure.journal_replay_fen == 6_000_000
    assert proved.agree == (trouble in ("missing", "empty"))
    assert [str(path) in difference for difference in proved.figure.differences] == [True] * (not proved.agree)


@pytest.mark.anyio
async def test_there_is_no_report_beside_a_read_database_of_another_journal(folder: Path) -> None:
    path = folder / READ_DATABASE_FILE
    for seq in ("seq", "0", "1"):
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute(f"UPDATE position SET journal_id = zeroblob(16), seq = {seq}")
        before = path.read_bytes()
        for prove in (False, True):
            with pytest.raises(ReadDatabaseForeign, match="was made from another journal"):
                await report_at_rest(folder, 2023, prove=prove)
        assert path.read_bytes() == before


async def lose_last_batch(folder: Path) -> int:
    """Removes the last batch of a closed journal; returns its first seq."""
    with closing(sqlite3.connect(folder / JOURNAL_FILE)) as connection, connection:
        (first_seq,) = connection.execute("SELECT max(first_seq) FROM rows").fetchone()
        connection.execute("DELETE FROM rows WHERE first_seq = ?", (first_seq,))
    return int(first_seq)


@pytest.mark.anyio
async def test_there_is_no_report_on_a_journal_behind_its_read_database(folder: Path) -> None:
    first_seq = await lose_last_batch(folder)
    said = rf"lost commands from seq {first_seq} on: .* the read database .*Remove nothing"
    for prove in (False, True):
        with pytest.raises(JournalLost, match=said) as lost:
            await report_at_rest(folder, 2023, prove=prove)
        assert lost.value.seq == first_seq


@pytest.mark.anyio
async def test_there_is_no_report_on_a_journal_that_went_on_differently(folder: Path) -> None:
    first_seq = await lose_last_batch(folder)
    journal = await SqliteJournal.open(folder / JOURNAL_FILE)
    before = await journal.last_batch()
    assert before is not None
    await journal.append(next_batch(before, 6, journal_id=journal.journal_id, epoch=journal.epoch))
    await journal.close()
    with pytest.raises(
        JournalCorrupt, match=f"a row that ends at seq {first_seq + 5} with hash .* One of the two was changed"
    ):
        await report_at_rest(folder, 2023)


@pytest.mark.anyio
@pytest.mark.parametrize(
    "garbage",
    [
        "DELETE FROM instruments WHERE instrument IN (SELECT instrument FROM daily_turnover)",
        "UPDATE instruments SET lot_size = 'a'",
    ],
)
async def test_instead_of_a_read_database_of_garbage_one_is_made_elsewhere(folder: Path, garbage: str) -> None:
    """Damages that SQLite reads without an error: pages of another table, or older pages."""
    path = folder / READ_DATABASE_FILE
    true = (await report_at_rest(folder, 2023)).report
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA ignore_check_constraints = ON")
        connection.execute(garbage)
    found = await report_at_rest(folder, 2023)
    assert (found.report.net_fen, found.report.products) == (true.net_fen, true.products)
    assert "a read database made from the journal now" in found.checked
    assert not (await report_at_rest(folder, 2023, prove=True)).agree


@pytest.mark.anyio
async def test_what_a_report_cannot_compute_is_no_damage_of_the_database(folder: Path) -> None:
    with pytest.raises(ValueError, match="year 0 is out of range"):
        await report_at_rest(folder, 0)


def damage_first_batch(folder: Path) -> None:
    """Flips a bit of the closed journal's first batch, which is at no report's position."""
    with closing(sqlite3.connect(folder / JOURNAL_FILE)) as connection, connection:
        (data,) = connection.execute("SELECT data FROM rows WHERE first_seq = 1").fetchone()
        connection.execute("UPDATE rows SET data = ? WHERE first_seq = 1", (data[:400] + b"?" + data[401:],))


@pytest.mark.anyio
async def test_a_report_says_that_the_batches_beneath_its_figure_were_not_read(tmp_path: Path) -> None:
    await journal_of(tmp_path, History(Engine()), [opening(), deals(1), deals(2)])
    folder = tmp_path
    damage_first_batch(folder)
    found = await report_at_rest(folder, 2023)
    assert found.report.net_fen == 6_000_000
    assert found.to_json()["proven"] is False
    assert "the row it stands at was read back, the rows before it were not" in found.checked
    with pytest.raises(JournalCorrupt):
        await report_at_rest(folder, 2023, prove=True)
    (folder / READ_DATABASE_FILE).unlink()  # then every batch is read, and the report says so where it finds nothing
    with pytest.raises(JournalCorrupt):
        await report_at_rest(folder, 2023)


@pytest.mark.anyio
async def test_a_read_database_that_is_behind_is_caught_up_in_a_copy(tmp_path: Path) -> None:
    history = History(Engine())
    await journal_of(tmp_path, history, [opening(), deals(1)])
    await journal_of(tmp_path, history, [deals(4)], projected=False)
    found = await report_at_rest(tmp_path, 2023, prove=True)
    assert (found.report.net_fen, found.report.seq, found.agree) == (10_000_000, history.engine.last_seq, True)
    unproven = await report_at_rest(tmp_path, 2023)
    assert "a copy of the read database of the folder, brought up to date. Of the journal the rows it lacked" in (
        unproven.checked
    )
    with closing(sqlite3.connect(tmp_path / READ_DATABASE_FILE)) as connection:
        assert connection.execute("SELECT sum(amount_fen) FROM trades").fetchone() == (2_000_000,)


@pytest.mark.anyio
async def test_beside_a_running_venue(tmp_path: Path) -> None:
    history = History(Engine())
    journal = await SqliteJournal.open(tmp_path / JOURNAL_FILE)
    history.journal_id, history.epoch = journal.journal_id, journal.epoch
    await journal.append(history.batch(opening()))
    async with projecting(tmp_path, journal) as projector:
        await projector.reached(history.engine.last_seq)
        assert (await report_at_rest(tmp_path, 2023, prove=True)).report.net_fen == 0
    await journal.close()


def bytes_of(folder: Path) -> dict[str, bytes]:
    """The bytes of all files except SQLite's index of a log, in which each reader records its position."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if not path.name.endswith("-shm")}


@pytest.mark.anyio
@pytest.mark.parametrize("behind", [False, True], ids=["up to date", "behind the journal"])
async def test_whoever_looks_changes_no_byte_that_a_kill_left(tmp_path: Path, behind: bool) -> None:
    venue, left = tmp_path / "a venue", tmp_path / "left, 100 %"
    history = History(Engine())
    journal = await SqliteJournal.open(venue / JOURNAL_FILE)
    history.journal_id, history.epoch = journal.journal_id, journal.epoch
    await journal.append(history.batch([*opening(), *deals(1)]))
    async with projecting(venue, journal) as projector:
        await projector.reached(history.engine.last_seq)
        if behind:
            await journal.append(history.batch(deals(1)))
        shutil.copytree(venue, left)
    await journal.close()
    before = bytes_of(left)
    assert all(len(before[f"{name}-wal"]) > 4096 for name in (JOURNAL_FILE, READ_DATABASE_FILE))
    for command in ("report 2023", "report 2023 --prove", "journal verify", "journal verify --prove"):
        ended = await asyncio.to_thread(CliRunner().invoke, app, [*command.split(), "--data-dir", str(left)])
        assert ended.exit_code == 0, ended.output
        changed = {
            name for name in before.keys() | bytes_of(left).keys() if bytes_of(left).get(name) != before.get(name)
        }
        assert not changed, command


@pytest.mark.anyio
async def test_an_empty_journal_and_no_journal(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="no journal"):
        await report_at_rest(tmp_path, 2023)
    await (await SqliteJournal.open(tmp_path / JOURNAL_FILE)).close()
    found = await report_at_rest(tmp_path, 2023, prove=True)
    assert (found.report.net_fen, found.report.seq, found.report.trading_date, found.agree) == (0, 0, 0, True)


@pytest.mark.anyio
async def test_a_rewritten_journal_is_found_out(tmp_path: Path) -> None:
    """Even with every hash computed anew: the commands make other events than the rewritten ones."""
    history = History(Engine())
    await journal_of(tmp_path, history, [opening()])
    journal = await SqliteJournal.open(tmp_path / JOURNAL_FILE)
    history.epoch = journal.epoch
    batch = history.batch(deals(1))
    events = np.frombuffer(batch.events, EVENT).copy()
    events["amount_fen"] *= 2
    await journal.append(replace(batch, events=events.tobytes()))
    await journal.close()
    assert (await report_at_rest(tmp_path, 2023)).report.net_fen == 4_000_000
    with pytest.raises(JournalCorrupt, match="makes other events"):
        await report_at_rest(tmp_path, 2023, prove=True)


@pytest.mark.anyio
async def test_an_operators_calendar(folder: Path) -> None:
    path = folder / "days.csv"
    path.write_text("date\n2027-01-04\n")
    with pytest.raises(DataFileError, match="give the whole year"):
        await report_at_rest(folder, 2027, calendar_file=path)
    assert (await report_at_rest(folder, 2027)).report.calendar == "assumed"


@pytest.mark.anyio
async def test_on_a_terminal(folder: Path) -> None:
    console = Console(width=120, record=True, file=(folder / "terminal").open("w"))
    with console.file:
        console.print(render(await report_at_rest(folder, 2023, prove=True)))
    text = console.export_text()
    for part in (
        "60,000.00",
        "23,000,000,000.00",
        "too early to say",
        "Single-sided",
        "they agree",
        "氧化钕",
        "ahead of the pace",
        "independent decoder of the journal",
        f"decoder  {own_sha256()}",
        "A year has a level of its own",
        "Measured on simulated years",
    ):
        assert part in text
    report = (await report_at_rest(folder, 2023)).report
    assert report.row_hash.hex() in text
    assert "Every row up to seq" in text
    (folder / READ_DATABASE_FILE).write_bytes(b"nothing of use" * 100)
    on_paper = Console(width=120)
    with on_paper.capture() as damaged:
        on_paper.print(render(await report_at_rest(folder, 2023, prove=True)))
    assert "the sums agree, the read database is not true" in damaged.get()


@pytest.mark.anyio
async def test_the_first_line_on_a_terminal_is_the_answer(folder: Path) -> None:
    found = await report_at_rest(folder, 2023)
    assert answer_of(found)[:2] == [
        "Will 2023 reach ¥ 23.0 bn? It is too early to say.",
        "No day is completed yet; today: ¥ 60,000.00",
    ]
    changes: list[tuple[dict[str, Any], str]] = [
        ({"outcome": Outcome.REACHED}, "Yes. It is too"),
        ({"outcome": Outcome.BEHIND, "target_is_set": False}, "(the plan: no target is set)? Probably not. It is"),
        (
            {"outcome": Outcome.OPEN, "target_is_pro_rata": True, "target_fen": 100_000_000_000},
            "pro rata of ¥ 23.0 bn for the",
        ),
        ({"days_completed": 3}, "Since the last completed day: ¥ 60,000.00"),
        ({"simulated": True}, "SIMULATED  The journal begins"),
        (
            {"proof_alerts": (ProofAlert(sentence="No proof agreed.", sentence_zh="无"),)},
            "NOT PROVEN  No proof agreed.",
        ),
    ]
    for update, said in changes:
        assert said in "\n".join(answer_of(replace(found, report=found.report.model_copy(update=update)))), update


@pytest.mark.anyio
async def test_the_last_line_on_a_terminal_and_a_line_in_csv_name_the_last_proof(folder: Path) -> None:
    found = await report_at_rest(folder, 2023)
    proven = found.report.model_copy(update={"proven_seq": 4_000, "proven_at_ns": 1_704_074_400_000_000_000})
    for report, said in (
        (found.report, "not proven yet: rex report --prove makes a proof now, and a running venue makes one an hour"),
        (proven, "last proof that agreed: of seq 4,000, recorded 2024-01-01T02:00:00.000000Z"),
    ):
        assert said in shown_of(replace(found, report=report))
        assert said in preamble(report)


@pytest.mark.anyio
async def test_a_terminal_says_at_which_close_the_pace_was_due(folder: Path) -> None:
    """And of a closed year, which has no day left, nothing about what is still to come."""
    found = await report_at_rest(folder, 2023)
    last = date_text(found.report.days[found.report.days_before_opening + 2].date)
    running = {"days_completed": 3, "ahead_fen": -500, "ahead_days": Fraction(-1)}
    text = shown_of(found, **running)
    assert f"pace at the close of {last}" in text
    assert f"behind the pace at the close of {last}  " in text
    closed = {
        "days_left": 0,
        "required_per_day_fen": None,
        "required_ratio": None,
        "forecast": None,
        "verdict": "Closed.",
    }
    text = shown_of(found, **running, **closed, recent_mean_fen=9_500_000_000, forecast_year_mean_fen=None)
    assert "no day is left; the mean is ¥ 95,000,000.00" in text
    assert "too early to say" not in text


def shown_of(found: CheckedReport, **update: Any) -> str:
    """What a terminal shows of the report with these values."""
    console = Console(width=100)
    with console.capture() as shown:
        console.print(render(replace(found, report=found.report.model_copy(update=update))))
    return shown.get()


def answer_of(found: CheckedReport) -> list[str]:
    """The lines of the panel before the figure."""
    lines = [line.strip("│ ") for line in shown_of(found).splitlines()[2:]]
    return lines[: lines.index("")]


@pytest.mark.anyio
async def test_a_target_that_was_set(tmp_path: Path) -> None:
    target = admin.record(SENDER, TargetSet(year=2023, amount=12_000_000, name="a small year"))
    await journal_of(tmp_path, History(Engine()), [opening(), [target], deals(3)])
    report = (await report_at_rest(tmp_path, 2023)).report
    assert (report.target_fen, report.target_name, report.target_is_set) == (12_000_000, "a small year", True)
    assert report.share == Fraction(1, 2)
