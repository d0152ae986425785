"""What holds for the engine whatever it is told."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from matching_engine import Engine
from matching_engine.records import (
    ALL_INSTRUMENTS,
    COMMAND,
    MAX_AMOUNT_FEN,
    VENUE,
    Command,
    CommandKind,
    Event,
    EventKind,
    OrderType,
    Phase,
    Side,
    TimeInForce,
    unpack_commands,
    unpack_events,
)
from tests.property.engine_flow import array, flow, numbered
from tests.property.naive_engine import NaiveEngine

seeds = st.integers(0, 2**32)
lengths = st.integers(1, 150)


@settings(max_examples=60, deadline=None)
@given(seeds, lengths)
def test_it_does_what_the_naive_engine_does(seed: int, length: int) -> None:
    engine, naive = Engine(), NaiveEngine()
    for command in flow(seed, length):
        assert engine.submit(command) == naive.submit(command)
        assert balances(engine) == balances(naive)
        assert engine.state_hash() == naive.state_hash()


@settings(max_examples=40, deadline=None)
@given(seeds, lengths)
def test_balances_are_sums_over_events(seed: int, length: int) -> None:
    engine = Engine()
    ledger = Ledger()
    for command in flow(seed, length):
        for event in engine.submit(command):
            ledger.apply(event)
        for account in range(1, engine.accounts + 1):
            assert engine.cash(account) == (ledger.cash[account], ledger.reserved[account])
            for i in range(engine.instruments):
                assert engine.holding(account, i) == (ledger.lots[account, i], ledger.reserved_lots[account, i])


@settings(max_examples=40, deadline=None)
@given(seeds, lengths)
def test_nothing_is_made_or_lost_and_nobody_is_overdrawn(seed: int, length: int) -> None:
    engine = Engine()
    deposited = 0
    received: dict[int, int] = defaultdict(int)
    for command in flow(seed, length):
        for event in engine.submit(command):
            if event.kind == EventKind.BALANCE_CHANGED:
                deposited += event.amount_fen
                received[event.instrument] += event.quantity_lots
        accounts = range(1, engine.accounts + 1)
        assert sum(engine.cash(account)[0] for account in accounts) == deposited <= MAX_AMOUNT_FEN
        for i in range(engine.instruments):
            assert sum(engine.holding(account, i)[0] for account in accounts) == received[i]
        for cash, reserved in map(engine.cash, accounts):
            assert 0 <= reserved <= cash
        for lots, reserved in (engine.holding(account, i) for account in accounts for i in range(engine.instruments)):
            assert 0 <= reserved <= lots


@settings(max_examples=40, deadline=None)
@given(seeds, lengths)
def test_events_tell_the_book_and_the_turnover(seed: int, length: int) -> None:
    engine = Engine()
    levels: dict[tuple[int, int], dict[int, tuple[int, int]]] = defaultdict(dict)
    turnover: dict[int, int] = defaultdict(int)
    for command in flow(seed, length):
        for event in engine.submit(command):
            if event.kind == EventKind.LEVEL:
                side = levels[event.instrument, event.side]
                side[event.price_ticks] = (event.quantity_lots, event.number)
                if event.number == 0:
                    assert side.pop(event.price_ticks) == (0, 0)
            if event.kind == EventKind.TRADE:
                turnover[engine.trading_date // 10_000] += event.amount_fen
        for i in range(engine.instruments):
            for side_number, reverse in ((Side.BUY, True), (Side.SELL, False)):
                expected = [(p, *levels[i, side_number][p]) for p in sorted(levels[i, side_number], reverse=reverse)]
                assert engine.book.depth(i, side_number, 1000) == expected
            buys, sells = levels[i, Side.BUY], levels[i, Side.SELL]
            assert not (buys and sells) or max(buys) < min(sells)
    assert {year: engine.turnover_fen(year) for year in turnover} == turnover


@settings(max_examples=30, deadline=None)
@given(seeds, lengths, st.sampled_from((1, 7, 256)))
def test_results_do_not_depend_on_where_a_batch_ends(seed: int, length: int, size: int) -> None:
    commands = array(flow(seed, length))
    whole, parts = Engine(), Engine()
    events = whole.process(commands)
    pieces = [parts.process(commands[i : i + size]) for i in range(0, len(commands), size)]
    assert np.concatenate(pieces).tobytes() == events.tobytes()
    assert parts.state_hash() == whole.state_hash()


@settings(max_examples=100, deadline=None)
@given(st.lists(st.binary(min_size=COMMAND.itemsize, max_size=COMMAND.itemsize), max_size=20), seeds)
def test_any_bytes_are_answered(rows: list[bytes], seed: int) -> None:
    start = flow(seed, 30)
    hostile = numbered(unpack_commands(b"".join(rows)), len(start))
    engine, naive = Engine(), NaiveEngine()
    engine.process(array(start))
    naive.process(array(start))
    events = engine.process(array(hostile))
    assert {event.seq for event in unpack_events(events.tobytes())} == {command.seq for command in hostile}
    assert events.tobytes() == naive.process(array(hostile)).tobytes()
    assert engine.state_hash() == naive.state_hash()


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
    """Whatever the price, the rates and their change, many small fills cost no more than the reserve."""
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


class Ledger:
    """Balances as the records' docstring says they follow from events."""

    def __init__(self) -> None:
        self.cash: dict[int, int] = defaultdict(int)
        self.reserved: dict[int, int] = defaultdict(int)
        self.lots: dict[tuple[int, int], int] = defaultdict(int)
        self.reserved_lots: dict[tuple[int, int], int] = defaultdict(int)

    def apply(self, e: Event) -> None:
        sign = 1 if e.kind == EventKind.ACCEPTED else -1
        if e.kind == EventKind.BALANCE_CHANGED:
            self.cash[e.account] += e.amount_fen
            self.lots[e.account, e.instrument] += e.quantity_lots
        elif e.kind == EventKind.TRADE:
            self.trade(e)
        elif e.kind in (EventKind.ACCEPTED, EventKind.CANCELED, EventKind.EXPIRED, EventKind.PREVENTED):
            self.reserved[e.account] += e.reserve_fen
            if e.side == Side.SELL:
                self.reserved_lots[e.account, e.instrument] += sign * e.quantity_lots

    def trade(self, e: Event) -> None:
        taker, maker = (e.account, e.fee_fen), (e.maker_account, e.maker_fee_fen)
        (buyer, buyer_fee), (seller, seller_fee) = (taker, maker) if e.side == Side.BUY else (maker, taker)
        self.cash[buyer] -= e.amount_fen + buyer_fee
        self.reserved[buyer] += e.reserve_fen
        self.lots[buyer, e.instrument] += e.quantity_lots
        self.cash[seller] += e.amount_fen - seller_fee
        self.lots[seller, e.instrument] -= e.quantity_lots
        self.reserved_lots[seller, e.instrument] -= e.quantity_lots
        self.cash[VENUE] += e.fee_fen + e.maker_fee_fen
