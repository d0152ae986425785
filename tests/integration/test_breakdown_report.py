"""The breakdown of a report from a data folder: as JSON, on a terminal, and against the independent decoder."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from matching_engine import Engine
from services.commands import administrative as admin
from services.commands.attachments import BustText, TradesDecided
from services.reporting.checked_report import report_at_rest
from services.reporting.terminal import render
from services.values.decimals import yuan_text
from tests.integration.test_reporting_folder import deals, journal_of
from tests.unit.read_model.history import SENDER, History, opening


@pytest.mark.anyio
async def test_a_report_holds_what_its_turnover_is_made_of(tmp_path: Path) -> None:
    """Three trades of 20,000.00 yuan each: one is excluded, one is busted. Then two lots are taken out."""
    history = History(Engine())
    await journal_of(tmp_path, history, [opening()])
    trade_ids = []
    for _ in range(3):
        await journal_of(tmp_path, history, [deals(1)])
        trade_ids.append(history.engine.last_seq << 20 | 1)
    decided = TradesDecided(decision="exclude", trade_ids=(trade_ids[0],), reason="a ring", name="Li Na")
    bust = admin.bust_trade(SENDER, trade_ids[1], BustText(reason="a mistake"))
    await journal_of(
        tmp_path, history, [[admin.record(SENDER, decided), bust, admin.change_inventory(SENDER, 2, 0, -2)]]
    )
    found = await report_at_rest(tmp_path, 2023, prove=True, breakdown=True)
    breakdown = found.to_json()["breakdown"]
    ladder = breakdown["ladder"]["ladder"]
    assert {name: ladder[name]["amount"] for name in ("gross", "busted", "excluded", "net", "delivered")} == {
        "gross": "60000.00", "busted": "20000.00", "excluded": "20000.00", "net": "20000.00", "delivered": "20000.00",
    }  # fmt: skip
    assert (ladder["changed_hands"], ladder["taken_out"]["amount"]) == ("20000.00", "20000.00")
    assert "seq" not in breakdown["ladder"], "the report has the seal"
    figure = found.figure
    assert figure is not None
    assert figure.agree
    assert breakdown["fees"]["fees"] == yuan_text(figure.decoder.buyers_fees_fen + figure.decoder.sellers_fees_fen)
    assert breakdown["fees"]["fees"] != "0.00"
    assert breakdown["targets"]["targets"][0]["done"] == yuan_text(found.report.net_fen)
    shown = StringIO()
    Console(width=110, file=shown).print(render(found))
    text = shown.getvalue()
    assert breakdown["flagged"]["parts"][-1] == {
        "state": "all", "findings": 0, "amount": "0.00", "trades": 0, "share": "0.000000",
    }  # fmt: skip
    assert [one["sold"]["amount"] for one in breakdown["members"]["lines"]] == ["20000.00", "0.00"]
    shown_lines = (
        "changed hands, the year as one period",
        "taken out, at the day's settlement",
        "fee income",
        "flagged by",
    )
    for line in shown_lines:
        assert line in text
    assert "by price, by tonnage" not in text, "there is no last year"
