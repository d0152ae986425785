"""Arrays of COMMAND records, built column by column: quotes of makers, orders that trade at once, orders of an auction.

A price is never outside the day's band: `Market.fair_within` keeps the fair prices inside it, and quotes stay near them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from matching_engine.records import COMMAND, CommandKind, OrderType, Side, TimeInForce, band
from services.data.instruments import InstrumentFacts
from services.simulator.accounts import VALUE_SHARE_BP
from services.simulator.year.day_shape import SECOND_NS
from services.simulator.year.members import MAKERS, Member

HALF_SPREAD, LEVEL_STEP = 0.0008, 0.0006
"""Of the fair price: from it to the best quotes, and from one quote of a side to the next."""

DEPTH_OF_SLICES, DEPTH_BESIDE = 3, 7
"""Quotes of a side hold so many times the turnover expected until they are renewed, and beside it that of so many slices: a few
large orders must not empty a book."""
DEPTH_OF_ORDERS = 2.5
"""And at least so many times a mean order: else little traded products would trade less than their share."""

QUOTED_MOVE, OPENING_MOVE = 0.013, 0.026
"""How far from the last price makers quote. In a slice: within the volatility band, so that auctions begin by plan only. Before
an opening auction, which has no such band: within the collar."""
_ROOM = 0.01
"""The distance that fair prices keep from the day's price limits."""
_REACH = 0.009
"""How far beyond the fair price an order that trades at once may trade."""
_VALUE_SD = 0.9
_PATIENT = 0.1
_PATIENT_FROM, _PATIENT_TO = 0.004, 0.012
_GOOD_TILL_CANCELED = 0.3
"""The share of patient orders that stays open over night."""
_QUOTES_AFTER_NS, _QUOTE_NS = SECOND_NS // 2, SECOND_NS // 1000


@dataclass(frozen=True)
class SimulatedMarket:
    """What does not change within a year: of each instrument, and of each member. Arrays by number, from 0."""

    tick_value_fen: Any
    share: Any
    """Of the year's turnover; the sum is 1."""
    band_ppm: Any
    accounts: Any
    weights: Any
    buys: Any

    def fair_within(self, fair_log: Any, anchor_ticks: Any, reference_ticks: Any, move: float = QUOTED_MOVE) -> Any:
        """Fair prices in ticks (float), at most `move` from the last prices and inside the day's limits."""
        low, high = self.limits(reference_ticks)
        near = np.clip(np.exp(fair_log), anchor_ticks * (1 - move), anchor_ticks * (1 + move))
        return np.clip(near, low * (1 + _ROOM), high * (1 - _ROOM))

    def limits(self, reference_ticks: Any) -> tuple[Any, Any]:
        """The lowest and the highest price of the day, by instrument."""
        edges = [band(int(ticks), int(ppm)) for ticks, ppm in zip(reference_ticks, self.band_ppm, strict=True)]
        return np.array([low for low, _ in edges]), np.array([high for _, high in edges])

    def lots(self, amount_fen: Any, ticks: Any) -> Any:
        """Lots worth these amounts at these prices, not rounded; both by instrument."""
        return amount_fen / (ticks * self.tick_value_fen)


def make_market(
    instruments: Sequence[InstrumentFacts], members: Sequence[Member], accounts: Sequence[int]
) -> SimulatedMarket:
    """The market of these instruments and members. Buys and sells of the members that trade at once are equal on average, so
    that makers end a year with about what they began with."""
    share = np.array([VALUE_SHARE_BP.get(facts.symbol, 0) for facts in instruments], dtype=float)
    weights = np.array([member.weight for member in members])
    buys = np.array([member.buys for member in members])
    weights /= weights.sum()
    return SimulatedMarket(
        tick_value_fen=np.array([facts.tick_value_fen for facts in instruments]),
        share=share / share.sum(),
        band_ppm=np.array([facts.band_ppm for facts in instruments]),
        accounts=np.array(accounts),
        weights=weights,
        buys=np.clip(buys + 0.5 - (weights * buys).sum(), 0.05, 0.95),
    )


def blank(count: int, kind: CommandKind) -> Any:
    """So many commands of a kind; every other field is 0."""
    commands = np.zeros(count, COMMAND)
    commands["kind"] = kind
    return commands


def limit_orders(count: int, time_in_force: TimeInForce) -> Any:
    """So many limit orders."""
    commands = blank(count, CommandKind.NEW_ORDER)
    commands["order_type"] = OrderType.LIMIT
    commands["time_in_force"] = time_in_force
    return commands


@dataclass(frozen=True)
class QuoteGrid:
    """Who quotes what: a row for each pair of quotes (a buy and a sell) of a maker in an instrument, ordered by maker."""

    instrument: Any
    maker: Any
    level: Any

    @property
    def pairs(self) -> int:
        """The number of rows."""
        return len(self.instrument)


def quote_grid(instruments: Any, pairs: Any, first_maker: int) -> QuoteGrid:
    """`pairs` says how many pairs of quotes each of these instruments gets. Makers take turns; after one turn of all makers the
    next level begins."""
    instrument = np.repeat(instruments, pairs)
    place = np.arange(len(instrument)) - np.repeat(np.cumsum(pairs) - pairs, pairs)
    maker = (instrument + place + first_maker) % MAKERS
    order = np.argsort(maker, kind="stable")
    return QuoteGrid(instrument[order], maker[order], (place // MAKERS)[order])


def quotes(
    rng: np.random.Generator, market: SimulatedMarket, grid: QuoteGrid, fair_ticks: Any, side_lots: Any, start_ns: int
) -> Any:
    """New quotes around the fair prices: `side_lots` lots (by instrument) on each side, spread over the grid's rows. A maker's
    own opinion moves its quotes outwards only, so that makers do not trade with each other."""
    rows, count = grid.instrument, grid.pairs
    commands = limit_orders(2 * count, TimeInForce.DAY)
    fair = fair_ticks[rows]
    half = np.maximum(np.rint(fair * HALF_SPREAD), 1)
    away = half + grid.level * np.maximum(np.rint(fair * LEVEL_STEP), 1) + np.floor(rng.random(count) * (half / 2 + 1))
    middle = np.rint(fair)
    each = (side_lots / np.maximum(np.bincount(rows, minlength=len(side_lots)), 1))[rows]
    commands["price_ticks"][0::2], commands["price_ticks"][1::2] = middle - away, middle + away
    commands["side"][1::2] = Side.SELL
    commands["quantity_lots"] = np.ceil(np.repeat(each, 2) * (0.7 + 0.6 * rng.random(2 * count))).clip(1)
    commands["instrument"] = np.repeat(rows, 2)
    commands["account"] = np.repeat(market.accounts[grid.maker], 2)
    commands["time_ns"] = start_ns + _QUOTES_AFTER_NS + _QUOTE_NS * np.arange(2 * count)
    return commands


def cancels(accounts: Any, instruments: Any, start_ns: int) -> Any:
    """One MASS_CANCEL of both sides for each account and instrument (or ALL_INSTRUMENTS)."""
    commands = blank(len(accounts), CommandKind.MASS_CANCEL)
    commands["account"], commands["instrument"] = accounts, instruments
    commands["side"] = 2
    commands["time_ns"] = start_ns + _QUOTE_NS * np.arange(1, len(accounts) + 1)
    return commands


def trading_orders(
    rng: np.random.Generator,
    market: SimulatedMarket,
    count: int,
    amount_fen: float,
    fair_ticks: Any,
    start_ns: int,
    span_ns: int,
) -> Any:
    """About `count` orders that trade at once and together are worth amount_fen, and some patient ones that rest away from the
    market. Lots are rounded at random without bias: rounding up would add a fifth to the turnover."""
    count = max(count, 1)
    patient = rng.random(count) < _PATIENT
    patient[0] = False
    instrument, lots = _sizes(rng, market, count, amount_fen, fair_ticks, ~patient)
    member = rng.choice(len(market.weights), count, p=market.weights)
    sells = rng.random(count) >= market.buys[member]
    beyond = np.where(patient, -rng.uniform(_PATIENT_FROM, _PATIENT_TO, count), _REACH)
    commands = limit_orders(count, TimeInForce.IOC)
    kept = np.where(rng.random(count) < _GOOD_TILL_CANCELED, TimeInForce.GTC, TimeInForce.DAY)
    commands["time_in_force"] = np.where(patient, kept, TimeInForce.IOC)
    commands["price_ticks"] = np.rint(fair_ticks[instrument] * (1 + np.where(sells, -beyond, beyond)))
    commands["side"] = sells
    commands["quantity_lots"], commands["instrument"] = lots, instrument
    commands["account"] = market.accounts[member]
    commands["time_ns"] = start_ns + np.sort(rng.random(count) * span_ns).astype(np.int64)
    return commands[lots > 0]


def auction_orders(
    rng: np.random.Generator,
    market: SimulatedMarket,
    count: int,
    amount_fen: float,
    fair_ticks: Any,
    start_ns: int,
    span_ns: int,
    *,
    also: Any = (),
) -> Any:
    """Pairs of a buy and a sell of different members that cross at about the fair price, together worth amount_fen; and a pair
    of one lot in each of the instruments `also`, which must not stay without a trade."""
    instrument, lots = _sizes(rng, market, max(count, 1), amount_fen, fair_ticks, np.ones(max(count, 1), dtype=bool))
    instrument = np.concatenate((instrument[lots > 0], np.asarray(also, dtype=np.int64)))
    lots = np.concatenate((lots[lots > 0], np.ones(len(also), dtype=np.int64)))
    count = len(instrument)
    commands = limit_orders(2 * count, TimeInForce.DAY)
    buyers, sellers = _two_members(rng, market, count)
    middle, beyond = np.rint(fair_ticks[instrument]), np.ceil(fair_ticks[instrument] * HALF_SPREAD / 2)
    commands["price_ticks"][0::2], commands["price_ticks"][1::2] = middle + beyond, middle - beyond
    commands["side"][1::2] = Side.SELL
    commands["account"][0::2], commands["account"][1::2] = buyers, sellers
    commands["quantity_lots"], commands["instrument"] = np.repeat(lots, 2), np.repeat(instrument, 2)
    commands["time_ns"] = start_ns + np.sort(rng.random(2 * count) * span_ns).astype(np.int64)
    return commands


def _two_members(rng: np.random.Generator, market: SimulatedMarket, count: int) -> tuple[Any, Any]:
    """Two different accounts of members that are no makers, so many times."""
    traders = market.accounts[np.flatnonzero(market.weights)]
    one = rng.integers(0, len(traders), count)
    return traders[one], traders[(one + rng.integers(1, len(traders), count)) % len(traders)]


def _sizes(
    rng: np.random.Generator, market: SimulatedMarket, count: int, amount_fen: float, fair_ticks: Any, counted: Any
) -> tuple[Any, Any]:
    """Instruments and lots of orders; those that are `counted`, at least one, are worth amount_fen together, on average."""
    instrument = rng.choice(len(market.share), count, p=market.share)
    values = rng.lognormal(-(_VALUE_SD**2) / 2, _VALUE_SD, count)
    values = np.where(counted, values * amount_fen / values[counted].sum(), values * amount_fen / counted.sum())
    each = values / (np.rint(fair_ticks) * market.tick_value_fen)[instrument]
    return instrument, np.floor(each + rng.random(count)).astype(np.int64)
