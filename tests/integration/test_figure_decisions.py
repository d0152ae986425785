"""What decisions exclude is proved apart from what was traded, at every sequence number."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from matching_engine import Engine
from services.commands import administrative as admin
from services.commands.attachments import BustText, MeasureImposed, MeasureLifted, TradesDecided
from services.files.data_folder import READ_DATABASE_FILE
from services.reporting.checked_report import report_at_rest
from services.values.decimals import yuan_text
from services.venue.closing import ClosingSummary
from tests.integration.test_figure_proofs import figure_of
from tests.integration.test_reporting_folder import deals, journal_of
from tests.unit.read_model.history import SENDER, History, opening


@pytest.mark.anyio
async def test_proves_what_decisions_exclude_at_every_sequence_number(tmp_path: Path) -> None:
    """Each trade is worth 20,000.00 yuan; the second is excluded, then the third too, then the second counts again, then the
    third is busted."""
    history, trade_ids = History(Engine()), []
    await journal_of(tmp_path, history, [opening()])
    for _ in range(3):
        await journal_of(tmp_path, history, [deals(1)])
        trade_ids.append(history.engine.last_seq << 20 | 1)
    first = history.engine.last_seq + 1
    steps = [("exclude", trade_ids[1:2]), ("exclude", trade_ids[1:]), ("include", trade_ids[1:2])]
    for decision, ids in steps:
        decided = TradesDecided(decision=decision, trade_ids=tuple(ids), reason="a ring", name="Li Na")  # type: ignore[arg-type]
        await journal_of(tmp_path, history, [[admin.record(SENDER, decided)]])
    bust = admin.bust_trade(SENDER, trade_ids[2], BustText(reason="a mistake"))
    await journal_of(tmp_path, history, [[bust]])
    found = await report_at_rest(tmp_path, 2023, prove=True)
    report, figure = found.report, found.figure
    assert (report.gross_fen, report.busted_fen, report.excluded_fen, report.net_fen) == (
        6_000_000,
        2_000_000,
        0,
        4_000_000,
    )
    assert figure is not None
    assert (figure.sql_sum_fen, figure.excluded_sql_fen, figure.net_fen, found.agree) == (4_000_000, 0, 4_000_000, True)
    for seq, traded_fen, excluded_fen in (
        (first - 1, 6_000_000, 0),
        (first, 6_000_000, 2_000_000),
        (first + 1, 6_000_000, 4_000_000),
        (first + 2, 6_000_000, 2_000_000),
        (first + 3, 4_000_000, 0),
    ):
        figure = await figure_of(tmp_path, seq=seq)
        assert (figure.decoder_fen, figure.decoder.excluded_fen) == (traded_fen, excluded_fen)
        assert (figure.sql_sum_fen, figure.excluded_sql_fen, figure.agree) == (traded_fen, excluded_fen, True)


@pytest.mark.anyio
async def test_a_proof_finds_decisions_and_records_that_the_read_database_has_otherwise(tmp_path: Path) -> None:
    history = History(Engine())
    await journal_of(tmp_path, history, [opening(), deals(3)])
    ids = (history.engine.last_seq << 20 | 1,)
    decided = TradesDecided(decision="exclude", trade_ids=ids, reason="a ring", name="Li Na")
    imposed = MeasureImposed(
        accounts=(2,), measure="warning", trading_date=20230103, reason="500 cancels", name="Li Na"
    )
    lifted = MeasureLifted(imposed_seq=history.engine.last_seq + 2, reason="a mistake", name="Li Na")
    await journal_of(tmp_path, history, [[admin.record(SENDER, one)] for one in (decided, imposed, lifted)])
    found = await report_at_rest(tmp_path, 2023, prove=True)
    assert (found.report.net_fen, found.report.excluded_fen, found.agree) == (4_000_000, 2_000_000, True)
    path = tmp_path / READ_DATABASE_FILE
    true = path.read_bytes()
    for change in (
        "UPDATE decisions SET decision = 'include'",
        "DELETE FROM decided_trades",
        "UPDATE daily_turnover SET amount_fen = amount_fen + 1, excluded_fen = excluded_fen - 1 WHERE excluded = 1",
        "UPDATE records SET text = replace(text, 'a mistake', 'no reason')",
        "DELETE FROM records",
    ):
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute(change)
        assert not (await report_at_rest(tmp_path, 2023, prove=True)).agree, change
        path.write_bytes(true)


@pytest.mark.anyio
async def test_a_fen_of_the_exclusions_breaks_the_agreement(tmp_path: Path) -> None:
    await journal_of(tmp_path, History(Engine()), [opening(), deals(1)])
    figure = await figure_of(tmp_path)
    assert figure.agree
    assert not replace(figure, excluded_sql_fen=1).agree


@pytest.mark.anyio
async def test_the_summary_of_a_closed_venue_is_the_net_figure_of_the_report(tmp_path: Path) -> None:
    history = History(Engine())
    await journal_of(tmp_path, history, [opening(), deals(3)])
    decided = TradesDecided(
        decision="exclude", trade_ids=(history.engine.last_seq << 20 | 1,), reason="a ring", name="Li Na"
    )
    await journal_of(tmp_path, history, [[admin.record(SENDER, decided)]])
    figure, report = await figure_of(tmp_path), (await report_at_rest(tmp_path, 2023)).report
    closed = ClosingSummary(6, 3, 0, 10_000_000, figure.seq, 20230103, history.engine.state_hash(), figure)
    document = closed.to_json()
    assert (
        (document["turnover_cny"], document["excluded_cny"])
        == (yuan_text(report.net_fen), yuan_text(report.excluded_fen))
        == ("40000.00", "20000.00")
    )
    assert document["target_share"] == "0.400000"
    console = Console(width=120)
    with console.capture() as shown:
        console.print(closed.render())
    assert "40,000.00 yuan" in shown.get()
    assert "40.0000 % of 100,000.00 yuan" in shown.get()
    assert "20,000.00 yuan" in next(line for line in shown.get().splitlines() if "excluded" in line)
    assert "60,000.00" not in shown.get()
