"""A simulated year is a venue like any other: its journal verifies, its figure is proven, it continues the next morning."""

from __future__ import annotations

import asyncio
import io
import json
import os
import re
import shutil
import subprocess
import sys
from datetime import date
from decimal import Decimal
from pathlib import Path

import pypdf
import pytest
from typer.testing import CliRunner

from matching_engine import Engine
from matching_engine.records import Command, CommandKind, Phase, unpack_commands
from services.cli import app
from services.cli.verifying import verify_journal
from services.data.calendar import TradingCalendar
from services.data.trading_hours import TRADING_DAY, local_day
from services.files.data_folder import JOURNAL_FILE
from services.journal import JournalRefused
from services.journal.sqlite import SqliteJournal
from services.reporting.checked_report import report_at_rest
from services.reporting.report import IS_SIMULATED
from services.reporting.target import SIMULATED
from services.sequencer.schedule import ExchangeHours
from services.simulator.year import day_shape
from services.simulator.year.labels import LABELS_FILE
from services.venue.bootstrap import open_venue
from services.venue.settings import Settings
from services.venue.simulated_year import SimulatedYear, YearWish, prove, simulate_year
from tests.patience import AsyncHttpClient

pytestmark = pytest.mark.rig

CALENDAR = TradingCalendar.load()
DAYS = 3
WISH = YearWish(2023, 7, commands=600_000, days=DAYS)
TIMERS = (CommandKind.TIME, CommandKind.SET_PHASE, CommandKind.DAY_ROLL)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("simulated")


@pytest.fixture(scope="module")
def made(folder: Path) -> SimulatedYear:
    return asyncio.run(simulate_year(folder, WISH, CALENDAR))


async def commands_of(folder: Path) -> list[Command]:
    journal = await SqliteJournal.open(folder / JOURNAL_FILE, read_only=True)
    try:
        return [command async for batch in journal.read(0) for command in unpack_commands(batch.commands)]
    finally:
        await journal.close()


@pytest.mark.anyio
async def test_the_journal_verifies_and_every_order_of_the_read_database_is_the_journal_s(
    folder: Path, made: SimulatedYear
) -> None:
    found = await verify_journal(folder, True, [], show=False)
    assert found.good, (found.result.error, found.differences)
    assert found.result.state_hash == made.state_hash
    assert found.result.last_seq == made.last_seq


@pytest.mark.anyio
async def test_the_report_is_proven_and_says_that_the_year_is_simulated(folder: Path, made: SimulatedYear) -> None:
    found = await report_at_rest(folder, 2023, prove=True)
    assert found.agree
    assert found.figure is not None
    assert found.figure.sql_sum_fen == made.turnover_fen == (await prove(folder, made)).engine_counter_fen
    assert found.report.target_name.startswith(SIMULATED)
    assert found.report.days_completed == DAYS


def test_the_days_trade_what_the_plan_has_for_them(made: SimulatedYear) -> None:
    assert made.turnover_fen == pytest.approx(made.due_fen, rel=0.01)


@pytest.mark.anyio
async def test_every_timer_runs_when_it_is_due_and_no_command_before_it(folder: Path, made: SimulatedYear) -> None:
    """What the sequencer of a running venue guarantees: before each command, neither schedule nor engine has a timer due."""
    engine, hours, last_ns, phases = Engine(), ExchangeHours(CALENDAR), 0, []
    for command in await commands_of(folder):
        assert command.time_ns >= last_ns
        last_ns = command.time_ns
        if command.kind not in TIMERS:
            assert hours.due(engine.trading_date, engine.venue_phase, command.time_ns) == []
            assert not 0 < engine.next_deadline_ns <= command.time_ns
        if command.kind == CommandKind.SET_PHASE:
            phases.append((local_day(command.time_ns)[1], command.phase))
        engine.submit(command)
    roll = (day_shape.at(date(1970, 1, 2), day_shape.END_OF_DAY) - day_shape.at(date(1970, 1, 2), (0, 0)), Phase.CLOSED)
    assert phases[1:] == [*TRADING_DAY, roll] * DAYS  # before them, the first start
    assert engine.state_hash() == made.state_hash


@pytest.mark.anyio
async def test_it_stays_simulated_whatever_its_target_is_called(
    folder: Path, made: SimulatedYear, tmp_path: Path
) -> None:
    """A later target has another name. Report, certificate and bulletins still say it; the past report has its bytes."""
    morning_ns, report = day_shape.at(made.plan.days[DAYS], (9, 30)), "/v1/reports/turnover/2023"
    settings = Settings(data_dir=shutil.copytree(folder, tmp_path / "venue"), port=0)
    async with open_venue(settings, clock=lambda: morning_ns) as venue:
        headers = {"authorization": f"Bearer {venue.keys['operator'].key}"}
        async with AsyncHttpClient(base_url=venue.url, headers=headers) as client:
            before = await client.get(report, params={"at_least_seq": made.last_seq})
            target = {"year": 2023, "amount": "23000000000.00", "name": "the plan", "why": "a new plan"}
            target["replaces"] = before.json()["target_seq"]
            answer = await client.post("/v1/admin/targets", json=target)
            assert answer.status_code == 201, answer.text
            seq = answer.json()["seq"]
            after = (await client.get(report, params={"at_least_seq": seq})).json()
            assert (after["target_name"], after["simulated"], IS_SIMULATED in after["assumptions"]) == (
                "the plan",
                True,
                True,
            )
            assert (await client.get(report, params={"seq": before.json()["seq"]})).content == before.content
            certificate = (await client.get(f"{report}/certificate")).json()
            assert (certificate["target_name"], certificate["simulated"]) == ("the plan", True)
            for path in ("bulletins/2023-01-03", "bulletins/2023-01", "index", "quality/2023-01-03"):
                assert (await client.get(f"/v1/reports/{path}")).json()["simulated"] is True, path
            other = (await client.get("/v1/reports/turnover/2022")).json()
            assert (other["simulated"], IS_SIMULATED in other["assumptions"]) == (False, False)
            pdf = await client.get(f"{report}/certificate?format=pdf")
            page, _made_of = pypdf.PdfReader(io.BytesIO(pdf.content)).pages
            text = "".join(page.extract_text().split())
            assert "SIMULATED模拟数据" in text
            assert "".join(IS_SIMULATED.split()) in text


@pytest.mark.anyio
async def test_a_venue_continues_the_next_morning(folder: Path, made: SimulatedYear, tmp_path: Path) -> None:
    morning_ns = day_shape.at(made.plan.days[DAYS], (9, 30))
    settings = Settings(data_dir=shutil.copytree(folder, tmp_path / "venue"), port=0)
    async with open_venue(settings, clock=lambda: morning_ns) as venue:
        assert venue.recovery.last_seq == made.last_seq
        await venue.projector.reached(made.last_seq + 1)
        assert venue.engine.venue_phase == Phase.CONTINUOUS
        assert venue.engine.trading_date == made.trading_date
        assert set(venue.keys) == {"operator", "pages"}
        assert venue.engine.turnover_fen(2023) == made.turnover_fen


def test_a_folder_with_a_venue_is_refused_and_an_interrupted_run_leaves_none(tmp_path: Path) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    wish = YearWish(2023, 7, commands=50_000, days=1)
    with pytest.raises(KeyboardInterrupt):
        asyncio.run(simulate_year(tmp_path, wish, CALENDAR, interrupt))
    assert [file.name for file in tmp_path.iterdir()] == []
    asyncio.run(simulate_year(tmp_path, wish, CALENDAR))
    kept = {file: file.read_bytes() for file in tmp_path.iterdir()}
    with pytest.raises(JournalRefused, match="without a venue"):
        asyncio.run(simulate_year(tmp_path, wish, CALENDAR))
    (tmp_path / "read.sqlite").unlink()
    with pytest.raises(JournalRefused, match="without one"):
        asyncio.run(simulate_year(tmp_path, wish, CALENDAR))
    assert all(file.read_bytes() == kept[file] for file in tmp_path.iterdir())


def test_a_seed_makes_the_same_year_in_every_process(tmp_path: Path) -> None:
    def start(name: str, hash_seed: str) -> subprocess.Popen[bytes]:
        arguments = ["simulate-year", "2023", "--seed", "3", "--days", "2", "--commands", "50000", "--json"]
        run = [
            sys.executable,
            "-c",
            "from services.cli import main; main()",
            *arguments,
            "--data-dir",
            str(tmp_path / name),
        ]
        return subprocess.Popen(run, env={**os.environ, "PYTHONHASHSEED": hash_seed}, stdout=subprocess.PIPE)

    processes = [start("one", "1"), start("two", "2")]
    one, two = (json.loads(process.communicate()[0]) for process in processes)
    for name in ("journal_id", "row_hash"):  # each venue has its own identity, and its rows are sealed with it
        assert one["figure"].pop(name) != two["figure"].pop(name)
    assert one == two
    assert one["agree"]
    assert one["state_hash"]


@pytest.mark.parametrize(
    ("options", "message"),
    [(["--reach", "fast"], "is not a number"), (["--reach", "99"], "is not a number"), (["--commands", "5"], "50000")],
)
def test_bad_options_are_bad_usage(options: list[str], message: str) -> None:
    result = CliRunner().invoke(app, ["simulate-year", "2023", *options])
    assert result.exit_code == 2
    assert message in result.output


def test_the_command_prints_verdict_and_proof(tmp_path: Path) -> None:
    arguments = ["simulate-year", "2023", "--days", "1", "--commands", "50000", "--data-dir", str(tmp_path / "day")]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert "SIMULATED year 2023" in result.output
    assert "not reached yet" in result.output
    assert "agree to the fen" in result.output
    journal_bytes = (tmp_path / "day" / JOURNAL_FILE).stat().st_size
    commands = int(re.search(r"commands +│ ([\d,]+)", result.output)[1].replace(",", ""))  # type: ignore[index]
    assert f"{journal_bytes / commands:,.0f} bytes per command" in result.output
    labels = json.loads((tmp_path / "day" / LABELS_FILE).read_bytes())
    assert (labels["simulated"], labels["days"]) == (True, 1)


@pytest.mark.anyio
async def test_reach_scales_the_year(tmp_path: Path) -> None:
    half = await simulate_year(tmp_path, YearWish(2023, 7, Decimal("0.5"), 50_000, 1), CALENDAR)
    assert half.plan.target_fen == 1_150_000_000_000
