"""The sums of days beside the sums over single trades: who changes one of them is found in every report."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import openpyxl
import pypdf
import pytest

from services.files.data_folder import READ_DATABASE_FILE
from services.read_model.database import open_read_database
from services.reporting.day_sums import TradeSums
from tests.integration.test_alerts import Monitored
from tests.integration.test_exports import days, make_venue, rex
from tests.integration.test_reporting import place, report_of, trade
from tests.integration.venue import running_venue
from tests.unit.read_model.history import SENDER, day_roll

ONE_FEN_MORE = "UPDATE daily_turnover SET amount_fen = amount_fen + 1 WHERE trades > 0 AND trading_date = 20230103"


@pytest.fixture
def venue(tmp_path: Path) -> Path:
    return make_venue(tmp_path / "venue", days())


def change(path: Path, sql: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        assert connection.execute(sql).rowcount > 0


@pytest.mark.parametrize(
    ("sql", "day", "columns"),
    [
        (ONE_FEN_MORE, "2023-01-03", "amount_fen 4,000,001 by the day, 4,000,000 by its trades."),
        (
            "UPDATE daily_turnover SET busted_fen = 0 WHERE trading_date = 20230103",
            "2023-01-03",
            "busted_fen 0 by the day, 2,000,000 by its trades.",
        ),
        (
            "UPDATE daily_turnover SET excluded = 1 WHERE trading_date = 20230104 AND trades > 0",
            "2023-01-04",
            "excluded 1 by the day, 0 by its trades.",
        ),
        (
            "UPDATE daily_turnover SET amount_fen = amount_fen + iif(trading_date = 20230103, 1, -1) WHERE trades > 0",
            "2023-01-03",
            "amount_fen 4,000,001 by the day, 4,000,000 by its trades.",
        ),
        (
            "DELETE FROM daily_turnover WHERE trading_date = 20230104",
            "2023-01-04",
            "trades 0 by the day, 1 by its trades, quantity_lots 0 by the day, 3 by its trades",
        ),
        (
            "UPDATE trades SET amount_fen = amount_fen - 1 WHERE trading_date = 20230104",
            "2023-01-04",
            "amount_fen 1,003,995 by the day, 1,003,994 by its trades.",
        ),
    ],
)
def test_a_report_says_which_day_differs_and_ends_with_status_1(venue: Path, sql: str, day: str, columns: str) -> None:
    change(venue / READ_DATABASE_FILE, sql)
    found = rex("report", "2023", "--data-dir", venue, "--json")
    (said,) = json.loads(found.stdout)["discrepancies"]
    assert (found.exit_code, said["code"]) == (1, "day_sums_differ")
    assert f" are not those of the single trades, first on {day}: " in said["sentence"]
    assert columns in said["sentence"]
    assert day in said["sentence_zh"]
    shown = rex("report", "2023", "--data-dir", venue)
    assert (shown.exit_code, "DISCREPANCY" in shown.stdout, day in shown.stdout) == (1, True, True)


def test_a_report_of_the_past_is_compared_on_the_days_that_had_ended(venue: Path) -> None:
    last = json.loads(rex("report", "2023", "--data-dir", venue, "--json").stdout)["seq"]
    change(venue / READ_DATABASE_FILE, ONE_FEN_MORE)
    statuses = {}
    for seq in (last, last - 1, 20):
        found = rex("report", "2023", "--data-dir", venue, "--seq", str(seq), "--json")
        statuses[seq] = found.exit_code, json.loads(found.stdout)["trading_date"]
    assert statuses == {last: (1, "2023-01-05"), last - 1: (1, "2023-01-05"), 20: (0, "2023-01-03")}


def test_an_export_says_it_in_each_file_of_the_report_and_ends_with_status_1(venue: Path, tmp_path: Path) -> None:
    change(venue / READ_DATABASE_FILE, ONE_FEN_MORE)
    to = tmp_path / "out"
    found = rex("export", "2023", "--to", to, "--data-dir", venue)
    assert (found.exit_code, "rex: The figure may be false: in the read database" in found.stderr) == (1, True)
    (said,) = json.loads((to / "turnover-2023.json").read_text())["discrepancies"]
    assert f"# day_sums_differ: {said['sentence']}" in (to / "turnover-2023.csv").read_text("utf-8-sig")
    summary = openpyxl.load_workbook(to / "turnover-2023.xlsx")["Summary 概要"]
    assert any(said["sentence"] in str(cell.value) for row in summary.iter_rows() for cell in row)
    text = "".join(page.extract_text() for page in pypdf.PdfReader(to / "turnover-2023.pdf").pages)
    assert "".join(said["sentence"].split()) in "".join(text.split())
    document = json.loads(rex("export", "2023", "--to", tmp_path / "again", "--data-dir", venue, "--json").stdout)
    assert document["discrepancies"] == [said]


@pytest.mark.anyio
async def test_what_was_added_up_once_is_remembered(venue: Path) -> None:
    """Of a year of millions of trades, a report that follows another reads the later ones."""
    read_database = open_read_database(venue / READ_DATABASE_FILE, read_only=True)
    sums = TradeSums()
    try:
        async with read_database.connect() as connection:
            assert await sums.differing_days(connection, 2023) == ()
        more = "UPDATE trades SET amount_fen = amount_fen + 1 WHERE trading_date = 20230103 AND busted_seq IS NULL"
        change(venue / READ_DATABASE_FILE, more)
        async with read_database.connect() as connection:
            assert await sums.differing_days(connection, 2023) == ()
            assert len(await TradeSums().differing_days(connection, 2023)) == 1
        change(venue / READ_DATABASE_FILE, ONE_FEN_MORE.replace("+ 1", "+ 5"))
        async with read_database.connect() as connection:
            ((date, columns),) = await sums.differing_days(connection, 2023)
    finally:
        await read_database.dispose()
    assert (date, columns) == (20230103, (("amount_fen", 4_000_005, 4_000_002),)), "all trades were read anew"


@pytest.mark.anyio
async def test_a_running_venue_says_it_in_its_report_and_in_its_health(tmp_path: Path) -> None:
    async with running_venue(tmp_path) as venue:
        await trade(venue)
        last = await place(venue, "alice", "PRND-OX", "sell", "473000.00", 1)
        assert (await report_of(venue, at_least_seq=last["seq"]))["discrepancies"] == []
        monitored = Monitored(venue)
        await monitored.look()
        one_fen_more = ONE_FEN_MORE.replace("20230103", "20231201")
        change(tmp_path / READ_DATABASE_FILE, one_fen_more)
        await venue.inbox.put(day_roll(SENDER, 20231204))
        seq = (await place(venue, "alice", "NDFEB-N35", "sell", "160.10", 1))["seq"]
        (said,) = (await report_of(venue, at_least_seq=seq))["discrepancies"]
        assert said["code"] == "day_sums_differ"
        (past,) = (await report_of(venue, seq=seq))["discrepancies"]
        assert past == said
        await monitored.monitor.look()
        assert monitored.monitor.warnings() == [
            "The sums of days of 2023 in the read database are not those of its trades: the report of that year says more."
        ]
        change(tmp_path / READ_DATABASE_FILE, one_fen_more.replace("+ 1", "- 1"))
        await monitored.monitor.look()
        assert monitored.monitor.warnings() == []
