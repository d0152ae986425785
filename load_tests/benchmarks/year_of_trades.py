"""A year of trades as the read database holds it, day by day: single trades, sums of the day, and what a report must say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import BigInteger, SmallInteger

from matching_engine.records import Phase, Side
from services.data.instruments import InstrumentFacts
from services.read_model import tables

MEMBERS = 44
FIRST_ACCOUNT = 2
_SECOND_NS = 10**9
_PHASE = int(Phase.CONTINUOUS)

Integers = NDArray[np.int64]
Row = tuple[Any, ...]


def _width(column: Any) -> int:
    return 2 if isinstance(column.type, SmallInteger) else 8 if isinstance(column.type, BigInteger) else 4


_COLUMNS = [column for column in tables.trades.columns if not column.nullable]
TRADE_COLUMNS = tuple(column.name for column in _COLUMNS)
"""All columns of `trades` but the two that mark a trade as busted or excluded: those are NULL at first."""
COPIED = np.dtype(
    [("fields", ">i2")]
    + [part for one in _COLUMNS for part in ((f"{one.name}_bytes", ">i4"), (one.name, f">i{_width(one)}"))]
)
"""A row of `trades` as PostgreSQL's COPY takes it in its binary format: big-endian, each value after its length."""


class Mark(NamedTuple):
    """A trade that does not count: `column` of its row is set to `seq`, a command."""

    column: str
    seq: int
    trade_id: int


class DayOfTrades(NamedTuple):
    """What the read database holds of a trading day."""

    trades: NDArray[np.void]
    """Of COPIED."""
    marks: list[Mark]
    turnover: list[Row]
    """Rows of `daily_turnover`, as the other two in the order of the table's columns."""
    members: list[Row]
    phases: list[Row]


@dataclass
class Sums:
    """What a report must say."""

    net_fen: int = 0
    trades: int = 0
    busted: int = 0
    excluded: int = 0


@dataclass
class YearOfTrades:
    """`trades` trades on these days, each day of so many commands, by 44 members in these instruments.

    The first trade of each day is busted by the day's last command. The second one of each day but the last is excluded by a
    decision before `past_seq`, the third one by a decision after it, the year's last command.
    """

    trades: int
    days: Sequence[date]
    commands_per_day: int
    instruments: tuple[InstrumentFacts, ...]
    prevented: dict[int, tuple[int, int]]
    """Self-trades of the last day, and their lots, by instrument."""
    seed: int
    now: Sums = field(default_factory=Sums)
    """The sums after the last command, of the days made so far."""
    then: Sums = field(default_factory=Sums)
    """The sums after `past_seq`."""
    member_days: int = 0
    """Rows of `daily_members` of the days made so far."""

    @property
    def last_seq(self) -> int:
        """The year's last command."""
        return len(self.days) * self.commands_per_day

    @property
    def past_seq(self) -> int:
        """A command of the last day, after three quarters of it."""
        return self.last_seq - self.commands_per_day // 4

    @property
    def decided_seqs(self) -> tuple[int, int]:
        """The commands of the two decisions."""
        return self.last_seq - self.commands_per_day + 1, self.last_seq

    def first_seq(self, day: int) -> int:
        """The command that begins a day, by its place in the year."""
        return day * self.commands_per_day + 1

    def make(self) -> Iterator[DayOfTrades]:
        """The days in order; `now` and `then` grow with them."""
        chance = np.random.default_rng(self.seed)
        ends = np.arange(len(self.days) + 1) * self.trades // len(self.days)
        for day, (first, end) in enumerate(zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True)):
            values = self._values(chance, day, np.arange(first + 1, end + 1))
            marks = self._marks(day, values["trade_id"][:3].tolist())
            self._add_up(values, marks)
            date_number = int(self.days[day].strftime("%Y%m%d"))
            made = DayOfTrades(_copied(values), marks, *self._sums(day, date_number, values, marks))
            self.member_days += len(made.members)
            yield made

    def _values(self, chance: np.random.Generator, day: int, ids: Integers) -> dict[str, Integers]:
        number = len(ids)
        instrument = chance.integers(0, len(self.instruments), number)
        reference, value_fen = (
            np.array([getattr(one, name) for one in self.instruments])[instrument]
            for name in ("reference_ticks", "tick_value_fen")
        )
        ticks = reference + chance.integers(-reference // 50, reference // 50 + 1)
        lots = chance.integers(1, 20, number)
        taker = chance.integers(0, MEMBERS, number)
        maker = (taker + chance.integers(1, MEMBERS, number)) % MEMBERS
        offset = 1 + np.arange(number) * (self.commands_per_day - 2) // max(number, 1)
        amount = ticks * lots * value_fen
        opens_ns = int(datetime.combine(self.days[day], datetime.min.time(), UTC).timestamp()) * _SECOND_NS
        date_number = int(self.days[day].strftime("%Y%m%d"))
        orders = 2 * ids
        return {
            "trade_id": ids,
            "seq": self.first_seq(day) + offset,
            "time_ns": opens_ns + 3600 * _SECOND_NS + offset * 10**8,
            "trading_date": np.full(number, date_number),
            "instrument": instrument,
            "price_ticks": ticks,
            "quantity_lots": lots,
            "amount_fen": amount,
            "phase": np.full(number, _PHASE),
            "taker_side": np.where(chance.random(number) < 0.5, int(Side.BUY), int(Side.SELL)),
            "taker_order_id": orders,
            "taker_account": FIRST_ACCOUNT + taker,
            "taker_fee_fen": amount // 10_000,
            "maker_order_id": orders - 1,
            "maker_account": FIRST_ACCOUNT + maker,
            "maker_fee_fen": amount // 20_000,
            "buyer_reserve_fen": -amount,
        }

    def _marks(self, day: int, ids: list[int]) -> list[Mark]:
        before, after = self.decided_seqs
        of_last_day = day == len(self.days) - 1
        marks = [Mark("busted_seq", self.first_seq(day + 1) - 1, one) for one in ids[:1]]
        if not of_last_day:
            marks += [Mark("excluded_seq", seq, one) for seq, one in zip((before, after), ids[1:], strict=False)]
        return marks

    def _add_up(self, values: dict[str, Integers], marks: list[Mark]) -> None:
        for sums, seq in ((self.now, self.last_seq), (self.then, self.past_seq)):
            made = values["seq"] <= seq
            in_force = [mark for mark in marks if mark.seq <= seq]
            counts = made & ~np.isin(values["trade_id"], [mark.trade_id for mark in in_force])
            busted = sum(mark.column == "busted_seq" for mark in in_force)
            sums.net_fen += int(values["amount_fen"][counts].sum())
            sums.trades += int(counts.sum())
            sums.busted += busted
            sums.excluded += len(in_force) - busted

    def _sums(
        self, day: int, date_number: int, values: dict[str, Integers], marks: list[Mark]
    ) -> tuple[list[Row], list[Row], list[Row]]:
        is_busted, is_excluded = (
            np.isin(values["trade_id"], [mark.trade_id for mark in marks if mark.column == column])
            for column in ("busted_seq", "excluded_seq")
        )
        counts = ~is_busted & ~is_excluded
        kinds = [_of_instruments(values, chosen, len(self.instruments)) for chosen in (counts, is_busted, is_excluded)]
        largest = _largest(values, counts)
        of_last_day = day == len(self.days) - 1
        turnover, phases = [], []
        for instrument in np.unique(values["instrument"]).tolist():
            prevented = self.prevented.get(instrument, (0, 0)) if of_last_day else (0, 0)
            settled = (None, None) if of_last_day else (self.instruments[instrument].reference_ticks, 1)
            sums = [kind[instrument].tolist() for kind in kinds]
            top = largest.get(instrument, (0, None))
            turnover.append((date_number, instrument, *sums[0], *sums[1], *sums[2], *prevented, *top, *settled))
            phases.append((date_number, instrument, _PHASE, *sums[0]))
        return turnover, _members(date_number, values, counts, ~is_busted), phases


def _copied(values: dict[str, Integers]) -> NDArray[np.void]:
    rows = np.empty(len(values["trade_id"]), COPIED)
    rows["fields"] = len(TRADE_COLUMNS)
    for name in TRADE_COLUMNS:
        rows[f"{name}_bytes"] = COPIED[name].itemsize
        rows[name] = values[name]
    return rows


def _of_instruments(values: dict[str, Integers], chosen: NDArray[np.bool_], instruments: int) -> Integers:
    """Number, lots and amount of the chosen trades, a row for each instrument."""
    sums = np.zeros((instruments, 3), np.int64)
    np.add.at(sums, values["instrument"][chosen], _amounts(values, chosen))
    return sums


def _amounts(values: dict[str, Integers], chosen: NDArray[np.bool_]) -> Integers:
    """A row of 1, lots and amount for each chosen trade."""
    lots = values["quantity_lots"][chosen]
    return np.stack((np.ones_like(lots), lots, values["amount_fen"][chosen]), axis=1)


def _largest(values: dict[str, Integers], counts: NDArray[np.bool_]) -> dict[int, tuple[int, int]]:
    """Amount and id of the largest trade that counts, the first of equals, by instrument."""
    ids, instrument, amount = (values[name][counts] for name in ("trade_id", "instrument", "amount_fen"))
    order = np.lexsort((ids, -amount, instrument))
    found, first = np.unique(instrument[order], return_index=True)
    best = order[first]
    return dict(zip(found.tolist(), zip(amount[best].tolist(), ids[best].tolist(), strict=True), strict=True))


def _members(
    date_number: int, values: dict[str, Integers], counts: NDArray[np.bool_], pays: NDArray[np.bool_]
) -> list[Row]:
    """Rows of `daily_members`: `counts` are the trades that count, `pays` those of which fees stay."""
    keys = MEMBERS + FIRST_ACCOUNT
    sums = np.zeros(((int(values["instrument"].max(initial=-1)) + 1) * keys, 7), np.int64)
    buys = values["taker_side"] == int(Side.BUY)
    for role, is_buyer in (("taker", buys), ("maker", ~buys)):
        key = values["instrument"] * keys + values[f"{role}_account"]
        for first, side in ((0, is_buyer), (3, ~is_buyer)):
            chosen = side & counts
            np.add.at(sums[:, first : first + 3], key[chosen], _amounts(values, chosen))
        np.add.at(sums[:, 6], key[pays], values[f"{role}_fee_fen"][pays])
    traded = np.unique(
        np.concatenate([values["instrument"] * keys + values[f"{role}_account"] for role in ("taker", "maker")])
    )
    return [
        (date_number, *divmod(key, keys), *row) for key, row in zip(traded.tolist(), sums[traded].tolist(), strict=True)
    ]
