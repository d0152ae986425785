"""Law: members, phases and goods of each day add up, after any trades, busts, exclusions and re-inclusions."""

from __future__ import annotations

import sqlite3

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching_engine.records import Phase
from services.messaging import Submission
from services.read_model import tables
from tests.long import examples
from tests.unit.read_model.daily_laws import Dump, assert_daily_laws, assert_the_venue_has_the_fees, rows_of, summed
from tests.unit.read_model.decided_history import DecidedHistory, decided_histories
from tests.unit.read_model.history import ACCOUNTS, SENDER, START_NS, History, opening, requests
from tests.unit.read_model.test_decided_trades import found_differences
from tests.unit.read_model.test_write_batch import empty_database, project, select


def dump(connection: sqlite3.Connection) -> Dump:
    return {name: select(connection, f"SELECT * FROM {name}") for name in tables.metadata.tables}


def members_of(made: DecidedHistory) -> list[dict[str, int]]:
    """What the bookkeeper has of each account, a row for each side of a deal that counts."""
    return [
        {"trading_date": deal.date, "instrument": deal.instrument, "account": account, f"{did}_lots": deal.lots}
        | {f"{other}_lots": 0, f"{did}_fen": deal.amount_fen, f"{other}_fen": 0}
        for deal in made.deals
        if deal.state == "counts"
        for account, did, other in ((deal.seller, "sold", "bought"), (deal.buyer, "bought", "sold"))
    ]


def assert_bookkeeper_agrees(found: Dump, made: DecidedHistory) -> None:
    account, amounts = "trading_date instrument account", ("bought_lots", "bought_fen", "sold_lots", "sold_fen")
    assert summed(rows_of(found, "daily_members"), account, *amounts) == summed(members_of(made), account, *amounts)
    in_auctions = sum(deal.lots for deal in made.deals if deal.state == "counts" and deal.phase == Phase.CALL_AUCTION)
    of_auctions = [row for row in rows_of(found, "daily_phases") if row["phase"] == Phase.CALL_AUCTION]
    assert sum(row["quantity_lots"] for row in of_auctions) == in_auctions
    assert found["trading_days"] == [(date, seq, START_NS + seq) for date, seq in made.days]
    moved = rows_of(found, "goods_movements")[2 * len(ACCOUNTS) :]
    assert [(row["seq"], row["account"], row["instrument"], row["lots"]) for row in moved] == made.moved


@given(decided_histories(), st.integers(1, 8))
@settings(max_examples=examples(40))
def test_members_phases_and_goods_add_up(made: DecidedHistory, at_once: int) -> None:
    with empty_database() as connection:
        for start in range(0, len(made.batches), at_once):
            project(connection, made.batches[start : start + at_once])
        found = dump(connection)
        assert_daily_laws(found)
        assert_the_venue_has_the_fees(found)
        assert_bookkeeper_agrees(found, made)
        assert found_differences(connection, made) == []


@given(requests=requests, cuts=st.sets(st.integers(0, 12)))
@settings(deadline=None, max_examples=examples(25))
def test_they_add_up_whatever_is_asked_wherever_transactions_end(
    requests: list[list[Submission]], cuts: set[int]
) -> None:
    history, waiting = History(), []
    with empty_database() as connection:
        for number, submissions in enumerate([opening(), *requests]):
            waiting.append(history.batch(submissions))
            if number in cuts or number == len(requests):
                project(connection, waiting)
                waiting = []
                assert_daily_laws(dump(connection))
                assert_the_venue_has_the_fees(dump(connection))


def a_day() -> DecidedHistory:
    """Two trades of 4 and 3 lots, the second in an auction, and one of 2 lots that is excluded; 5 lots handed out."""
    made = DecidedHistory()
    made.trade(0, 4)
    made.trade(0, 3, (4, 2), auction=True)
    made.decide("exclude", [made.trade(1, 2)])
    made.move_goods(4, 1, -5)
    return made


def test_an_example_by_hand() -> None:
    """1,000 fen a tick, 1,000 ticks: a lot of instrument 0 is worth 1,000,000 fen, a lot of 1 333,000 fen. Fees of makers are
    300 millionths, of takers 700; in an auction both pay the maker's."""
    made = a_day()
    with empty_database() as connection:
        project(connection, made.batches)
        date, seq = made.days[0]
        assert select(connection, "SELECT * FROM daily_members ORDER BY instrument, account") == [
            (date, 0, 2, 1, 3, 3_000_000, 1, 4, 4_000_000, 1_200 + 900),
            (date, 0, 3, 1, 4, 4_000_000, 0, 0, 0, 2_800),
            (date, 0, 4, 0, 0, 0, 1, 3, 3_000_000, 900),
            (date, 1, 2, 0, 0, 0, 0, 0, 0, 200),  # its trade does not count, and its fee is paid
            (date, 1, 3, 0, 0, 0, 0, 0, 0, 466),
        ]
        assert select(connection, "SELECT * FROM daily_phases ORDER BY instrument, phase") == [
            (date, 0, Phase.CONTINUOUS, 1, 4, 4_000_000),
            (date, 0, Phase.CALL_AUCTION, 1, 3, 3_000_000),
            (date, 1, Phase.CONTINUOUS, 0, 0, 0),
        ]
        assert select(connection, "SELECT * FROM trading_days") == [(date, seq, START_NS + seq)]
        last = made.batches[-1].last_seq
        assert select(connection, "SELECT * FROM goods_movements WHERE lots < 0") == [
            (last, START_NS + last, date, 4, 1, -5, SENDER.actor)
        ]
        assert select(connection, "SELECT instrument, listed_seq FROM instruments") == [(0, 4), (1, 5)]


@pytest.mark.parametrize(
    "changed",
    [
        (table.name, column.name)
        for table in (tables.trading_days, tables.daily_members, tables.daily_phases, tables.goods_movements)
        for column in table.columns
    ]
    + [("instruments", "listed_seq")],
    ids=".".join,
)
def test_an_audit_finds_every_changed_column(changed: tuple[str, str]) -> None:
    made, (table, column) = a_day(), changed
    with empty_database() as connection:
        project(connection, made.batches)
        assert found_differences(connection, made) == []
        connection.execute(f"UPDATE {table} SET {column} = {column} + 7 WHERE rowid = (SELECT max(rowid) FROM {table})")
        assert any(
            "in the read database, " in found or "is missing in" in found
            for found in found_differences(connection, made)
        )


@pytest.mark.parametrize("table", ["trading_days", "daily_members", "daily_phases", "goods_movements"])
def test_an_audit_finds_a_row_too_few_and_one_too_many(table: str) -> None:
    made = a_day()
    with empty_database() as connection:
        project(connection, made.batches)
        row = select(connection, f"SELECT * FROM {table} LIMIT 1")[0]
        key = tables.metadata.tables[table].columns[0].name
        connection.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", (7, *row[1:]))
        assert any("is in the read database, not in" in found for found in found_differences(connection, made))
        connection.execute(f"DELETE FROM {table} WHERE {key} = 7")
        assert found_differences(connection, made) == []
        connection.execute(f"DELETE FROM {table} WHERE rowid = (SELECT max(rowid) FROM {table})")
        assert any("is missing in the read database" in found for found in found_differences(connection, made))
