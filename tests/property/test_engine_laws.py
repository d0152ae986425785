"""Laws of the engine for any commands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching_engine import Engine
from matching_engine.records import (
    ALL_INSTRUMENTS,
    CLIENT_ORDER_ID_BYTES,
    COMMAND,
    MAX_AMOUNT_FEN,
    VENUE,
    Command,
    CommandKind,
    EventKind,
    OrderType,
    Phase,
    Side,
    TimeInForce,
    unpack_events,
)
from matching_engine.snapshot import state
from tests.model.naive_engine import NaiveEngine
from tests.property.engine_flow import array, flow, numbered
from tests.property.event_sums import EventSums

seeds = st.integers(0, 2**32)
lengths = st.integers(1, 250)
YEARS = range(2022, 2030)
TAIL = 40
"""The last commands of a flow, in which fields are changed."""
changes = st.tuples(
    st.integers(0, TAIL - 1),
    st.sampled_from([name for name in Command._fields if name != "seq"]),  # The sequencer alone numbers commands.
    st.binary(min_size=CLIENT_ORDER_ID_BYTES, max_size=CLIENT_ORDER_ID_BYTES),  # for the widest field
)
"""A place in the tail, a field, and its new bytes."""


@settings(max_examples=60, deadline=None)
@given(seeds, lengths)
def test_it_does_what_the_naive_engine_does(seed: int, length: int) -> None:
    engine, naive = Engine(), NaiveEngine()
    for command in flow(seed, length):
        assert engine.submit(command) == naive.submit(command)
        assert balances(engine) == balances(naive)
        assert engine.next_deadline_ns == naive.next_deadline_ns
        assert engine.state_hash() == naive.state_hash()


@settings(max_examples=60, deadline=None)
@given(seeds, lengths)
def test_what_is_so_follows_from_the_events(seed: int, length: int) -> None:
    """Balances, levels, open orders and turnover are sums over events; the book is crossed only in a call auction."""
    engine, sums = Engine(), EventSums()
    for command in flow(seed, length):
        for event in engine.submit(command):
            sums.read(event)
        for account in range(1, engine.accounts + 1):
            assert engine.cash(account) == (sums.cash[account], sums.reserved[account])
            for i in range(engine.instruments):
                assert engine.holding(account, i) == (sums.lots[account, i], sums.reserved_lots[account, i])
        for i in range(engine.instruments):
            for side in Side:
                assert engine.book.depth(i, side, 1000) == sums.depth(i, side)
            assert not sums.crossed(i) or engine.phase(i) in (Phase.CALL_AUCTION, Phase.HALTED)
        orders = engine.state().orders
        open_lots = (orders["shown_lots"] + orders["hidden_lots"]).tolist()
        assert dict(zip(orders["order_id"].tolist(), open_lots, strict=True)) == sums.leaves
    assert sum(engine.turnover_fen(year) for year in {0, *YEARS}) == sums.turnover


@settings(max_examples=40, deadline=None)
@given(seeds, lengths)
def test_nothing_is_made_or_lost_and_nobody_is_overdrawn(seed: int, length: int) -> None:
    engine, sums = Engine(), EventSums()
    for command in flow(seed, length):
        for event in engine.submit(command):
            sums.read(event)
        accounts = range(1, engine.accounts + 1)
        assert sum(engine.cash(account)[0] for account in accounts) == sums.deposited <= MAX_AMOUNT_FEN
        for i in range(engine.instruments):
            assert sum(engine.holding(account, i)[0] for account in accounts) == sums.received[i]
        for cash, reserved in map(engine.cash, accounts):
            assert 0 <= reserved <= cash
        for lots, reserved in (engine.holding(account, i) for account in accounts for i in range(engine.instruments)):
            assert 0 <= reserved <= lots


@settings(max_examples=30, deadline=None)
@given(seeds, lengths, st.lists(st.integers(0, 250), max_size=10))
def test_results_do_not_depend_on_where_a_batch_ends(seed: int, length: int, cuts: list[int]) -> None:
    in_batches(array(flow(seed, length)), sorted(cuts))


@pytest.mark.parametrize("size", [1, 7, 256, 4096])
def test_nor_on_the_size_of_batches(size: int) -> None:
    commands = array(flow(3, 9_000))
    in_batches(commands, range(size, len(commands), size))


def in_batches(commands: np.ndarray, cuts: Sequence[int]) -> None:
    whole, parts = Engine(), Engine()
    events = whole.process(commands)
    pieces = [parts.process(piece) for piece in np.split(commands, cuts)]
    assert np.concatenate(pieces).tobytes() == events.tobytes()
    assert parts.state_hash() == whole.state_hash()


@settings(max_examples=30, deadline=None)
@given(seeds, lengths)
def test_the_next_deadline_is_over_once_its_time_has_passed(seed: int, length: int) -> None:
    engine = Engine()
    engine.process(array(flow(seed, length)))
    deadline = engine.next_deadline_ns
    engine.submit(Command(seq=engine.last_seq + 1, kind=CommandKind.TIME, time_ns=deadline))
    assert engine.next_deadline_ns == 0 or engine.next_deadline_ns > deadline


@settings(max_examples=60, deadline=None)
@given(seeds, lengths, st.integers(0, 100))
def test_a_loaded_snapshot_goes_on_as_a_replay_would(seed: int, length: int, percent: int) -> None:
    commands = flow(seed, length)
    cut = len(commands) * percent // 100
    replayed = Engine()
    replayed.process(array(commands[:cut]))
    snapshot = state.snapshot_bytes(replayed.state())
    loaded = Engine.from_state(state.from_bytes(snapshot))
    assert state.snapshot_bytes(loaded.state()) == snapshot
    assert loaded.next_deadline_ns == replayed.next_deadline_ns
    for command in commands[cut:]:
        assert loaded.submit(command) == replayed.submit(command)
    assert loaded.state_hash() == replayed.state_hash()


@pytest.mark.hypothesis
def test_any_bytes_in_any_field_are_answered() -> None:
    answers: Counter[EventKind] = Counter()  # of the changed commands

    @settings(max_examples=100, deadline=None)
    @given(seeds, st.lists(changes, min_size=10, max_size=30))
    def answered(seed: int, changed: list[tuple[int, str, bytes]]) -> None:
        commands = array(flow(seed, 2 * TAIL)).copy()
        tail = commands[-TAIL:]
        for place, name, data in changed:
            tail[name][place] = np.frombuffer(data, COMMAND[name], 1)[0]
        engine, naive = Engine(), NaiveEngine()
        events = list(unpack_events(engine.process(commands).tobytes()))
        assert {event.seq for event in events} == set(commands["seq"].tolist())
        assert events == list(unpack_events(naive.process(commands).tobytes()))
        assert engine.state_hash() == naive.state_hash()
        seqs = {int(tail["seq"][place]) for place, _, _ in changed}
        answers.update(EventKind(event.kind) for event in events if event.seq in seqs)

    answered()
    for kind in (EventKind.ACCEPTED, EventKind.TRADE, EventKind.CANCELED, EventKind.REPLACED, EventKind.REJECTED):
        assert answers[kind], "the law was tried on next to nothing"


@settings(max_examples=100, deadline=None)
@given(
    tick_value=st.integers(1, 4_656_612),
    reference=st.integers(1, 2**31 - 1),
    rates=st.tuples(st.integers(0, 999_999), st.integers(0, 999_999)),
    later_rates=st.tuples(st.integers(0, 999_999), st.integers(0, 999_999)),
    fills=st.lists(st.integers(1, 3), min_size=1, max_size=12),
    takes=st.booleans(),
)
def test_an_exactly_funded_buyer_can_always_pay(
    tick_value: int,
    reference: int,
    rates: tuple[int, int],
    later_rates: tuple[int, int],
    fills: list[int],
    takes: bool,
) -> None:
    """For any price, any rates and any change of them, many small fills cost no more than the reserve."""
    lots = sum(fills)
    reserve = lots * lot_reserve(reference * tick_value, max(rates))
    if reserve > MAX_AMOUNT_FEN:
        return
    buy = new_order(2, Side.BUY, reference, lots)
    sells = [new_order(3, Side.SELL, reference, quantity) for quantity in fills]
    raise_rates = [Command(kind=CommandKind.SET_FEES, rate_ppm=later_rates[0], taker_rate_ppm=later_rates[1])]
    orders = [*sells, buy] if takes else [buy, *raise_rates, *sells]
    engine = Engine()
    start = [
        Command(kind=CommandKind.SET_PHASE, instrument=ALL_INSTRUMENTS, phase=Phase.CONTINUOUS),
        Command(kind=CommandKind.SET_FEES, rate_ppm=rates[0], taker_rate_ppm=rates[1]),
        Command(kind=CommandKind.LIST_INSTRUMENT, amount_fen=tick_value, price_ticks=reference, quantity_lots=10**9),
        Command(kind=CommandKind.OPEN_ACCOUNT),
        Command(kind=CommandKind.OPEN_ACCOUNT),
        Command(kind=CommandKind.DEPOSIT, account=2, amount_fen=reserve),
        Command(kind=CommandKind.RECEIVE, account=3, quantity_lots=lots),
    ]
    events = list(unpack_events(engine.process(array(numbered([*start, *orders]))).tobytes()))
    trades = [event for event in events if event.kind == EventKind.TRADE]
    assert [trade.quantity_lots for trade in trades] == fills
    assert engine.holding(2, 0) == (lots, 0)
    cash, reserved = engine.cash(2)
    assert cash >= 0
    assert reserved == 0
    assert cash + engine.cash(3)[0] + engine.cash(VENUE)[0] == reserve


def new_order(account: int, side: int, price_ticks: int, quantity_lots: int) -> Command:
    return Command(
        kind=CommandKind.NEW_ORDER,
        account=account,
        side=side,
        order_type=OrderType.LIMIT,
        time_in_force=TimeInForce.GTC,
        price_ticks=price_ticks,
        quantity_lots=quantity_lots,
    )


def lot_reserve(value: int, rate: int) -> int:
    return value + max(1, -(-value * rate // 1_000_000))


def balances(engine: Engine | NaiveEngine) -> list[tuple[int, int]]:
    accounts = range(1, engine.accounts + 1)
    cash = [engine.cash(account) for account in accounts]
    return cash + [engine.holding(account, i) for account in accounts for i in range(engine.instruments)]
