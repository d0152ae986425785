"""The ladder, the splits and the concentration as JSON documents.

Amounts are decimal strings in yuan, exact to the fen; tonnes have three decimals; shares are decimal fractions with six
decimals; dates are yyyy-mm-dd (trading days, Asia/Shanghai). A field that is marked with `Shown` or `Parts` is a column of the
year's tables, too (exports/breakdown_sheets.py).
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from services.reporting.exports.schemas import ProductName
from services.reporting.exports.sheet import Parts, Shown

SplitBy = Literal["category", "family", "product", "phase", "class", "member"]


class Document(BaseModel):
    """An answer, or a part of one."""

    model_config = ConfigDict(frozen=True)


class Sealed(Document):
    """The year, and the position that the answer is exact at."""

    year: int
    seq: int = Field(description="The journal's sequence number that the answer is exact at.")
    row_hash: str = Field(description="Hash of the journal row that ends at `seq`.")
    journal_id: str
    trading_date: str = Field(description="The current trading day at `seq`; empty before the first one.")
    as_of: str = Field(description="Time of the command `seq`: RFC 3339, UTC, microseconds.")


class Rung(Document):
    """A sum of trades, each counted once."""

    amount: Annotated[str, Shown("decimal", "amount (yuan)", "金额（元）")] = Field(description="In yuan.")
    tonnes: Annotated[str, Shown("decimal", "tonnes", "数量（吨）")]
    trades: Annotated[int, Shown("integer", "trades", "笔数")]


class TakenOutRung(Document):
    """Goods that left the warehouse."""

    amount: Annotated[str, Shown("decimal", "amount (yuan)", "金额（元）")] = Field(
        description="Lots × the settlement price of the day on which they left, in yuan."
    )
    tonnes: Annotated[str, Shown("decimal", "tonnes", "数量（吨）")]
    unsettled: Annotated[str, Shown("decimal", "without settlement yet (yuan)", "尚未结算（元）")] = Field(
        description="The part of `amount` that left on the current day, which has no settlement price yet: it is valued at the "
        "settlement price in force, and changes when the day ends."
    )


class LadderLine(Document):
    """From all trades down to the goods that left."""

    gross: Annotated[Rung, Parts("Gross", "总额")] = Field(description="All trades that were made.")
    busted: Annotated[Rung, Parts("Busted", "撤销")] = Field(description="Trades that an operator took back.")
    excluded: Annotated[Rung, Parts("Excluded", "剔除")] = Field(description="Trades that do not count by decision.")
    net: Annotated[Rung, Parts("Net", "净额")] = Field(description="gross − busted − excluded: the trades that count.")
    changed_hands: Annotated[str, Shown("decimal", "Changed hands (yuan)", "实际换手额（元）")] = Field(
        description="Σ over member and product of max(0, bought − sold), with the year as one period, in yuan."
    )
    delivered: Annotated[Rung, Parts("Delivered", "交收")] = Field(
        description="What members received against payment in the trades that count. A trade is settled when it is made, so "
        "this equals `net`; it is summed from the members' side."
    )
    taken_out: Annotated[TakenOutRung, Parts("Taken out", "出库")] = Field(
        description="Warehouse receipts that were released from the venue."
    )
    churn: Annotated[str | None, Shown("decimal", "Churn", "周转倍数")] = Field(
        description="Net traded tonnes / tonnes taken out, with two decimals; null where nothing was taken out."
    )


class LadderProduct(LadderLine, ProductName):
    """The ladder of one product."""


class HandsOfPeriod(Document):
    """What changed hands in a period, beside the net turnover of the same days."""

    first_date: Annotated[str, Shown("date", "First day", "首日")]
    last_date: Annotated[str, Shown("date", "Last day", "末日")]
    net: Annotated[str, Shown("decimal", "Net turnover (yuan)", "净成交额（元）")]
    changed_hands: Annotated[str, Shown("decimal", "Changed hands (yuan)", "实际换手额（元）")]
    share: Annotated[str, Shown("decimal", "Share of the net turnover", "占净成交额")] = Field(
        description="changed_hands / net."
    )


class LadderReport(Sealed):
    """The ladder of the year."""

    ladder: LadderLine = Field(description="All products together.")
    day: HandsOfPeriod | None = Field(
        description="The last day of the year that has trades or has ended; null where there is none."
    )
    recent: HandsOfPeriod | None = Field(description="The last 20 such days as one period.")
    whole_year: HandsOfPeriod | None = Field(description="All such days as one period.")
    products: tuple[LadderProduct, ...] = Field(description="Products with trades or releases in the year.")
    rules: tuple[str, ...] = Field(description="What each rung means, in sentences.")


class SplitAmount(Rung):
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
    bought: Annotated[SplitAmount, Parts("Bought", "买入")]
    sold: Annotated[SplitAmount, Parts("Sold", "卖出")]


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
    fees: Annotated[str, Shown("decimal", "Fees (yuan)", "手续费（元）")] = Field(
        description="Fees that its accounts paid, in yuan."
    )


class Members(Sealed):
    """The members of the year, the largest first."""

    lines: tuple[MemberLine, ...]


class SideConcentration(Document):
    """How much of a side its largest members make."""

    members: Annotated[int, Shown("integer", "members", "会员数")] = Field(
        description="Members that traded on this side. A member is an owner group."
    )
    top_5: Annotated[str, Shown("decimal", "share of the first 5", "前5名占比")] = Field(
        description="Share of the five largest."
    )
    top_10: Annotated[str, Shown("decimal", "share of the first 10", "前10名占比")]
    hhi: Annotated[str, Shown("decimal", "HHI", "HHI")] = Field(
        description="Herfindahl-Hirschman index: the sum of the squared shares, from 1 / members to 1. × 10,000 gives points."
    )


class MarketConcentration(Document):
    """The sides of one market; null where nothing was traded."""

    symbol: Annotated[str | None, Shown("text", "Symbol", "代码")] = Field(description="Null: all products together.")
    bought: Annotated[SideConcentration | None, Parts("Bought", "买入")]
    sold: Annotated[SideConcentration | None, Parts("Sold", "卖出")]
    both: Annotated[SideConcentration | None, Parts("Both sides", "买卖合计")] = Field(
        description="What members bought and sold together."
    )


class ConcentrationReport(Sealed):
    """The concentration of the members in the trades that count."""

    markets: tuple[MarketConcentration, ...] = Field(description="All products together, then each that traded.")
