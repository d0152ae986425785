"""Which trades a request is about: its query parameters, and what they are in the read database; and where a page begins.

Ids of trades rise with time, so the trading days of a year, or one day, are a range of ids (table `trading_days`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date as Date
from typing import Any, Literal, NamedTuple

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from matching_engine.records import Phase, Side
from services.read_model.tables import accounts, decided_trades, decisions, instruments, orders, trading_days
from services.reporting.requests import invalid_query

PLACE_BITS = 20
"""A trade's id is the seq of its command times 2**20, plus its place among that command's trades."""
MAX_ID = 2**63 - 1

Counted = Literal["yes", "no", "busted", "excluded"]
PhaseName = Literal["continuous", "call_auction"]
"""The phases in which orders trade."""
SideName = Literal["buy", "sell"]


@dataclass(frozen=True)
class Wanted:
    """The filter as it was asked for; None: no such parameter."""

    year: int | None = None
    date: Date | None = None
    product: str | None = None
    member: int | None = None
    side: SideName | None = None
    phase: PhaseName | None = None
    counted: Counted | None = None
    finding: str | None = None
    decision: int | None = None
    order: int | None = None

    def query(self) -> dict[str, Any]:
        """The parameters, for a link."""
        return dict(vars(self))

    @property
    def dates(self) -> tuple[int, int] | None:
        """First and last trading date yyyymmdd, the last before the first where year and date contradict; None: any date."""
        if self.year is None and self.date is None:
            return None
        first, last = (0, MAX_ID) if self.year is None else (self.year * 10_000, self.year * 10_000 + 9_999)
        if self.date is not None:
            day = int(f"{self.date:%Y%m%d}")
            first, last = max(first, day), min(last, day)
        return first, last


@dataclass(frozen=True)
class TradeFilter:
    """The filter in numbers. A trade is meant if all that is not None holds."""

    ids: range = field(default=range(1, MAX_ID))
    dates: tuple[int, int] | None = None
    instrument: int | None = None
    accounts: tuple[int, ...] | None = None
    """One of its two sides is one of these accounts; with `side`, that side."""
    side: int | None = None
    phase: int | None = None
    counted: Counted | None = None
    order: tuple[int, int] | None = None
    """One of its two orders: the order's id and its account."""
    decision: int | None = None
    trade_ids: tuple[int, ...] | None = None
    """Ascending."""


class PageCursor(NamedTuple):
    """A page begins after a trade. As text: the trade's id, with a finding also `-` and `found_seq`."""

    trade_id: int = 0
    found_seq: int | None = None
    """The command after which the screen finds the finding that is paged through."""

    @property
    def text(self) -> str:
        """As a query parameter."""
        return str(self.trade_id) if self.found_seq is None else f"{self.trade_id}-{self.found_seq}"

    @classmethod
    def of(cls, text: str) -> PageCursor:
        """The cursor of this text. Raises a 422 problem where it is none."""
        parts = re.fullmatch(r"(\d{1,19})(?:-(\d{1,19}))?", text, re.ASCII)
        numbers = [] if parts is None else [int(part) for part in parts.groups() if part is not None]
        if not numbers or max(numbers) > MAX_ID:
            raise invalid_query("cursor", "is none: give `next_cursor` of the page before")
        return cls(*numbers)


async def resolve(connection: AsyncConnection, wanted: Wanted, trade_ids: Sequence[int] | None = None) -> TradeFilter:
    """The filter in numbers; `trade_ids` are those of `wanted.finding`.

    Raises RequestValidationError, which names the parameter: an unknown product, member, order or decision.
    """
    if wanted.side is not None and wanted.member is None:
        raise invalid_query("side", "needs `member`: it is that member's side")
    found = TradeFilter(
        ids=range(1, MAX_ID) if wanted.dates is None else await ids_of(connection, *wanted.dates),
        dates=wanted.dates,
        instrument=None if wanted.product is None else await instrument_of(connection, wanted.product),
        accounts=None if wanted.member is None else await _accounts_of(connection, wanted.member),
        side=None if wanted.side is None else Side[wanted.side.upper()],
        phase=None if wanted.phase is None else Phase[wanted.phase.upper()],
        counted=wanted.counted,
        decision=wanted.decision,
        trade_ids=None if trade_ids is None else tuple(sorted(trade_ids)),
    )
    if wanted.decision is not None and not await connection.scalar(
        select(decisions.c.seq).where(decisions.c.seq == wanted.decision)
    ):
        raise invalid_query("decision", f"no command {wanted.decision} decided about trades")
    return found if wanted.order is None else await _of_order(connection, found, wanted.order)


async def ids_of(connection: AsyncConnection, first_date: int, last_date: int) -> range:
    """The ids that trades of these trading days can have; empty where the venue had none of them."""
    day = trading_days.c
    began = select(day.first_seq).order_by(day.trading_date).limit(1)
    first = await connection.scalar(began.where(day.trading_date.between(first_date, last_date)))
    if first is None:
        return range(0)
    after = await connection.scalar(began.where(day.trading_date > last_date))
    return range(first << PLACE_BITS, MAX_ID if after is None else after << PLACE_BITS)


async def instrument_of(connection: AsyncConnection, symbol: str) -> int:
    """The number of a product. Raises RequestValidationError."""
    number = await connection.scalar(select(instruments.c.instrument).where(instruments.c.symbol == symbol))
    if number is None:
        raise invalid_query("product", f"no instrument is listed as {symbol[:40]!r}")
    return int(number)


async def decided_about(connection: AsyncConnection, finding: str) -> list[int]:
    """The ids of the trades that decisions with this finding name; none where there is no such decision."""
    named = select(decided_trades.c.trade_id).join(decisions, decisions.c.seq == decided_trades.c.seq)
    return sorted(set(await connection.scalars(named.where(decisions.c.finding == finding))))


async def _accounts_of(connection: AsyncConnection, member: int) -> tuple[int, ...]:
    """The accounts of an owner group, or the one account of this number."""
    theirs = select(accounts.c.account).where(or_(accounts.c.account == member, accounts.c.owner == member))
    found = tuple(await connection.scalars(theirs.order_by(accounts.c.account)))
    if not found:
        raise invalid_query("member", f"there is no account {member}")
    return found


async def _of_order(connection: AsyncConnection, found: TradeFilter, order_id: int) -> TradeFilter:
    """An order's trades are its account's, from its command on to the last one that changed it."""
    row = (await connection.execute(select(orders).where(orders.c.order_id == order_id))).mappings().first()
    if row is None:
        raise invalid_query("order", f"there is no order {order_id}")
    first, last = max(found.ids.start, order_id << PLACE_BITS), (row["updated_seq"] + 1) << PLACE_BITS
    return replace(found, ids=range(first, min(found.ids.stop, last)), order=(order_id, row["account"]))
