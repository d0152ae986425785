"""Seeded order flows for the benchmarks: `standard`, `surveyed`, and two hard ones, `deep` and `far`.

numpy draws the random numbers. One pass of Python follows the flow with a model of the book, so that cancels and amends name
live orders. The same arguments give the same flow. A flow is an array of FLOW; `book_records` converts it to commands of a bare
book, `engine_flow.engine_records` to commands of a whole engine.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from load_tests.flows.resting_orders import RestingOrders
from matching_engine.records import BOOK_COMMAND, VENUE, CommandKind, Flag, OrderType, TimeInForce

Records = np.ndarray[Any, np.dtype[Any]]

FLOW = np.dtype([(name, "<i8") for name in ("kind", "order", "instrument", "side", "price_ticks", "quantity_lots",
                                            "time_in_force", "flags", "account")])  # fmt: skip
"""The layout of a message. `order` is the number, from 0, of the message that places the order; an unused field is 0."""


class PriceRange(NamedTuple):
    """The prices of a flow: around a reference price, within a band either way."""

    reference_ticks: int
    band_ppm: int


NARROW = PriceRange(5_000, 60_000)
WIDE = PriceRange(100_000, 600_000)
FAR = PriceRange(2**30, 999_999)

ACCOUNTS = 64
DEEP_ACCOUNTS = 4_096
MAX_LOTS = 19
MAX_TAKER_LOTS = 17
NARROW_WALK = 150
WIDE_SWING = 0.40
SWING_MESSAGES = 500_000
WIDE_DEPTH = 15_000
SWEEP_LOTS = 5_000

_NEW, _CANCEL, _AMEND = int(CommandKind.NEW_ORDER), int(CommandKind.CANCEL), int(CommandKind.AMEND)
_GTC, _IOC = int(TimeInForce.GTC), int(TimeInForce.IOC)
_CHANGE_PRICE, _CHANGE_QUANTITY = int(Flag.CHANGE_PRICE), int(Flag.CHANGE_QUANTITY)


class _FlowBuilder:
    """Builds a flow message by message, beside a model of the resting orders. `chance` is a random number in [0, 1).

    A `book` is 2 × instrument + side.
    """

    def __init__(self, messages: int, instruments: int, accounts: int) -> None:
        self.rows: list[tuple[int, ...]] = []
        self.model = RestingOrders(messages, instruments)
        self.totals = [0] * messages
        self.prices = [0] * messages
        self.accounts = accounts

    def new(self, book: int, price: int, lots: int, chance: float, rests: bool = True) -> None:
        """Adds a new order of an account picked by chance; of account 0, which self-trade prevention ignores, if there are
        none."""
        number, side = len(self.rows), book & 1
        account = VENUE + 1 + int(chance * self.accounts) if self.accounts else 0
        self.rows.append((_NEW, number, book >> 1, side, price, lots, _GTC if rests else _IOC, 0, account))
        self.totals[number] = lots
        self.prices[number] = price
        self.model.enter(number, book, price if side else -price, lots, account, rests)

    def cancel(self, number: int) -> None:
        """Adds the cancel of a resting order."""
        self.model.remove(number)
        self.cancel_again(number)

    def cancel_again(self, number: int) -> None:
        """Adds the cancel of an order that has ended."""
        self.rows.append((_CANCEL, number, 0, 0, 0, 0, 0, 0, self.rows[number][-1]))

    def reduce(self, number: int, chance: float) -> None:
        """Adds an amend to a smaller quantity. The order must have at least two open lots."""
        less = 1 + int(chance * (self.model.lots[number] - 1))
        self.model.lots[number] -= less
        self.totals[number] -= less
        account = self.rows[number][-1]
        self.rows.append((_AMEND, number, 0, 0, 0, self.totals[number], 0, _CHANGE_QUANTITY, account))

    def reprice(self, number: int, price: int) -> None:
        """Adds an amend to another price, which enters the order again. The same price changes nothing."""
        model, account = self.model, self.rows[number][-1]
        self.rows.append((_AMEND, number, 0, 0, price, 0, 0, _CHANGE_PRICE, account))
        if price != self.prices[number]:
            self.prices[number] = price
            book = model.book[number]
            model.remove(number)
            model.enter(number, book, price if book & 1 else -price, model.lots[number], account)

    def any(self, chance: float) -> int:
        """The number of a resting order picked by chance."""
        resting = self.model.resting
        return resting[int(chance * len(resting))]

    def passive_price(self, book: int, mid: int, distance: int) -> int:
        """A price `distance` ticks from `mid` on the book's own side, at least one tick from the other side's best."""
        opposite = self.model.best_key(book ^ 1)
        if book & 1:
            return mid + distance if opposite is None else max(mid + distance, 1 - opposite)
        return mid - distance if opposite is None else min(mid - distance, opposite - 1)

    def crossing_price(self, book: int, mid: int, beyond: int) -> int:
        """A price `beyond` ticks beyond the other side's best; beyond `mid` if no order rests there."""
        opposite = self.model.best_key(book ^ 1)
        if book & 1:
            return (mid if opposite is None else -opposite) - beyond
        return (mid if opposite is None else opposite) + beyond

    def flow(self) -> Records:
        """The messages so far, as an array of FLOW."""
        return np.array(self.rows, "i8").view(FLOW).reshape(-1)


def standard(messages: int, instruments: int = 1, seed: int = 1, accounts: int = ACCOUNTS) -> Records:
    """A flow of 56 % adds, 40 % cancels, 4 % IOC; about 11 % of the adds trade. The price walks narrowly (NARROW); the book
    slowly fills."""
    random = np.random.default_rng(seed)
    builder = _FlowBuilder(messages, instruments, accounts)
    columns = (
        random.random(messages),
        random.integers(0, 2 * instruments, messages),
        1 + np.minimum(random.exponential(8, messages).astype("i8"), 100),
        random.integers(1, MAX_LOTS + 1, messages),
        random.integers(1, MAX_TAKER_LOTS + 1, messages),
        random.random(messages) < 0.11,
        random.random(messages),
        NARROW.reference_ticks + _reflected(random.choice([-1, *[0] * 18, 1], messages).cumsum(), NARROW_WALK),
    )
    for kind, book, distance, lots, taker_lots, marketable, chance, mid in _each(*columns):
        if kind < 0.40 and builder.model.resting:
            builder.cancel(builder.any(chance))
        elif kind >= 0.96:
            builder.new(book, builder.crossing_price(book, mid, distance // 4), taker_lots, chance, rests=False)
        elif marketable:
            builder.new(book, builder.crossing_price(book, mid, distance // 4), taker_lots, chance)
        else:
            builder.new(book, builder.passive_price(book, mid, distance), lots, chance)
    return builder.flow()


def surveyed(messages: int, instruments: int = 1, seed: int = 1, *, swing: float = WIDE_SWING) -> Records:
    """A flow shaped like public surveys of order-level data: 20 % amends, 15 % IOC (most of them trade nothing), 2 % cancels of
    orders that have ended; 95 % of the resting orders that end are canceled.

    Distances from the middle follow a power law, quantities a log-normal distribution. The middle swings by ±`swing` once in
    SWING_MESSAGES (the default, ±40 %, fits WIDE); the orders in its way are canceled first.
    """
    random = np.random.default_rng(seed)
    builder = _FlowBuilder(messages, instruments, ACCOUNTS)
    walk = swing * np.sin(2 * np.pi * np.arange(messages) / SWING_MESSAGES)
    columns = (
        random.random(messages),
        random.integers(0, 2 * instruments, messages),
        np.minimum(random.pareto(0.8, messages) + 1, WIDE_DEPTH).astype("i8"),
        np.clip(random.lognormal(2, 1, messages).astype("i8"), 1, 1_000),
        random.random(messages),
        (WIDE.reference_ticks * (1 + walk)).astype("i8") + random.integers(-3, 4, messages),
    )
    canceled: list[int] = []
    for kind, book, distance, lots, chance, mid in _each(*columns):
        if kind < 0.33 or len(builder.model.resting) < 2:
            builder.new(book, builder.passive_price(book, mid, distance), lots, chance)
        elif kind < 0.63:
            canceled.append(_order_to_cancel(builder.model, book, mid, builder.any(chance)))
            builder.cancel(canceled[-1])
        elif kind < 0.83:
            _amend(builder, builder.any(chance), mid, distance, (kind - 0.63) / 0.20)
        elif kind < 0.98:
            finds = kind < 0.853
            builder.new(book, builder.crossing_price(book, mid, 0 if finds else -1), lots, chance, rests=False)
        else:
            builder.cancel_again(canceled[-1 - int(chance * min(len(canceled), 1_000))])
    return builder.flow()


def _order_to_cancel(model: RestingOrders, book: int, mid: int, other: int) -> int:
    """The best order of a side that the middle has passed; `other` if there is none."""
    for side in (book, book ^ 1):
        key = model.best_key(side)
        if key is not None and (key < mid if side & 1 else -key > mid):
            return model.best(side)
    return other


def _amend(builder: _FlowBuilder, number: int, mid: int, distance: int, chance: float) -> None:
    """Adds an amend: half of them to a smaller quantity, half to another price."""
    if chance < 0.5 and builder.model.lots[number] > 1:
        builder.reduce(number, 2 * chance)
    else:
        builder.reprice(number, builder.passive_price(builder.model.book[number], mid, distance))


def deep(messages: int, instruments: int = 1, seed: int = 1) -> Records:
    """A flow with all buys at one price and all sells at the next (NARROW): queues of tens of thousands of orders, canceled
    anywhere in the queue and traded from its front, sometimes hundreds at once."""
    random = np.random.default_rng(seed)
    builder = _FlowBuilder(messages, instruments, DEEP_ACCOUNTS)
    columns = (random.random(messages), random.integers(0, 2 * instruments, messages),
               random.integers(1, MAX_LOTS + 1, messages), random.random(messages))  # fmt: skip
    for kind, book, lots, chance in _each(*columns):
        if kind < 0.35 and builder.model.resting:
            builder.cancel(builder.any(chance))
        elif kind < 0.90:
            builder.new(book, NARROW.reference_ticks + (book & 1), lots, chance)
        else:
            swept = SWEEP_LOTS if kind > 0.9999 else lots
            builder.new(book, NARROW.reference_ticks + 1 - (book & 1), swept, chance, rests=False)
    return builder.flow()


def far(messages: int, instruments: int = 1, seed: int = 1) -> Records:
    """A flow with prices anywhere within 31 bits (FAR), each far from every other; only the best order is canceled or
    traded."""
    random = np.random.default_rng(seed)
    builder = _FlowBuilder(messages, instruments, ACCOUNTS)
    columns = (random.random(messages), random.integers(0, 2 * instruments, messages),
               random.integers(1, 2**30 - 2_000, messages), random.integers(1, MAX_LOTS + 1, messages),
               random.random(messages))  # fmt: skip
    for kind, book, distance, lots, chance in _each(*columns):
        best = builder.model.best(book)
        if kind < 0.475 and best >= 0:
            builder.cancel(best)
        elif kind < 0.98:
            builder.new(book, builder.passive_price(book, FAR.reference_ticks, distance), lots, chance)
        else:
            builder.new(book, builder.crossing_price(book, FAR.reference_ticks, 0), lots, chance, rests=False)
    return builder.flow()


def stretched(flow: Records, times: int) -> Records:
    """The same messages with each price `times` times as far from NARROW's reference: the same trades, on levels far apart."""
    wider = flow.copy()
    priced = flow["price_ticks"] != 0
    distance = flow["price_ticks"][priced] - NARROW.reference_ticks
    wider["price_ticks"][priced] = NARROW.reference_ticks + times * distance
    return wider


def _each(*columns: Records) -> Iterator[tuple[Any, ...]]:
    return zip(*[column.tolist() for column in columns], strict=True)


def _reflected(walk: Records, width: int) -> Records:
    """The walk, reflected at −width and width."""
    turned: Records = np.abs((walk + width) % (4 * width) - 2 * width) - width
    return turned


def book_records(flow: Records, ids: Records | None = None) -> Records:
    """BOOK_COMMAND records for a bare `OrderBook`. `ids[n]` is the id of order n (default: n + 1)."""
    records = np.zeros(len(flow), BOOK_COMMAND)
    for name in ("kind", "instrument", "side", "price_ticks", "quantity_lots", "time_in_force", "flags", "account"):
        records[name] = flow[name]
    records["order_id"] = flow["order"] + 1 if ids is None else ids[flow["order"]]
    records["order_type"] = np.where(flow["kind"] == CommandKind.NEW_ORDER, OrderType.LIMIT, 0)
    records["owner"] = np.where(flow["kind"] == CommandKind.NEW_ORDER, flow["account"], 0)
    return records


GOLDEN = 0x9E37_79B9_7F4A_7C15
"""The factor of the engine's id table: the first bits of id × factor are the id's index in the table."""


def colliding_ids(count: int) -> Records:
    """Ids that all have the same index in the id table: the hardest for it."""
    folded = np.arange(1, count + 1, dtype="u8") * np.uint64(pow(GOLDEN, -1, 2**64))
    return folded ^ folded >> np.uint64(32)
