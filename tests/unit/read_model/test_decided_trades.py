"""Law: gross − busted − excluded = net, per day, product and year, after any busts, exclusions and re-inclusions."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.commands import administrative as admin
from services.commands.attachments import TargetSet, TradesDecided, read_decision
from tests.long import examples
from tests.unit.read_model.decided_history import DATES, DecidedHistory, decided_histories
from tests.unit.read_model.history import SENDER
from tests.unit.read_model.test_write_batch import audited, empty_database, project, select


def found_differences(connection: sqlite3.Connection, made: DecidedHistory) -> list[str]:
    return audited(connection, made.history.engine, made.batches)


def sums(connection: sqlite3.Connection, prefix: str) -> dict[tuple[int, int], tuple[Any, ...]]:
    names = {"": "trades, quantity_lots, amount_fen"}.get(prefix, f"{prefix}, {prefix}_lots, {prefix}_fen")
    rows = select(connection, f"SELECT trading_date, instrument, {names} FROM daily_turnover")
    return {(date, instrument): tuple(values) for date, instrument, *values in rows if any(values)}


def assert_adds_up(connection: sqlite3.Connection, made: DecidedHistory) -> None:
    assert sums(connection, "") == made.sums("counts")
    assert sums(connection, "busted") == made.sums("busted")
    assert sums(connection, "excluded") == made.sums("excluded")
    for year in {date // 10_000 for date in DATES}:
        of_year = f"FROM daily_turnover WHERE trading_date / 10000 = {year}"
        ((net, busted, excluded),) = select(
            connection, f"SELECT coalesce(sum(amount_fen), 0), sum(busted_fen), sum(excluded_fen) {of_year}"
        )
        gross = sum(deal.amount_fen for deal in made.deals if deal.date // 10_000 == year)
        assert gross - (busted or 0) - (excluded or 0) == net


@given(decided_histories(), st.integers(1, 8))
@settings(max_examples=examples(40))
def test_gross_less_busted_less_excluded_is_net(made: DecidedHistory, at_once: int) -> None:
    with empty_database() as connection:
        for start in range(0, len(made.batches), at_once):
            project(connection, made.batches[start : start + at_once])
        assert_adds_up(connection, made)
        assert found_differences(connection, made) == []


def test_an_example_by_hand() -> None:
    """1,000 fen a tick, 1,000 ticks: a lot of instrument 0 is worth 1,000,000 fen."""
    made = DecidedHistory()
    first, second, third = (made.trade(0, lots) for lots in (4, 3, 2))
    columns = "trades, quantity_lots, amount_fen, busted_fen, excluded, excluded_lots, excluded_fen"
    day = f"SELECT {columns}, largest_fen, largest_trade_id FROM daily_turnover"
    steps: list[tuple[Callable[[], None], tuple[int, ...]]] = [
        (
            lambda: made.decide("exclude", [first, second]),
            (1, 2, 2_000_000, 0, 2, 7, 7_000_000, 2_000_000, third.trade_id),
        ),
        (lambda: made.decide("include", [second]), (2, 5, 5_000_000, 0, 1, 4, 4_000_000, 3_000_000, second.trade_id)),
        (lambda: made.bust(first), (2, 5, 5_000_000, 4_000_000, 0, 0, 0, 3_000_000, second.trade_id)),
        (lambda: made.decide("exclude", [first]), (2, 5, 5_000_000, 4_000_000, 0, 0, 0, 3_000_000, second.trade_id)),
    ]
    with empty_database() as connection:
        project(connection, made.batches)
        for step, values in steps:
            step()
            project(connection, made.batches[-1:])
            assert select(connection, day) == [values]
        seqs = [batch.last_seq for batch in made.batches]
        assert select(connection, "SELECT seq, decision, actor, finding, reason, name FROM decisions ORDER BY seq") == [
            (seqs[4], "exclude", SENDER.actor, "F-1", "a ring", "Li Na"),
            (seqs[5], "include", SENDER.actor, "F-1", "a ring", "Li Na"),
            (seqs[7], "exclude", SENDER.actor, "F-1", "a ring", "Li Na"),
        ]
        assert select(connection, f"SELECT trade_id FROM decided_trades WHERE seq = {seqs[4]}") == [
            (first.trade_id,), (second.trade_id,),
        ]  # fmt: skip
        assert found_differences(connection, made) == []


def test_a_decision_about_a_trade_to_come_changes_nothing_wherever_transactions_end() -> None:
    for at_once in (1, 3):
        made = DecidedHistory()
        made.decide("exclude", [], (made.history.engine.last_seq + 3) << 20 | 1, 7)
        made.trade(0, 2)
        with empty_database() as connection:
            for start in range(0, len(made.batches), at_once):
                project(connection, made.batches[start : start + at_once])
            assert select(connection, "SELECT trade_id >> 20, excluded_seq FROM trades") == [
                (made.batches[-1].last_seq, None)
            ]
            assert found_differences(connection, made) == []


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ("UPDATE trades SET excluded_seq = NULL WHERE quantity_lots = 4", "excluded_seq None in the read database"),
        ("UPDATE trades SET excluded_seq = 5 WHERE quantity_lots = 4", "excluded_seq 5 in the read database"),
        (
            "UPDATE trades SET excluded_seq = 5 WHERE quantity_lots = 3",
            "excluded_seq 5 in the read database, None in the journal",
        ),
        (
            "UPDATE daily_turnover SET excluded_fen = excluded_fen - 1, amount_fen = amount_fen + 1 WHERE excluded",
            "daily_turnover, trading_date 20230103, instrument 0: excluded_fen 3999999 in the read database, 4000000 in",
        ),
        ("UPDATE decisions SET name = 'nobody'", "name nobody in the read database, Li Na in the journal"),
        ("DELETE FROM decided_trades", "is missing in the read database"),
    ],
)
def test_an_audit_finds_a_changed_decision(change: str, sentence: str) -> None:
    made = DecidedHistory()
    deals = [made.trade(0, lots) for lots in (4, 3)]
    made.decide("exclude", deals[:1])
    with empty_database() as connection:
        project(connection, made.batches)
        assert found_differences(connection, made) == []
        connection.execute(change)
        found = " ".join(found_differences(connection, made))
        assert sentence in found


def test_the_history_of_targets_is_kept() -> None:
    made = DecidedHistory()
    target = TargetSet(
        scope="product:ND-OX",
        metric="tonnes",
        year=2023,
        month=2,
        amount=5_000,
        name="oxide",
        why="the plan",
        replaces=0,
    )
    later = target.model_copy(update={"amount": 6_000, "replaces": made.history.engine.last_seq + 1, "pro_rata": True})
    made.batches.append(made.history.batch([admin.record(SENDER, target), admin.record(SENDER, later)]))
    first, last = made.batches[-1].first_seq, made.batches[-1].last_seq
    with empty_database() as connection:
        project(connection, made.batches)
        rows = select(connection, "SELECT * FROM targets ORDER BY seq")[1:]
        times = [command.time_ns for command in made.batches[-1].command_list]
        same = (SENDER.actor, "product:ND-OX", "tonnes", 2023, 2)
        assert rows == [
            (first, times[0], *same, 5_000, 0, "oxide", "the plan", 0),
            (last, times[1], *same, 6_000, 1, "oxide", "the plan", first),
        ]
        assert found_differences(connection, made) == []
        connection.execute("UPDATE targets SET amount = 5 WHERE month = 2")
        assert f"targets, seq {first}: amount 5 in the read database, 5000 in the journal" in found_differences(
            connection, made
        )


def test_a_decision_with_ten_thousand_trades_is_one_attachment() -> None:
    decided = TradesDecided(decision="exclude", trade_ids=tuple(range(1, 10_001)), reason="many", name="Li Na")
    assert read_decision(decided.to_bytes()) == decided
    made = DecidedHistory()
    made.batches.append(made.history.batch([admin.record(SENDER, decided)]))
    with empty_database() as connection:
        project(connection, made.batches)
        assert select(connection, "SELECT count(*), min(trade_id), max(trade_id) FROM decided_trades") == [
            (10_000, 1, 10_000)
        ]
