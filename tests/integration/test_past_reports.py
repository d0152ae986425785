"""A report of any past sequence number has the bytes of the day: over HTTP, after a restart, on the command line."""

from __future__ import annotations

import asyncio
import json
import shutil
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from matching_engine.records import Command, EventKind
from services.alerts.conditions import Condition
from services.cli import app
from services.commands.administrative import list_instrument, recorded
from services.commands.attachments import AlertCleared, ProofAgreed
from services.files.data_folder import JOURNAL_FILE
from services.reporting import requests
from services.reporting.checked_report import report_at_rest
from services.values.decimals import yuan_text
from tests.integration.test_alerts import put
from tests.integration.test_gateway_decisions import decide, fills, set_target
from tests.integration.test_reporting import NET, TURNOVER, place, report_of, trade
from tests.integration.venue import START_NS, Clock, RunningVenue, running_venue
from tests.unit.read_model.history import instrument_text

pytestmark = pytest.mark.anyio

HOUR_NS = 3_600 * 10**9
TEXTS = [(2023, "json"), (2023, "csv")]
MORE = [(2023, "xlsx"), (2023, "pdf"), (2022, "json"), (2024, "json")]


@dataclass
class Kept:
    """Reports as they were answered, by their seq: what was asked for, and the bytes."""

    of_seq: dict[int, dict[tuple[int, str], bytes]] = field(default_factory=dict)

    async def keep(self, venue: RunningVenue, *, more: bool = False) -> None:
        seq = int((await report_of(venue, at_least_seq=venue.sequencer.last_seq))["seq"])
        self.of_seq[seq] = {asked: await answer_of(venue, *asked) for asked in TEXTS + (MORE if more else [])}

    async def compare(self, venue: RunningVenue) -> None:
        for seq, answers in self.of_seq.items():
            for (year, form), expected in answers.items():
                assert await answer_of(venue, year, form, seq=seq) == expected, f"{form} of {year} at seq {seq}"


async def answer_of(venue: RunningVenue, year: int, form: str, **query: Any) -> bytes:
    answer = await venue.client("bob").get(f"/v1/reports/turnover/{year}", params={"format": form, **query})
    assert answer.status_code == 200, answer.text
    return answer.content


async def bust(venue: RunningVenue, trade_id: str) -> None:
    answer = await venue.client("operator").post(f"/v1/admin/trades/{trade_id}/bust", json={"reason": "a mistake"})
    assert answer.status_code == 200, answer.text


async def list_another(venue: RunningVenue) -> None:
    text = instrument_text(0).model_copy(update={"symbol": "NEW-OX"})
    listing = list_instrument(
        Command(),
        len(venue.state.instruments),
        tick_value_fen=1_000,
        reference_ticks=1_000,
        band_ppm=50_000,
        max_quantity_lots=10,
        text=text,
    )
    await venue.inbox.put(listing)


def proof_failed(year: int) -> Condition:
    sentence = f"The proof of {year} at seq 9 failed: the computations of the turnover disagree."
    return Condition("proof_failed", f"proof_failed:{year}", str(year), "critical", sentence, "证明未通过。")


async def eventful_days(venue: RunningVenue) -> Kept:
    """Three days: each kind of event changes the report, and after each the report is kept."""
    kept = Kept()
    await kept.keep(venue)
    await trade(venue)
    await kept.keep(venue)
    magnet, oxide, first = [fill["trade_id"] for fill in await fills(venue)]
    await bust(venue, oxide)
    await kept.keep(venue)
    await decide(venue, "exclude", first)
    await kept.keep(venue)
    await set_target(venue)
    await kept.keep(venue)
    (alert,) = await put(venue, proof_failed(2023).raised())
    await put(venue, proof_failed(2022).raised())
    await kept.keep(venue)
    await put(venue, AlertCleared(alert=alert))
    seq = venue.sequencer.last_seq
    await venue.inbox.put(recorded(Command(), [ProofAgreed(year=2023, proven_seq=3)]))
    await venue.projector.reached(seq + 1)
    await kept.keep(venue)
    venue.clock.now_ns += 8 * HOUR_NS
    await trade(venue)
    await kept.keep(venue, more=True)
    await decide(venue, "include", first)
    await decide(venue, "exclude", magnet)
    await kept.keep(venue)
    await list_another(venue)
    venue.clock.now_ns += 72 * HOUR_NS
    await place(venue, "bob", "PRND-OX", "buy", "473000.00", 1)
    await kept.keep(venue)
    await decide(venue, "exclude", (await fills(venue))[0]["trade_id"])
    await trade(venue)
    await kept.keep(venue, more=True)
    return kept


async def test_a_past_report_has_the_bytes_of_the_day_after_a_restart_too(
    left: tuple[Path, Kept], tmp_path: Path
) -> None:
    folder, kept = left
    net = {seq: json.loads(answers[2023, "json"])["net"] for seq, answers in kept.of_seq.items()}
    assert len(set(net.values())) > 5, "the moments differ"
    alerts = [json.loads(answers[2023, "json"])["proof_alerts"] for answers in kept.of_seq.values()]
    told = {"sentence": proof_failed(2023).sentence, "sentence_zh": proof_failed(2023).sentence_zh}
    assert [found for found in alerts if found] == [[told]]
    proven = [json.loads(answers[2023, "json"])["proven_seq"] for answers in kept.of_seq.values()]
    assert proven == [None] * 5 + [3] * (len(proven) - 5)
    assert sum(b"NOT PROVEN" in answers[2023, "csv"] for answers in kept.of_seq.values()) == 1
    assert {json.loads(answers[2023, "json"])["trading_date"] for answers in kept.of_seq.values()} == {
        "2023-12-01", "2023-12-04", "2023-12-05",
    }  # fmt: skip
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    async with running_venue(tmp_path, clock=Clock(START_NS + 100 * HOUR_NS)) as venue:
        await trade(venue)
        await kept.compare(venue)


async def test_a_seq_within_a_row_counts_what_came_up_to_it(tmp_path: Path) -> None:
    """The row of the first start holds many commands: no report was ever of one of them alone."""
    async with running_venue(tmp_path) as venue:
        await trade(venue)
        first_row = await anext(venue.journal.read(0))
        seq = first_row.last_seq // 2
        report = await report_of(venue, seq=seq)
        listed = [
            event for event in first_row.event_list if event.kind == EventKind.INSTRUMENT_LISTED and event.seq <= seq
        ]
        assert (report["seq"], report["row_hash"]) == (seq, first_row.hash.hex())
        assert len(report["products"]) == len(listed)


async def test_of_a_range_of_commands_the_reports_say_what_the_range_says(tmp_path: Path) -> None:
    async with running_venue(tmp_path) as venue:
        first, last = venue.sequencer.last_seq, await trade(venue)
        nets = [Decimal((await report_of(venue, seq=seq))["net"]) for seq in range(first, last + 1)]
        assert (nets[0], nets[-1]) == (Decimal(0), NET)
        for after_seq, (earlier, later) in enumerate(pairwise(nets), start=first):
            query = {"after_seq": after_seq, "to_seq": after_seq + 1}
            found = await venue.client("bob").get(f"{TURNOVER}/range", params=query)
            assert later - earlier == Decimal(found.json()["net"])


async def test_names_a_seq_that_has_no_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests, "READ_TIMEOUT_S", 0.01)
    async with running_venue(tmp_path) as venue:
        for query, sentence in (
            ({"seq": 999_999}, "seq: the venue has not reached this sequence number"),
            ({"seq": 0}, "seq: must be at least 1: before its first command the venue had recorded nothing"),
            ({"seq": 5, "at_least_seq": 5}, "seq: cannot be combined with at_least_seq"),
            ({"seq": "now"}, "seq: "),
        ):
            answer = await venue.client("bob").get(TURNOVER, params=query)
            assert (answer.status_code, [error["field"] for error in answer.json()["errors"]]) == (422, ["seq"])
            assert answer.json()["detail"].startswith(sentence)


def rex(*arguments: object) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, [*map(str, arguments)])
    return done.exit_code, done.stdout, " ".join(done.stderr.split())


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Kept]:
    """A data folder in which nobody runs, and the reports that were made there."""
    folder = tmp_path_factory.mktemp("venue")

    async def live() -> Kept:
        async with running_venue(folder) as venue:
            return await eventful_days(venue)

    kept = asyncio.run(live())
    return folder, kept


async def test_the_command_line_says_what_the_route_said(left: tuple[Path, Kept]) -> None:
    folder, kept = left
    own = {"proven", "figure", "agree"}
    for seq, answers in kept.of_seq.items():
        status, text, said_aside = await asyncio.to_thread(
            rex, "report", 2023, "--data-dir", folder, "--seq", seq, "--json"
        )
        document = json.loads(text)
        said = {name: value for name, value in document.items() if name not in own}
        assert (status, said) == (0, json.loads(answers[2023, "json"]))
        no_self_trade = document["trading_date"] == "2023-12-05"
        read = "The row of seq {:,} was" if no_self_trade else "Of the trading day of seq {:,}, the rows up to it were"
        assert f" {read.format(seq)} read back, too." in said_aside
    status, text, _ = await asyncio.to_thread(rex, "report", 2023, "--data-dir", folder, "--seq", seq)
    assert (status, f"seq {seq:,}" in text) == (0, True)


async def test_says_which_rows_were_read_for_the_self_trades_of_the_day(tmp_path: Path) -> None:
    """Only of a day with a prevented self-trade are the rows before the command needed, and only for a year that has it."""
    async with running_venue(tmp_path) as venue:
        await place(venue, "alice", "PRND-OX", "sell", "473000.00", 1)
        assert (await place(venue, "alice", "PRND-OX", "buy", "473000.00", 1))["reason"] == "self_trade"
        of_day = venue.sequencer.last_seq
        venue.clock.now_ns += 72 * HOUR_NS
        await place(venue, "bob", "PRND-OX", "buy", "473000.00", 1)
        next_day = venue.sequencer.last_seq
    day = f" Of the trading day of seq {of_day:,}, the rows up to it were read back, too."
    row = " The row of seq {:,} was read back, too."
    for year, seq, said in (
        (2023, of_day, day), (2022, of_day, row.format(of_day)), (2023, next_day, row.format(next_day)),
    ):  # fmt: skip
        checked = (await report_at_rest(tmp_path, year, seq=seq)).checked
        assert (said in checked, checked.count("read back, too")) == (True, 1), checked


async def test_a_terminal_shows_that_a_proof_failed_until_one_agrees(left: tuple[Path, Kept]) -> None:
    folder, _ = left
    for year, is_said in ((2022, True), (2023, False)):
        status, text, _ = await asyncio.to_thread(rex, "report", year, "--data-dir", folder)
        assert (status, "NOT PROVEN" in text) == (0, is_said)
        assert (f"The proof of {year} at seq 9" in text) == is_said


async def test_a_past_report_is_proven(left: tuple[Path, Kept]) -> None:
    folder, kept = left
    for seq in list(kept.of_seq)[3:9:2]:
        found = await report_at_rest(folder, 2023, prove=True, seq=seq)
        assert found.figure is not None
        assert (found.figure.seq, found.report.seq, found.agree) == (seq, seq, True)


async def test_a_past_report_from_a_read_database_made_anew(left: tuple[Path, Kept], tmp_path: Path) -> None:
    folder, kept = left
    shutil.copy(folder / JOURNAL_FILE, tmp_path / JOURNAL_FILE)
    seq, answers = list(kept.of_seq.items())[5]
    found = await report_at_rest(tmp_path, 2023, seq=seq)
    assert found.report.to_json() == json.loads(answers[2023, "json"])


async def test_the_command_line_names_a_seq_that_has_no_report(left: tuple[Path, Kept]) -> None:
    folder, kept = left
    beyond = max(kept.of_seq) + 1
    for seq, expected, words in (
        (beyond, 1, f"The venue has not reached seq {beyond}: its journal ends at seq {beyond - 1}."),
        (0, 2, "--seq"),
        ("now", 2, "--seq"),
    ):
        status, _, sentence = await asyncio.to_thread(rex, "report", 2023, "--data-dir", folder, "--seq", seq)
        assert (status, words in sentence) == (expected, True), sentence


async def test_a_calendar_that_changed_since_changes_the_report(left: tuple[Path, Kept], tmp_path: Path) -> None:
    """What is not reproducible, and docs/figure.md says so: the days of the year come from the calendar of today."""
    folder, kept = left
    seq = max(kept.of_seq)
    then = json.loads(kept.of_seq[seq][2023, "json"])
    calendar = tmp_path / "days.csv"
    calendar.write_text("\n".join(["date", *(day["date"] for day in then["days"][:-1])]))
    found = await report_at_rest(folder, 2023, calendar_file=calendar, seq=seq)
    assert (yuan_text(found.report.net_fen), found.report.row_hash.hex()) == (then["net"], then["row_hash"])
    assert found.report.days_total == then["days_total"] - 1
