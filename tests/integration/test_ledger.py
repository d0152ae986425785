"""Law: an account's ledger adds up to its balances, at every position, in both kinds of read database."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from contextlib import closing
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncConnection

from matching_engine.records import VENUE, Command, CommandKind, EventKind
from services.journal.batch import JournalBatch
from services.messaging import Submission
from services.read_model.database import connect_writer
from services.read_model.ledger import LedgerBalances, LedgerWindow, balances_at, present_balances, read_lines
from services.read_model.ledger_sources import SourceLine
from services.read_model.spans import Span
from tests.integration.read_databases import ReadDatabase
from tests.integration.test_read_database_kinds import write_in_parts
from tests.long import examples, some
from tests.property.engine_flow import Flow, terms, venue
from tests.unit.read_model.decided_history import DecidedHistory, decided_histories
from tests.unit.read_model.history import ACCOUNTS, START_NS, History, batches_of, opening, requests
from tests.unit.read_model.test_write_batch import project

Held = dict[tuple[int, int], tuple[int, int]]
"""By account and instrument (-1: cash): what is there and what of it is reserved, without zeros."""

CAUSES = {"reserve", "amend", "release", "trade", "fee", "bust", "deposit", "withdrawal", "receipt", "goods_out"}


def flow_of(seed: int, commands: int) -> tuple[list[JournalBatch], dict[int, Held]]:
    """Batches of every kind of command, and what every account holds after each of them, by its last seq."""
    flow = Flow(seed)
    flow.extend(venue())
    flow.extend(terms(flow.chance))
    while len(flow.commands) < commands:
        flow.stretch()
    flow.extend(
        [
            Command(kind=CommandKind.WITHDRAW, account=2, amount_fen=7),
            Command(kind=CommandKind.RELEASE, account=2, quantity_lots=1),
        ]
    )
    batches: list[JournalBatch] = []
    held: dict[int, Held] = {}
    for engine, batch in batches_of(in_order(flow.commands), Random(seed)):
        held[batch.last_seq] = held_by(engine)
        batches.append(batch)
    return batches, held


def in_order(commands: list[Command]) -> list[Command]:
    """Two commands a second, as the venue's clock would have it: times never go back."""
    return [command._replace(time_ns=START_NS + command.seq // 2 * 10**9) for command in commands]


def rows(section: list[dict[str, int]], *names: str) -> list[tuple[int, ...]]:
    return [tuple(int(row[name]) for name in names) for row in section]


def as_held(account: int, balances: LedgerBalances) -> Held:
    every = {-1: (balances.cash_fen, balances.reserved_fen), **balances.goods}
    return {(account, instrument): row for instrument, row in every.items() if any(row)}


def of_account(held: Held, account: int) -> Held:
    return {key: row for key, row in held.items() if key[0] == account}


async def whole(
    connection: AsyncConnection, account: int, *, oldest_first: bool, at_once: int = 10**6
) -> list[SourceLine]:
    """The ledger, read in pages."""
    lines: list[SourceLine] = []
    while True:
        window = LedgerWindow(beyond=lines[-1].key if lines else None)
        page = await read_lines(connection, account, window, at_once, oldest_first=oldest_first)
        lines += page
        if len(page) < at_once:
            return lines


def assert_adds_up(account: int, lines: list[SourceLine], held: dict[int, Held]) -> None:
    """After the last line of each position the sum of the lines is what the engine has; on the way nothing is impossible."""
    balances, waiting = LedgerBalances(), list(lines)
    for seq, state in held.items():
        while waiting and waiting[0].seq <= seq:
            balances.apply(waiting.pop(0))
            assert balances.reserved_fen >= 0
            assert all(0 <= reserved <= lots for lots, reserved in balances.goods.values())
        assert as_held(account, balances) == of_account(state, account), seq
    assert not waiting


def held_by(engine: Any) -> Held:
    """What every account holds in the state of an engine."""
    state = engine.state()
    cash = {(number, -1): row for number, row in enumerate(rows(state.accounts, "cash_fen", "reserved_fen"), 1)}
    goods = {row[:2]: row[2:] for row in rows(state.holdings, "account", "instrument", "lots", "reserved_lots")}
    every: dict[Any, Any] = {**cash, **goods}
    return {key: row for key, row in every.items() if any(row)}


def assert_ledgers_add_up(batches: list[JournalBatch], held: dict[int, Held], at_once: int) -> None:
    """In a SQLite database that is written in transactions of so many batches."""

    async def check() -> None:
        with TemporaryDirectory() as folder:
            database = ReadDatabase(Path(folder))
            await database.make()
            with closing(connect_writer(database.path)) as connection:
                for start in range(0, len(batches), at_once):
                    project(connection, batches[start : start + at_once])
            async with database.opened() as engine, engine.connect() as connected:
                for account in (VENUE, *ACCOUNTS):
                    assert_adds_up(account, await whole(connected, account, oldest_first=True), held)

    asyncio.run(check())


@given(requests=requests, at_once=st.integers(1, 4))
@settings(max_examples=examples(15))
def test_whatever_is_asked_the_lines_add_up(requests: list[list[Submission]], at_once: int) -> None:
    history = History()
    batches, held = [], {}
    for submissions in [opening(), *requests]:
        batches.append(history.batch(submissions))
        held[history.engine.last_seq] = held_by(history.engine)
    assert_ledgers_add_up(batches, held, at_once)


@given(decided_histories(), st.integers(1, 4))
@settings(max_examples=examples(15))
def test_whatever_is_busted_the_lines_add_up(made: DecidedHistory, at_once: int) -> None:
    assert_ledgers_add_up(made.batches, {made.batches[-1].last_seq: held_by(made.history.engine)}, at_once)


@pytest.mark.anyio
@pytest.mark.parametrize("seed", some(range(2)))
async def test_the_lines_add_up_at_every_position(read_database: ReadDatabase, seed: int) -> None:
    batches, held = flow_of(seed, 300)
    await write_in_parts(read_database.writer(), batches, Random(seed))
    causes: set[str] = set()
    accounts = {account for state in held.values() for account, _ in state}
    async with read_database.opened() as engine, engine.connect() as connection:
        for account in sorted(accounts | {VENUE}):
            lines = await whole(connection, account, oldest_first=True)
            assert [line.key for line in lines] == sorted({line.key for line in lines})
            assert_adds_up(account, lines, held)
            assert as_held(account, await present_balances(connection, account)) == of_account(
                held[batches[-1].last_seq], account
            )
            causes |= {line.cause for line in lines}
            assert await whole(connection, account, oldest_first=False, at_once=31) == lines[::-1]
            assert await whole(connection, account, oldest_first=True, at_once=53) == lines
    assert causes >= CAUSES - {"bust"}  # a test of its own


@pytest.mark.anyio
async def test_balances_of_a_past_moment(read_database: ReadDatabase) -> None:
    """Before a time there is what the lines before it add up to; a window of times has the lines of these times."""
    batches, _ = flow_of(5, 300)
    await write_in_parts(read_database.writer(), batches, Random(5))
    chance = Random(1)
    async with read_database.opened() as engine, engine.connect() as connection:
        for account in (VENUE, 2, 3):
            lines = await whole(connection, account, oldest_first=True)
            times = sorted({line.time_ns for line in lines})
            for _ in range(6):
                start, end = sorted(chance.choices([times[0] - 1, *times, times[-1] + 1], k=2))
                window = LedgerWindow(Span(start, end))
                found = await read_lines(connection, account, window, 10**6, oldest_first=True)
                assert found == [line for line in lines if start <= line.time_ns < end]
                balances = LedgerBalances()
                for line in lines:
                    if line.time_ns < start:
                        balances.apply(line)
                assert as_held(account, await balances_at(connection, account, start)) == as_held(account, balances)


@pytest.mark.anyio
async def test_a_bust_gives_back_what_the_trade_moved(read_database: ReadDatabase) -> None:
    for seed in range(20):
        batches, held = flow_of(seed, 200)
        if any(event.kind == EventKind.TRADE_BUSTED for batch in batches for event in batch.event_list):
            break
    await write_in_parts(read_database.writer(), batches, Random(0))
    moved: dict[tuple[int, int], list[tuple[int, ...]]] = defaultdict(list)
    async with read_database.opened() as engine, engine.connect() as connection:
        for account in {account for state in held.values() for account, _ in state}:
            for line in await whole(connection, account, oldest_first=True):
                if line.trade_id is not None:
                    sign = -1 if line.cause == "bust" else 1
                    moved[account, line.trade_id].append((sign * line.cash_fen, sign * line.fee_fen, sign * line.lots))
    busted = [both for both in moved.values() if len(both) == 2]
    assert busted
    assert all(first == second for first, second in busted)
