"""Order flow as arrays of records, for the engine's benchmarks: adds 56 %, cancels 40 %, IOC 4 %; of the adds about 11 % trade.

A small book of prices follows the flow while it is made, so that cancels name orders that rest and marketable orders
meet some: numpy draws the numbers, one pass of Python tells which order is which.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from heapq import heappop, heappush
from typing import Any, NamedTuple

import numpy as np

from matching_engine.records import (
    ALL_INSTRUMENTS,
    BOOK_COMMAND,
    COMMAND,
    VENUE,
    Command,
    CommandKind,
    OrderType,
    Phase,
    Side,
    TimeInForce,
    pack_commands,
)

NEW_SHARE = 0.56
CANCEL_SHARE = 0.40
MARKETABLE_SHARE = 0.11
REFERENCE_TICKS = 5_000
BAND_PPM = 60_000
WALK = 150
TICK_VALUE_FEN = 10_000
MAX_QUANTITY_LOTS = 1_000_000
FEE_PPM = 500
START_NS = 1_700_000_000_000_000_000
ACCOUNT_FEN = 10**13
ACCOUNT_LOTS = 10**8

Records = np.ndarray[Any, np.dtype[Any]]


class _Draw(NamedTuple):
    """What chance decides for one message."""

    instrument: int
    kind: float
    side: int
    distance: int
    quantity: int
    marketable: bool
    where: float
    step: int


class _Columns(NamedTuple):
    """One list for each field of a message. `targets` is the number of the order a cancel names, or −1."""

    targets: list[int]
    instruments: list[int]
    sides: list[int]
    prices: list[int]
    quantities: list[int]
    may_rest: list[bool]


def book_flow(messages: int, instruments: int = 1, seed: int = 1, accounts: int = 64) -> Records:
    """BOOK_COMMAND records for a bare `OrderBook`; order ids count from 1."""
    columns = _flow(messages, instruments, seed)
    records = np.zeros(messages, BOOK_COMMAND)
    targets = _fill(records, columns)
    numbers = np.arange(messages)
    records["order_id"] = np.where(targets < 0, numbers, targets) + 1
    records["tag"] = numbers
    records["account"] = _accounts(messages, accounts, targets, seed)
    records["owner"] = records["account"]
    return records


def engine_flow(messages: int, instruments: int = 1, seed: int = 1, accounts: int = 64) -> tuple[Records, Records]:
    """COMMAND records for an `Engine`: what lists the instruments and funds the accounts, then the flow; seq from 1 on."""
    opening = np.frombuffer(pack_commands(_opening(instruments, accounts)), COMMAND).copy()
    columns = _flow(messages, instruments, seed)
    records = np.zeros(messages, COMMAND)
    targets = _fill(records, columns)
    records["order_id"] = np.where(targets < 0, 0, targets + len(opening) + 1)
    records["account"] = _accounts(messages, accounts, targets, seed)
    records["client_order_id"] = np.where(targets < 0, np.arange(messages).astype("S36"), b"")
    for part, first_seq in ((opening, 1), (records, len(opening) + 1)):
        part["seq"] = np.arange(first_seq, first_seq + len(part))
        part["time_ns"] = START_NS + part["seq"].astype("i8")
        part["request_id"] = part["seq"]
    return opening, records


def _opening(instruments: int, accounts: int) -> Sequence[Command]:
    listed = [
        Command(
            kind=CommandKind.LIST_INSTRUMENT,
            instrument=instrument,
            amount_fen=TICK_VALUE_FEN,
            price_ticks=REFERENCE_TICKS,
            rate_ppm=BAND_PPM,
            quantity_lots=MAX_QUANTITY_LOTS,
        )
        for instrument in range(instruments)
    ]
    rules = [
        Command(kind=CommandKind.SET_FEES, rate_ppm=FEE_PPM, taker_rate_ppm=FEE_PPM),
        Command(kind=CommandKind.DAY_ROLL, date=20231201),
        Command(kind=CommandKind.SET_PHASE, instrument=ALL_INSTRUMENTS, phase=Phase.CONTINUOUS),
    ]
    funded = []
    for account in range(VENUE + 1, VENUE + 1 + accounts):
        funded.append(Command(kind=CommandKind.OPEN_ACCOUNT))
        funded.append(Command(kind=CommandKind.DEPOSIT, account=account, amount_fen=ACCOUNT_FEN))
        funded += [
            Command(kind=CommandKind.RECEIVE, account=account, instrument=instrument, quantity_lots=ACCOUNT_LOTS)
            for instrument in range(instruments)
        ]
    return listed + rules + funded


class _Book:
    """The resting orders while a flow is made. Keys are prices with the most aggressive lowest: buys are negated."""

    def __init__(self, instruments: int) -> None:
        self.heaps: list[tuple[list[tuple[int, int]], ...]] = [([], []) for _ in range(instruments)]
        self.resting: list[int] = []
        self.places: dict[int, int] = {}
        self.lots: dict[int, int] = {}

    def best(self, instrument: int, side: int) -> int | None:
        """The key of the best resting order."""
        heap = self.heaps[instrument][side]
        while heap and heap[0][1] not in self.lots:
            heappop(heap)
        return heap[0][0] if heap else None

    def trade(self, instrument: int, side: int, limit_key: int, quantity: int) -> int:
        """Takes from the other side what stands at limit_key or better; returns the lots left over."""
        heap = self.heaps[instrument][1 - side]
        while quantity and (key := self.best(instrument, 1 - side)) is not None and key <= limit_key:
            maker = heap[0][1]
            traded = min(quantity, self.lots[maker])
            quantity -= traded
            self.lots[maker] -= traded
            if not self.lots[maker]:
                self.remove(maker)
        return quantity

    def rest(self, number: int, instrument: int, side: int, key: int, quantity: int) -> None:
        """Adds an order behind those of its price."""
        heappush(self.heaps[instrument][side], (key, number))
        self.places[number] = len(self.resting)
        self.resting.append(number)
        self.lots[number] = quantity

    def remove(self, number: int) -> None:
        """Takes an order out; its heap entry goes when it comes to the top."""
        place, last = self.places.pop(number), self.resting.pop()
        del self.lots[number]
        if last != number:
            self.resting[place] = last
            self.places[last] = place


def _flow(messages: int, instruments: int, seed: int) -> _Columns:
    columns = _Columns([], [], [], [], [], [])
    book = _Book(instruments)
    mids = [REFERENCE_TICKS] * instruments
    for number, draw in enumerate(_draws(messages, instruments, seed)):
        if draw.kind < CANCEL_SHARE and book.resting:
            target = book.resting[int(draw.where * len(book.resting))]
            book.remove(target)
            _append(columns, target, columns.instruments[target], columns.sides[target], 0, 0, False)
            continue
        instrument, side = draw.instrument, draw.side
        mids[instrument] = min(max(mids[instrument] + draw.step, REFERENCE_TICKS - WALK), REFERENCE_TICKS + WALK)
        may_rest = draw.kind < CANCEL_SHARE + NEW_SHARE
        toward = 1 if side == Side.BUY else -1
        limit = _limit(draw, mids[instrument] * toward, book.best(instrument, 1 - side), may_rest)
        _append(columns, -1, instrument, side, limit * toward, draw.quantity, may_rest)
        left = book.trade(instrument, side, limit, draw.quantity)
        if left and may_rest:
            book.rest(number, instrument, side, -limit, left)
    return columns


def _limit(draw: _Draw, mid_key: int, opposite_best: int | None, may_rest: bool) -> int:
    """The order's price as a key of the opposite side: it trades with keys up to this."""
    if draw.marketable or not may_rest:
        return (mid_key if opposite_best is None else opposite_best) + draw.distance // 4
    passive = mid_key - draw.distance
    return passive if opposite_best is None else min(passive, opposite_best - 1)


def _draws(messages: int, instruments: int, seed: int) -> Iterator[_Draw]:
    random = np.random.default_rng(seed)
    columns = [
        random.integers(0, instruments, messages),
        random.random(messages),
        random.integers(0, 2, messages),
        1 + np.minimum(random.exponential(8, messages).astype("i8"), 100),
        random.integers(1, 20, messages),
        random.random(messages) < MARKETABLE_SHARE,
        random.random(messages),
        random.choice([-1, 0, 0, 0, 0, 0, 0, 0, 0, 1], messages),
    ]
    return map(_Draw._make, zip(*[column.tolist() for column in columns], strict=True))


def _append(
    columns: _Columns, target: int, instrument: int, side: int, price: int, quantity: int, may_rest: bool
) -> None:
    columns.targets.append(target)
    columns.instruments.append(instrument)
    columns.sides.append(side)
    columns.prices.append(price)
    columns.quantities.append(quantity)
    columns.may_rest.append(may_rest)


def _fill(records: Records, columns: _Columns) -> Records:
    """Writes what both kinds of record share; returns `targets` as an array."""
    targets = np.array(columns.targets, "i8")
    is_new = targets < 0
    records["kind"] = np.where(is_new, CommandKind.NEW_ORDER, CommandKind.CANCEL)
    records["instrument"] = np.where(is_new, columns.instruments, 0)
    records["side"] = np.where(is_new, columns.sides, 0)
    records["price_ticks"] = columns.prices
    records["quantity_lots"] = columns.quantities
    records["order_type"] = np.where(is_new, OrderType.LIMIT, 0)
    waits = np.where(columns.may_rest, TimeInForce.GTC, TimeInForce.IOC)
    records["time_in_force"] = np.where(is_new, waits, 0)
    return targets


def _accounts(messages: int, accounts: int, targets: Records, seed: int) -> Records:
    """Each order's account, by chance; a cancel comes from the account of its order."""
    drawn = np.random.default_rng(seed + 1).integers(VENUE + 1, VENUE + 1 + accounts, messages)
    return np.where(targets < 0, drawn, drawn[targets])
