"""The year's trades split into parts, in yuan, tonnes and trades, with shares that add up to exactly 1.

A product, a category, a family or a phase splits the trades themselves: the parts add up to the net turnover. A member or an
account class splits the two sides of each trade: what all bought is the net turnover, and so is what all sold.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Annotated, Literal, NamedTuple, TypeVar

from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncConnection

from matching_engine.records import Phase
from services.read_model.names import member_names
from services.reporting.breakdown import reading
from services.reporting.breakdown.documents import Quantity, Sealed
from services.reporting.breakdown.reading import Accounts, AccountYear, Instruments, MemberYear, whole_year
from services.reporting.documents import Document, Yuan, seal, summed
from services.reporting.queries import read_position
from services.reporting.shares import shares_of
from services.reporting.sheet import Shown, ShownParts

Key = TypeVar("Key")

SplitBy = Literal["category", "family", "product", "phase", "class", "member"]

_KEYS = {"category": ("category",), "family": ("category", "family"), "product": ("symbol",)}


class SplitAmount(Quantity):
    """A part of the trades, and its shares of the whole; each kind of share adds up to `1.000000`."""

    share: Annotated[str, Shown("decimal", "share of the yuan", "金额占比")] = Field(
        description="Of the turnover in yuan."
    )
    tonnes_share: Annotated[str, Shown("decimal", "share of the tonnes", "数量占比")]
    trades_share: Annotated[str, Shown("decimal", "share of the trades", "笔数占比")]


class SplitLine(SplitAmount):
    """A part of the trades that count."""

    part: str = Field(description="Category, family, symbol, or phase.")
    name_en: str | None = Field(description="Of a product.")
    name_zh: str | None = Field(description="Of a product.")


class SidedLine(Document):
    """What a part of the members bought and sold, in the trades that count."""

    part: Annotated[str, Shown("text", "Rank", "名次")] = Field(
        description="Number of the account class; of members the rank by both sides together, `1` first."
    )
    share: Annotated[str, Shown("decimal", "Share", "占比")] = Field(
        description="Of what all bought and sold together, in yuan."
    )
    bought: Annotated[SplitAmount, ShownParts("Bought", "买入")]
    sold: Annotated[SplitAmount, ShownParts("Sold", "卖出")]


class Split(Sealed):
    """The net turnover by category, family, product or trading phase: the lines add up to it."""

    by: SplitBy
    lines: tuple[SplitLine, ...]


class SidedSplit(Sealed):
    """The net turnover by account class or member, on each side of the trades: the lines of a side add up to it."""

    by: SplitBy
    lines: tuple[SidedLine, ...]


class MemberLine(SidedLine):
    """A member by name. A member is an owner group; its name is that of its first account."""

    member: Annotated[int, Shown("integer", "Member number", "会员号")]
    name: Annotated[str, Shown("text", "Member", "会员")]
    fees_fen: Annotated[Yuan, Shown("decimal", "Fees (yuan)", "手续费（元）")] = Field(
        description="Fees that its accounts paid, in yuan."
    )


class Members(Sealed):
    """The members of the year, the largest first."""

    lines: tuple[MemberLine, ...]


class Sides(NamedTuple):
    """What a part of the members bought and sold."""

    bought: SplitAmount
    sold: SplitAmount
    share: str
    """Of both sides together, in yuan."""


async def read_split(connection: AsyncConnection, year: int, by: SplitBy) -> Split | SidedSplit | None:
    """The trades that count, split; None before the projector's first transaction."""
    if by in ("class", "member"):
        found = await reading.read_member_year(connection, year)
        return None if found is None else sided_split(found, by)
    position = await read_position(connection)
    if position is None:
        return None
    listed, period = await reading.read_listed(connection), whole_year(year)
    if by == "phase":
        lines = phase_lines(await reading.read_phase_sums(connection, period, listed))
    else:
        counted = await reading.read_counted(connection, period, listed)
        products = [(number, counted[number].net) for number in listed if number in counted]
        lines = split_lines(by, [one for one in products if one[1].trades], listed)
    return Split(year=year, **seal(position), by=by, lines=lines)


def sided_split(found: MemberYear, by: SplitBy) -> SidedSplit:
    """The sides of the trades by account class or member."""
    lines = class_lines if by == "class" else ranked_lines
    return SidedSplit(year=found.year, **seal(found.position), by=by, lines=lines(found.traded, found.accounts))


def members_of(found: MemberYear) -> Members:
    """The members of the year, by name."""
    return Members(year=found.year, **seal(found.position), lines=member_lines(found.traded, found.accounts))


def split_lines(
    by: SplitBy, products: Iterable[tuple[int, Quantity]], instruments: Instruments
) -> tuple[SplitLine, ...]:
    """The trades by category, family or product, in the order of the instruments."""

    def key(number: int) -> tuple[str, ...]:
        listed = instruments[number]
        return tuple(getattr(listed, name) for name in _KEYS[by])

    parts = split(Quantity.totals((key(number), traded) for number, traded in products))
    names = {listed.symbol: (listed.name_en, listed.name_zh) for listed in instruments.values() if by == "product"}
    return tuple(_line(part, amount, *names.get(part, (None, None))) for (*_, part), amount in parts.items())


def phase_lines(phases: Iterable[tuple[int, Quantity]]) -> tuple[SplitLine, ...]:
    """The trades by the trading phase in which they were made."""
    parts = split(Quantity.totals((Phase(number).name.lower(), traded) for number, traded in phases))
    return tuple(_line(part, amount, None, None) for part, amount in parts.items())


def _line(part: str, amount: SplitAmount, name_en: str | None, name_zh: str | None) -> SplitLine:
    return SplitLine(part=part, name_en=name_en, name_zh=name_zh, **vars(amount))


def class_lines(traded: Sequence[AccountYear], accounts: Accounts) -> tuple[SidedLine, ...]:
    """The sides by account class."""
    found = split_sides(traded, lambda line: accounts[line.account].account_class)
    return tuple(SidedLine(part=str(number), **sides._asdict()) for number, sides in sorted(found.items()))


def ranked_lines(traded: Sequence[AccountYear], accounts: Accounts) -> tuple[SidedLine, ...]:
    """The sides by member, without saying who it is."""
    found = split_sides(traded, lambda line: accounts[line.account].member).values()
    return tuple(SidedLine(part=str(rank), **sides._asdict()) for rank, sides in enumerate(found, start=1))


def member_lines(traded: Sequence[AccountYear], accounts: Accounts) -> tuple[MemberLine, ...]:
    """The sides by member, with number, name and fees."""

    def member(line: AccountYear) -> int:
        return accounts[line.account].member

    fees = summed((member(line), line.fees_fen) for line in traded)
    names = member_names((number, account.member, account.name) for number, account in accounts.items())
    found = split_sides(traded, member).items()
    return tuple(
        MemberLine(part=str(rank), member=number, name=names[number], fees_fen=fees[number], **sides._asdict())
        for rank, (number, sides) in enumerate(found, start=1)
    )


def split(parts: Mapping[Key, Quantity]) -> dict[Key, SplitAmount]:
    """The parts with their shares, in the same order."""
    return dict(zip(parts, _with_shares(tuple(parts.values())), strict=True))


def split_sides(traded: Iterable[AccountYear], key: Callable[[AccountYear], int]) -> dict[int, Sides]:
    """What each part of the accounts bought and sold; the largest of both sides together first, equals by number.

    `key` gives the number of the part: of the member, or of the account class.
    """
    lines = tuple(traded)
    bought = Quantity.totals((key(line), line.bought) for line in lines)
    sold = Quantity.totals((key(line), line.sold) for line in lines)
    both = {part: bought[part].amount_fen + sold[part].amount_fen for part in bought}
    by_size = sorted(both, key=lambda part: (-both[part], part))
    parts = [part for part in by_size if bought[part].trades or sold[part].trades]
    sides = zip(
        _with_shares([bought[part] for part in parts]),
        _with_shares([sold[part] for part in parts]),
        shares_of([both[part] for part in parts]),
        strict=True,
    )
    return {part: Sides(*sided) for part, sided in zip(parts, sides, strict=True)}


def _with_shares(traded: Sequence[Quantity]) -> list[SplitAmount]:
    shares = zip(
        shares_of([part.amount_fen for part in traded]),
        shares_of([part.kilograms for part in traded]),
        shares_of([part.trades for part in traded]),
        strict=True,
    )
    return [
        SplitAmount(**vars(part), share=share, tonnes_share=tonnes_share, trades_share=trades_share)
        for part, (share, tonnes_share, trades_share) in zip(traded, shares, strict=True)
    ]
