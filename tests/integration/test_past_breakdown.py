"""The breakdown of a past report: the bytes of the day, after busts, decisions and more trading."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from matching_engine import Engine
from services.cli import app
from services.commands import administrative as admin
from services.commands.attachments import BustText, ContextStated, TargetSet, TradesDecided
from services.data.calendar import TradingCalendar
from services.files.data_folder import JOURNAL_FILE, READ_DATABASE_FILE
from services.journal.sqlite import SqliteJournal
from services.reporting.breakdown_as_of import read_breakdown_as_of
from services.reporting.checked_report import report_at_rest
from services.reporting.figure import ignore_progress
from services.values.decimals import yuan_text
from tests.integration.test_reporting_folder import deals, journal_of
from tests.unit.read_model.history import SENDER, History, day_roll, opening

pytestmark = pytest.mark.anyio

OPTIONS = (("--breakdown",), ("--breakdown", "--json"))
OUTPUT = ContextStated(
    year=2023, figure="output value", value="75000000000", unit="yuan", source="a yearbook", name="Li Na"
)


async def printed(folder: Path, *options: object) -> bytes:
    arguments = ["report", "2023", "--data-dir", folder, *options]
    done = await asyncio.to_thread(CliRunner().invoke, app, [*map(str, arguments)])
    assert done.exit_code == 0, done.output
    return done.stdout_bytes


async def test_every_report_has_the_bytes_of_the_day_later(tmp_path: Path) -> None:
    history = History(Engine())
    kept: dict[int, list[bytes]] = {}

    async def keep() -> None:
        kept[history.engine.last_seq] = [await printed(tmp_path, *options) for options in OPTIONS]

    await journal_of(tmp_path, history, [opening(), deals(2)])
    excluded = history.engine.last_seq << 20 | 1
    await keep()
    decided = TradesDecided(decision="exclude", trade_ids=(excluded,), reason="a ring", name="Li Na")
    await journal_of(tmp_path, history, [deals(1), [admin.record(SENDER, decided), admin.record(SENDER, OUTPUT)]])
    busted = (history.engine.last_seq - 2) << 20 | 1
    await keep()
    await journal_of(tmp_path, history, [[admin.bust_trade(SENDER, busted, BustText(reason="a mistake"))]])
    await keep()
    rolled = [day_roll(SENDER, 20230104), admin.change_inventory(SENDER, 2, 0, -2)]
    replaced = TargetSet(year=2023, amount=1, name="another", replaces=3)
    included = decided.model_copy(update={"decision": "include"})
    await journal_of(tmp_path, history, [rolled, deals(1), [admin.record(SENDER, included)]])
    await keep()
    await journal_of(tmp_path, history, [deals(2), [admin.record(SENDER, replaced)]], projected=False)
    ladders = {json.dumps(json.loads(texts[-1])["breakdown"]["ladder"]) for texts in kept.values()}
    assert len(ladders) == 4, "the moments differ"
    for seq, texts in kept.items():
        assert [await printed(tmp_path, "--seq", seq, *options) for options in OPTIONS] == texts
    (tmp_path / READ_DATABASE_FILE).unlink()
    seq, texts = kept.popitem()
    assert await printed(tmp_path, "--seq", seq, "--breakdown", "--json") == texts[-1], "from a database made anew"


async def test_only_who_asks_gets_a_breakdown(tmp_path: Path) -> None:
    await journal_of(tmp_path, History(Engine()), [opening(), deals(1)])
    assert "breakdown" not in json.loads(await printed(tmp_path, "--json"))
    assert b"fee income" not in await printed(tmp_path)
    assert b"fee income" in await printed(tmp_path, "--breakdown")


async def test_a_seq_within_a_row_counts_what_came_up_to_it(tmp_path: Path) -> None:
    """A journal whose row holds all commands has the breakdown of one whose row ends at each of them."""
    together, apart = tmp_path / "together", tmp_path / "apart"
    for folder, batches in ((together, [opening(), deals(200)]), (apart, [opening(), *([one] for one in deals(200))])):
        folder.mkdir()
        history = History(Engine())
        await journal_of(folder, history, batches, projected=False)
    calendar, last_seq = TradingCalendar.load(), history.engine.last_seq
    found: dict[Path, list[str]] = {}
    for folder in (together, apart):
        journal = await SqliteJournal.open(folder / JOURNAL_FILE, read_only=True)
        found[folder] = [
            json.dumps((await read_breakdown_as_of(journal, 2023, seq, calendar, ignore_progress)).to_json())
            for seq in (1, 3, last_seq - 301, last_seq - 300, last_seq - 1, last_seq)
        ]
        await journal.close()
    assert found[together] == found[apart]
    assert len(set(found[apart])) > 3


async def test_says_how_far_it_has_come(tmp_path: Path) -> None:
    history, progress = History(Engine()), list[tuple[int, int]]()
    await journal_of(tmp_path, history, [opening(), *(deals(1_000) for _ in range(3))], projected=False)
    seq = history.engine.last_seq - 1

    def on_progress(reached_seq: int, last_seq: int) -> None:
        progress.append((reached_seq, last_seq))

    found = await report_at_rest(tmp_path, 2023, seq=seq, breakdown=True, on_progress=on_progress)
    assert found.breakdown is not None
    assert found.breakdown.to_json()["ladder"]["ladder"]["net"]["amount"] == yuan_text(found.report.net_fen)
    reached = [reached_seq for reached_seq, _ in progress]
    assert {last_seq for _, last_seq in progress} == {seq}
    assert reached == sorted(reached)
    assert 0 < reached[0] <= reached[-1] <= seq
