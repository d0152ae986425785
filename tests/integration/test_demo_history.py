"""A demo begins with a history: the year up to its last completed trading day, whole or not at all; live traders go on."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections import defaultdict
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest
from rex_client import RexClient

from matching_engine.records import Phase
from services.data.calendar import TradingCalendar
from services.files.data_folder import JOURNAL_FILE, READ_DATABASE_FILE
from services.journal import JournalBusy, JournalRefused
from services.journal.journal_lock import locked
from services.processes.exit_codes import ExitCode
from services.reporting.checked_report import report_at_rest
from services.reporting.report import IS_SIMULATED
from services.reporting.target import SIMULATED
from services.sequencer.schedule import trading_date_at
from services.simulator import demo_accounts
from services.simulator.year import day_shape
from services.simulator.year.labels import LABELS_FILE
from services.venue.bootstrap import open_venue
from services.venue.demo_history import History, make_history, missing_history, settle_interrupted
from services.venue.first_start import DEMO_GUARDS
from services.venue.public import make_simulator
from services.venue.settings import Settings
from tests.faults.venue_process import rex
from tests.long import some

pytestmark = pytest.mark.rig

CALENDAR = TradingCalendar.load()
MORNING = date(2026, 1, 8)
"""The fourth trading day of 2026."""
MORNING_NS = day_shape.at(MORNING, (10, 0))
LAST_YEAR = {"REX_DEMO_TODAY": "2025-12-31"}
"""A long history, on any day that this test runs."""
HELD = (
    "SELECT accounts.name, symbol, lots FROM holdings JOIN accounts USING (account) JOIN instruments USING (instrument)"
)
FILES = (JOURNAL_FILE, READ_DATABASE_FILE, LABELS_FILE)
SILENT = lambda *_: None  # noqa: E731


def history_at(day: date, clock: tuple[int, int], folder: Path) -> History | None:
    return missing_history(folder, CALENDAR, trading_date_at(CALENDAR, day_shape.at(day, clock)))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("history") / "data"
    wanted = missing_history(folder, CALENDAR, MORNING)
    assert wanted == History(2026, 3, date(2026, 1, 7))
    asyncio.run(make_history(folder, wanted, CALENDAR, 7, SILENT))
    return folder


@pytest.mark.parametrize(
    ("day", "clock", "last"),
    [
        (date(2026, 1, 1), (12, 0), None),  # the year has no completed day yet
        (date(2026, 1, 5), (16, 59), None),  # its first trading day runs
        (date(2026, 1, 5), (17, 0), date(2026, 1, 5)),  # the night session belongs to the next day
        (date(2026, 1, 6), (3, 0), date(2026, 1, 5)),
        (date(2026, 1, 10), (12, 0), date(2026, 1, 9)),  # a Saturday
        (date(2026, 12, 31), (16, 59), date(2026, 12, 30)),
        (date(2026, 12, 31), (17, 0), None),  # the trading day is of the next year
        (date(2027, 3, 2), (12, 0), date(2027, 3, 1)),  # a year whose calendar is assumed
    ],
)
def test_a_history_ends_with_the_last_completed_trading_day(
    tmp_path: Path, day: date, clock: tuple[int, int], last: date | None
) -> None:
    found = history_at(day, clock, tmp_path)
    assert (found and found.last) == last
    if found is not None:
        days = CALENDAR.days(day.year)
        assert (found.year, found.days) == (day.year, days.index(found.last) + 1)


@pytest.mark.parametrize("name", [JOURNAL_FILE, READ_DATABASE_FILE])
def test_a_folder_with_a_venue_carries_on_unchanged(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    assert history_at(date(2026, 3, 2), (12, 0), tmp_path) is None
    with pytest.raises(JournalRefused, match="start again"):
        asyncio.run(make_history(tmp_path, History(2026, 1, date(2026, 1, 5)), CALENDAR, 7, SILENT))
    assert (tmp_path / name).read_bytes() == b""


@pytest.mark.anyio
async def test_the_traders_go_on_in_the_same_venue_on_today_s_trading_day(made: Path, tmp_path: Path) -> None:
    """The clock needs no operator: the history leaves no trading day out."""
    folder = shutil.copytree(made, tmp_path / "venue")
    assert {file.name for file in folder.iterdir()} >= {JOURNAL_FILE, READ_DATABASE_FILE, LABELS_FILE}
    settings = Settings(data_dir=folder, port=0, schedule="always", demo=True, demo_rate=400, demo_pace=3_000)
    async with open_venue(settings, clock=lambda: MORNING_NS) as venue:
        history_fen = venue.engine.turnover_fen(2026)
        assert history_fen > 3 * 10**9
        assert (venue.engine.trading_date, venue.recovery.last_seq > 500) == (20260108, True)
        async with RexClient(venue.url, venue.keys["operator"].key) as client:
            settled = {one["symbol"]: one for one in await client.instruments()}
            first: dict[str, str] = {}
            async for push in client.subscribe(["trades"], ["*"]):
                for trade in push["data"]["trades"]:
                    first.setdefault(trade["symbol"], trade["price"])
                if len(first) >= 10:
                    break
            accounts = {account["name"]: account for account in (await client.accounts(limit=500))["accounts"]}
        assert venue.engine.venue_phase == Phase.CONTINUOUS
        assert venue.engine.turnover_fen(2026) > history_fen
    for symbol, price in first.items():
        reference, tick = float(settled[symbol]["reference_price"]), float(settled[symbol]["tick_size"])
        assert abs(float(price) - reference) < max(0.015 * reference, 12 * tick), symbol
    for trader in demo_accounts():
        assert float(accounts[trader.name]["cash"]) * 100 > trader.cash_fen * 0.9
        assert len(accounts[trader.name]["holdings"]) == len(settled)
    assert len(accounts) == 1 + 44 + 1  # the venue's own, the members of the history, the desk


@pytest.mark.anyio
@pytest.mark.parametrize("starts", some([2, 5]))
async def test_more_starts_do_not_move_what_the_traders_want_to_hold(made: Path, tmp_path: Path, starts: int) -> None:
    """It is what they held when the history ended, and not what they hold at a start: that would only ever grow."""
    folder = shutil.copytree(made, tmp_path / "venue")
    settings = Settings(data_dir=folder, port=0, schedule="always", demo=True, demo_rate=400, demo_pace=3_000)
    homes, held = [], []
    for _ in range(starts):
        async with open_venue(settings, clock=lambda: MORNING_NS) as venue:
            homes.append(make_simulator(settings, venue.url, venue.keys).home_lots)
            async with RexClient(venue.url, venue.keys["operator"].key) as client:
                held.append(await holdings(client))
                trades = 0
                async for push in client.subscribe(["trades"], ["*"]):
                    trades += len(push["data"]["trades"])
                    if trades >= 20:
                        break
    assert all(home == homes[0] for home in homes)
    assert held[0] != held[-1]
    with closing(sqlite3.connect(made / READ_DATABASE_FILE)) as database:
        of_history: defaultdict[str, dict[str, int]] = defaultdict(dict)
        for name, symbol, lots in database.execute(HELD):
            of_history[name][symbol] = lots
    for trader in demo_accounts():
        if trader.role != "desk":
            at_end = of_history[trader.name]
            assert homes[0][trader.name] == {symbol: max(lots, at_end[symbol]) for symbol, lots in trader.lots.items()}
            assert homes[0][trader.name] != trader.lots


async def holdings(client: RexClient) -> dict[str, dict[str, int]]:
    accounts = (await client.accounts(limit=500))["accounts"]
    return {
        account["name"]: {holding["symbol"]: holding["quantity"] for holding in account["holdings"]}
        for account in accounts
    }


@pytest.mark.anyio
async def test_it_says_that_it_is_simulated_and_its_figure_is_proven(made: Path) -> None:
    found = await report_at_rest(made, 2026, prove=True)
    assert found.agree
    assert found.report.target_name.startswith(SIMULATED)
    assert found.report.assumptions[0] == IS_SIMULATED
    assert json.loads((made / LABELS_FILE).read_bytes())["simulated"] is True
    assert (found.report.days_completed, found.report.trading_date) == (3, 20260108)


@pytest.mark.anyio
async def test_the_venue_has_the_guards_of_a_demo_and_notes_at_every_instrument(made: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(made, tmp_path / "venue")
    async with (
        open_venue(Settings(data_dir=folder, port=0), clock=lambda: MORNING_NS) as venue,
        RexClient(venue.url, venue.keys["operator"].key) as client,
    ):
        for instrument in await client.instruments():
            assert instrument["note"].startswith(SIMULATED)
            assert instrument["auction_seconds"] == DEMO_GUARDS.auction_s


def test_what_is_interrupted_leaves_nothing_and_the_next_start_makes_it(tmp_path: Path) -> None:
    wanted = History(2026, 2, date(2026, 1, 6))

    def interrupt(*_: object) -> None:
        assert (tmp_path / "history.partial").is_dir()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        asyncio.run(make_history(tmp_path, wanted, CALENDAR, 7, interrupt))
    assert [file.name for file in tmp_path.iterdir()] == [f"{JOURNAL_FILE}.lock"]
    (tmp_path / "history.partial").mkdir()
    (tmp_path / "history.partial" / f"{JOURNAL_FILE}.partial").write_bytes(b"killed")
    asyncio.run(make_history(tmp_path, wanted, CALENDAR, 7, SILENT))
    assert not (tmp_path / "history.partial").exists()
    assert missing_history(tmp_path, CALENDAR, MORNING) is None


def test_what_has_moved_is_on_the_device_before_the_start_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The journal is, before anything else moves; the labels are last."""
    seen: list[set[str]] = []
    real = os.fsync

    def fsync(descriptor: int) -> None:
        if os.fstat(descriptor).st_ino == tmp_path.stat().st_ino:
            seen.append({file.name for file in tmp_path.iterdir()} & set(FILES))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    asyncio.run(make_history(tmp_path, History(2026, 1, date(2026, 1, 5)), CALENDAR, 7, SILENT))
    assert seen == [{JOURNAL_FILE}, set(FILES)]


@pytest.mark.anyio
@pytest.mark.parametrize("moved", [(), (JOURNAL_FILE,), (JOURNAL_FILE, READ_DATABASE_FILE)])
async def test_a_finished_history_whose_move_was_interrupted_is_not_thrown_away(
    made: Path, tmp_path: Path, moved: tuple[str, ...]
) -> None:
    partial = tmp_path / "history.partial"
    partial.mkdir()
    for name in FILES:
        shutil.copy(made / name, (tmp_path if name in moved else partial) / name)
    settle_interrupted(tmp_path)
    assert not partial.exists()
    for name in (JOURNAL_FILE, LABELS_FILE):
        assert (tmp_path / name).read_bytes() == (made / name).read_bytes()
    assert missing_history(tmp_path, CALENDAR, MORNING) is None
    async with open_venue(Settings(data_dir=tmp_path, port=0), clock=lambda: MORNING_NS) as venue:
        assert venue.engine.turnover_fen(2026) > 3 * 10**9


@pytest.mark.parametrize(
    ("left", "present"),
    [((JOURNAL_FILE, READ_DATABASE_FILE), ()), (FILES, (JOURNAL_FILE,)), ((LABELS_FILE,), ())],
    ids=["not finished", "a venue was made since", "labels alone"],
)
def test_anything_else_that_was_left_goes_and_touches_no_venue(
    made: Path, tmp_path: Path, left: tuple[str, ...], present: tuple[str, ...]
) -> None:
    (tmp_path / "history.partial").mkdir()
    for name in left:
        shutil.copy(made / name, tmp_path / "history.partial" / name)
    for name in present:
        (tmp_path / name).write_bytes(b"of another venue")
    settle_interrupted(tmp_path)
    assert {file.name for file in tmp_path.iterdir()} == {f"{JOURNAL_FILE}.lock", *present}
    assert all((tmp_path / name).read_bytes() == b"of another venue" for name in present)


@pytest.mark.slow
@pytest.mark.long
def test_a_whole_year_is_small(tmp_path: Path) -> None:
    """At the end of a year a first start makes the most: at most 100,000 commands and 60 MB."""
    wanted = missing_history(tmp_path, CALENDAR, date(2026, 12, 31))
    assert wanted is not None
    year = asyncio.run(make_history(tmp_path, wanted, CALENDAR, 20231201, SILENT))
    assert year.last_seq <= 100_000
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) <= 60_000_000
    assert year.turnover_fen == pytest.approx(year.due_fen, rel=0.005)


def test_two_starts_at_once_do_not_meet(tmp_path: Path) -> None:
    (tmp_path / "history.partial").mkdir()
    with locked(tmp_path / JOURNAL_FILE):
        with pytest.raises(JournalBusy, match="in use by another REX process"):
            asyncio.run(make_history(tmp_path, History(2026, 1, date(2026, 1, 5)), CALENDAR, 7, SILENT))
        with pytest.raises(JournalBusy):
            settle_interrupted(tmp_path)
        assert (tmp_path / "history.partial").is_dir()
    settle_interrupted(tmp_path)
    assert not (tmp_path / "history.partial").exists()


@pytest.mark.parametrize(
    ("number", "status", "left"),
    [
        (signal.SIGTERM, 1, {f"{JOURNAL_FILE}.lock"}),
        (signal.SIGKILL, -signal.SIGKILL, {f"{JOURNAL_FILE}.lock", "history.partial"}),
    ],
)
def test_a_first_start_that_is_ended_leaves_no_venue(
    tmp_path: Path, number: signal.Signals, status: int, left: set[str]
) -> None:
    """A whole year, which takes seconds; it is ended once the folder is in use."""
    rex = [sys.executable, "-u", "-c", "from services.cli import main; main()"]
    command = [*rex, "demo", "--port", "0", "--data-dir", str(tmp_path)]
    environment, pipe = os.environ | LAST_YEAR, subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=environment) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            assert "First start" in process.stdout.readline()
            while not (tmp_path / "history.partial" / f"{JOURNAL_FILE}.partial").exists():
                assert process.poll() is None
            process.send_signal(number)
            said = process.stderr.read()
            assert process.wait() == status
        finally:
            process.kill()  # a demo that goes on would never end by itself
    assert {file.name for file in tmp_path.iterdir()} == left
    assert "Traceback" not in said
    if status > 0:
        assert "nothing of it was kept" in said


def test_a_demo_has_a_history_up_to_the_day_before_its_today(tmp_path: Path) -> None:
    command = ["demo", "--seconds", "0.1", "--port", "0", "--json", "--data-dir", str(tmp_path)]
    ended = rex(*command, variables={"REX_DEMO_TODAY": "2025-01-06"})
    assert ended.exit_status == ExitCode.OK, ended.err
    assert json.loads((tmp_path / LABELS_FILE).read_bytes())["days"] == CALENDAR.days(2025).index(date(2025, 1, 6))


def test_a_today_after_the_clock_is_refused(tmp_path: Path) -> None:
    command = ["demo", "--port", "0", "--data-dir", str(tmp_path)]
    ended = rex(*command, variables={"REX_DEMO_TODAY": "9999-01-04"})
    assert ended.exit_status == ExitCode.USAGE
    assert ended.err.startswith("rex: REX_DEMO_TODAY is 9999-01-04, and by the clock the trading day is 20")
    assert [*tmp_path.iterdir()] == []
