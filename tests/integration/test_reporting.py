"""The turnover report over HTTP and the figure's defence, on a whole venue in a folder."""

from __future__ import annotations

import csv
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from services.data.calendar import TradingCalendar
from services.files.data_folder import READ_DATABASE_FILE
from services.reporting import requests
from services.reporting.audit import own_sha256
from services.reporting.figure import compute_figure
from services.reporting.re_execution import FigureUnavailable
from tests.integration.venue import RunningVenue, running_venue

TURNOVER = "/v1/reports/turnover/2023"


@pytest.fixture
async def venue(tmp_path: Path) -> AsyncIterator[RunningVenue]:
    async with running_venue(tmp_path) as venue:
        yield venue


async def place(venue: RunningVenue, name: str, symbol: str, side: str, price: str, quantity: int) -> dict[str, Any]:
    body = {"symbol": symbol, "side": side, "price": price, "quantity": quantity}
    answer = await venue.client(name).post("/v1/orders", json=body)
    assert answer.status_code == 201, answer.text
    order: dict[str, Any] = answer.json()
    return order


async def trade(venue: RunningVenue) -> int:
    """Two trades in PRND-OX, one in NDFEB-N35, one self-trade prevented; returns the last sequence number."""
    await place(venue, "alice", "PRND-OX", "sell", "473000.00", 3)
    await place(venue, "bob", "PRND-OX", "buy", "473100.00", 1)
    await place(venue, "bob", "PRND-OX", "buy", "473000.00", 1)
    await place(venue, "alice", "PRND-OX", "buy", "473000.00", 1)
    await place(venue, "bob", "NDFEB-N35", "sell", "160.10", 7)
    last = await place(venue, "alice", "NDFEB-N35", "buy", "161.00", 7)
    return int(last["seq"])


async def report_of(venue: RunningVenue, **query: Any) -> dict[str, Any]:
    answer = await venue.client("operator").get(TURNOVER, params=query)
    assert answer.status_code == 200, answer.text
    report: dict[str, Any] = answer.json()
    return report


NET = Decimal("473000.00") * 2 + Decimal("160.10") * 100 * 7


@pytest.fixture(scope="module")
async def traded(refusing_venue: RunningVenue) -> RunningVenue:
    """A venue with these trades, which is only read."""
    await trade(refusing_venue)
    return refusing_venue


@pytest.mark.anyio
async def test_counts_each_trade_once(traded: RunningVenue) -> None:
    seq = traded.sequencer.last_seq
    report = await report_of(traded, at_least_seq=seq)
    assert report["seq"] >= seq
    assert Decimal(report["net"]) == NET == Decimal(traded.engine.turnover_fen(2023)) / 100
    assert (report["gross"], report["excluded"], report["today"]) == (report["net"], "0.00", report["net"])
    assert report["net_without_vat"] == "936345.13"
    assert (report["trades"], report["prevented_self_trades"]) == (3, 1)
    assert report["trading_date"] == "2023-12-01"
    assert report["target"] == "23000000000.00"
    assert report["journal_id"] == traded.journal.journal_id.hex()


@pytest.mark.anyio
async def test_judges_the_year_so_far(traded: RunningVenue) -> None:
    report = await report_of(traded, at_least_seq=traded.sequencer.last_seq)
    days = [str(day) for day in TradingCalendar.load().days(2023)]
    before = days.index("2023-12-01")
    left = 242 - before
    assert (report["days_before_opening"], report["days_total"]) == (before, left), "the venue opened on 1 December"
    assert (report["days_completed"], report["days_left"]) == (0, left)
    assert (report["outcome"], report["verdict"]) == ("too_early", "It is too early to say.")
    assert report["calendar"] == "published"
    assert (report["pace"], report["ahead"], report["ahead_days"]) == ("0.00", "0.00", "0.00")
    assert report["share"] == "0.000046"
    assert Decimal(report["missing"]) == 23 * 10**9 - NET
    assert Decimal(report["required_per_day"]) * left >= 23 * 10**9 > Decimal(report["required_per_day"]) * (left - 1)
    assert (report["recent_mean"], report["required_level"]) == (None, None)
    assert [day["date"] for day in report["days"]] == days
    assert report["days"][before - 1]["net"] is None
    today = report["days"][before]
    assert (today["date"], today["net"], today["cumulative"]) == ("2023-12-01", report["net"], report["net"])
    assert (report["days"][before + 1]["net"], report["days"][before + 1]["cumulative"]) == (None, None)
    assert report["days"][-1]["pace"] == report["target"]


@pytest.mark.anyio
async def test_the_splits_add_up(traded: RunningVenue) -> None:
    report = await report_of(traded, at_least_seq=traded.sequencer.last_seq)
    for part in ("categories", "families", "products"):
        assert sum(Decimal(line["net"]) for line in report[part]) == NET
        assert sum(line["trades"] for line in report[part]) == 3
    assert [line["category"] for line in report["categories"]] == ["magnetic_material", "deep_processed"]
    (oxide,) = [line for line in report["products"] if line["symbol"] == "PRND-OX"]
    assert (oxide["net"], oxide["quantity_lots"], oxide["tonnes"], oxide["name_zh"]) == (
        "946000.00",
        2,
        "2.000",
        "氧化镨钕",
    )
    assert oxide["prevented_self_trades"] == 1
    (magnet,) = [line for line in report["products"] if line["symbol"] == "NDFEB-N35"]
    assert (magnet["quantity_lots"], magnet["tonnes"], magnet["share"]) == (7, "0.700", "0.105919")
    assert report["largest_trade"]["symbol"] == "PRND-OX"
    assert report["largest_trade"]["amount"] == "473000.00"
    assert report["largest_day"] == {"date": "2023-12-01", "net": report["net"]}


@pytest.mark.anyio
async def test_says_what_is_assumed(venue: RunningVenue) -> None:
    report = (await venue.client("operator").get("/v1/reports/turnover/2027")).json()
    assert (report["net"], report["calendar"], report["days_total"], report["outcome"]) == (
        "0.00",
        "assumed",
        245,
        "not_begun",
    )
    assert "assumed from the holidays" in report["assumptions"][-1]
    assert (report["target_is_set"], report["target"]) == (False, "23000000000.00")
    assert (report["largest_day"], report["largest_trade"], report["today"]) == (None, None, "0.00")
    assert "Single-sided" in report["counting_rule"]


@pytest.mark.anyio
async def test_a_range_holds_exactly_its_trades(venue: RunningVenue) -> None:
    before = venue.sequencer.last_seq
    middle = (await place(venue, "alice", "PRND-OX", "sell", "473000.00", 1))["seq"]
    await place(venue, "bob", "PRND-OX", "buy", "473000.00", 1)
    last = await trade(venue)

    async def range_of(after_seq: int, to_seq: int) -> tuple[str, int, int]:
        answer = await venue.client("operator").get(
            f"{TURNOVER}/range", params={"after_seq": after_seq, "to_seq": to_seq}
        )
        found = answer.json()
        return found["net"], found["trades"], found["quantity_lots"]

    assert await range_of(before, middle) == ("0.00", 0, 0)
    assert await range_of(middle, middle + 1) == ("473000.00", 1, 1)
    assert await range_of(middle + 1, last) == (str(NET), 3, 9)
    assert await range_of(before, last) == (str(NET + 473_000), 4, 10)


@pytest.mark.anyio
async def test_names_what_is_wrong(traded: RunningVenue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests, "READ_TIMEOUT_S", 0.01)
    for path, named in (
        ("/v1/reports/turnover/next", "year"),
        ("/v1/reports/turnover/1066", "year"),
        (f"{TURNOVER}?format=docx", "format"),
        (f"{TURNOVER}?at_least_seq=-1", "at_least_seq"),
        (f"{TURNOVER}?at_least_seq=999999", "at_least_seq"),
        (f"{TURNOVER}/range?to_seq=3", "after_seq"),
        (f"{TURNOVER}/range?after_seq=1&to_seq=999999", "to_seq"),
    ):
        answer = await traded.client("operator").get(path)
        assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
        assert [error["field"] for error in answer.json()["errors"]] == [named]


@pytest.mark.anyio
async def test_csv_adds_up_to_the_report(traded: RunningVenue) -> None:
    report = await report_of(traded, at_least_seq=traded.sequencer.last_seq)
    by_query = await traded.client("operator").get(TURNOVER, params={"format": "csv"})
    by_header = await traded.client("operator").get(TURNOVER, headers={"accept": "text/csv"})
    assert by_query.text == by_header.text
    assert by_query.headers["content-type"] == "text/csv; charset=utf-8"
    assert by_query.content.startswith(b"\xef\xbb\xbf# REX turnover 2023")
    lines = by_query.content.decode("utf-8-sig").splitlines()
    preamble = [line for line in lines if line.startswith("# ")]
    assert lines[: len(preamble)] == preamble
    assert any(report["row_hash"] in line for line in preamble)
    assert any("Single-sided" in line for line in preamble)
    table = list(csv.DictReader(lines[len(preamble) :]))
    assert sum(int(line["amount_fen"]) for line in table) == Decimal(report["net"]) * 100
    assert sum(Decimal(line["amount_yuan"]) for line in table) == NET
    assert {(line["trading_date"], line["symbol"], line["name_zh"]) for line in table} == {
        ("2023-12-01", "PRND-OX", "氧化镨钕"), ("2023-12-01", "NDFEB-N35", "烧结钕铁硼毛坯 N35"),
    }  # fmt: skip


async def figure_at(venue: RunningVenue, seq: int, engine_counter_fen: int | None) -> Any:
    await venue.projector.reached(seq)
    return await compute_figure(
        2023, seq=seq, engine_counter_fen=engine_counter_fen, read_database=venue.read_database, journal=venue.journal,
    )  # fmt: skip


@pytest.mark.anyio
async def test_four_computations_agree_at_every_sequence_number(traded: RunningVenue) -> None:
    seq = traded.sequencer.last_seq
    figure = await figure_at(traded, seq, traded.engine.turnover_fen(2023))
    assert figure.agree
    assert figure.to_json() == {
        "year": 2023, "seq": seq, "engine_counter": str(NET), "sql_sum": str(NET), "journal_replay": str(NET),
        "independent_decoder": str(NET), "excluded_sql_sum": "0.00", "excluded_independent_decoder": "0.00", "net": str(NET),
        "gross": str(NET), "busted": "0.00", "trades": 3, "busted_trades": 0, "excluded_trades": 0,
        "row_hash": figure.decoder.row_hash, "journal_id": traded.journal.journal_id.hex(),
        "decoder_sha256": own_sha256(), "decoder_disagreements": [],
        "differences": [], "agree": True,
    }  # fmt: skip
    for earlier in range(seq):
        assert (await figure_at(traded, earlier, None)).agree


@pytest.mark.anyio
async def test_a_fen_anywhere_breaks_the_agreement(venue: RunningVenue, tmp_path: Path) -> None:
    seq = await trade(venue)
    counter = venue.engine.turnover_fen(2023)
    assert not (await figure_at(venue, seq, counter + 1)).agree
    with closing(sqlite3.connect(tmp_path / READ_DATABASE_FILE)) as connection, connection:
        connection.execute(
            "UPDATE trades SET amount_fen = amount_fen - 1 WHERE trade_id = (SELECT max(trade_id) FROM trades)"
        )
    figure = await figure_at(venue, seq, counter)
    assert (figure.sql_sum_fen, figure.journal_replay_fen, figure.agree) == (counter - 1, counter, False)


@pytest.mark.anyio
async def test_no_figure_beyond_what_is_projected(traded: RunningVenue) -> None:
    seq = traded.sequencer.last_seq
    with pytest.raises(FigureUnavailable, match="has not reached"):
        await compute_figure(
            2023, seq=seq + 100, engine_counter_fen=0, read_database=traded.read_database, journal=traded.journal,
            )  # fmt: skip


@pytest.mark.anyio
async def test_a_bust_falls_out_of_the_figure_and_stays_in_sight(venue: RunningVenue) -> None:
    made = await trade(venue)
    gross = (await report_of(venue, at_least_seq=made))["net"]
    (fill, *_) = (await venue.client("bob").get("/v1/fills", params={"symbol": "PRND-OX"})).json()["fills"]
    answer = await venue.client("operator").post(
        f"/v1/admin/trades/{fill['trade_id']}/bust", json={"reason": "typed into the wrong field"}
    )
    assert answer.status_code == 200, answer.text
    busted = answer.json()["seq"]
    report = await report_of(venue, at_least_seq=busted)
    assert Decimal(report["net"]) == NET - 473_000 == Decimal(venue.engine.turnover_fen(2023)) / 100
    assert (report["gross"], report["excluded"], report["busted"]) == (gross, "0.00", "473000.00")
    assert (report["trades"], report["busted_trades"]) == (2, 1)
    assert (report["today"], report["largest_day"]["net"]) == (report["net"], report["net"])
    (oxide,) = [line for line in report["products"] if line["symbol"] == "PRND-OX"]
    assert (oxide["net"], oxide["tonnes"], oxide["busted"], oxide["busted_trades"]) == (
        "473000.00",
        "1.000",
        "473000.00",
        1,
    )
    for after_seq, to_seq, parts in (
        (0, busted - 1, (gross, "0.00", gross, 3)),
        (busted - 1, busted, ("0.00", "473000.00", "-473000.00", -1)),
        (0, busted, (gross, "473000.00", report["net"], 2)),
    ):
        query = {"after_seq": after_seq, "to_seq": to_seq}
        found = (await venue.client("operator").get(f"{TURNOVER}/range", params=query)).json()
        assert (found["gross"], found["busted"], found["net"], found["trades"]) == parts
    for seq, net in (
        (busted - 1, NET),
        (busted, NET - 473_000),
    ):  # before the bust the trade counted, and still does then
        figure = await figure_at(venue, seq, None)
        assert (figure.agree, Decimal(figure.to_json()["sql_sum"])) == (True, net)
    text = (await venue.client("operator").get(TURNOVER, params={"format": "csv"})).content.decode("utf-8-sig")
    assert f"# net = gross {gross} yuan - busted 473000.00 yuan - excluded 0.00 yuan" in text
    table = list(csv.DictReader(line for line in text.splitlines() if not line.startswith("#")))
    assert sum(int(line["amount_fen"]) + int(line["busted_fen"]) for line in table) == Decimal(gross) * 100
    assert [(line["busted_trades"], line["busted_lots"]) for line in table if line["symbol"] == "PRND-OX"] == [
        ("1", "1")
    ]


@pytest.mark.anyio
async def test_what_changed_hands_stands_beside_the_net_turnover(venue: RunningVenue) -> None:
    """Alice sells two lots and gets one of them back: one changed hands, of three that were traded."""
    for seller, buyer in (("alice", "bob"), ("alice", "bob"), ("bob", "alice")):
        await place(venue, seller, "PRND-OX", "sell", "473000.00", 1)
        last = await place(venue, buyer, "PRND-OX", "buy", "473000.00", 1)
    await report_of(venue, at_least_seq=last["seq"])
    found = (await venue.client("operator").get(f"{TURNOVER}/changed_hands")).json()
    assert (found["net"], found["changed_hands"], found["share"]) == ("1419000.00", "473000.00", "0.333333")
    assert (found["recent_net"], found["recent_changed_hands"]) == ("1419000.00", "473000.00")
    assert found["days"] == [{"date": "2023-12-01", "net": "1419000.00", "changed_hands": "473000.00"}]
