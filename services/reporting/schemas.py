"""The turnover report as a document. Amounts are exact yuan strings; shares are fractions of one with six decimals."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class Share(_Part):
    """Part of the year's turnover."""

    net: str
    share: str = Field(description="of the year's net turnover, a fraction of one")
    tonnes: str
    trades: int


class Category(Share):
    """Magnetic materials or deep-processed products."""

    category: str


class Family(Share):
    """A family of products."""

    category: str
    family: str


class Product(Share):
    """One instrument."""

    symbol: str
    name_en: str
    name_zh: str
    category: str
    family: str
    unit: str
    quantity_lots: int
    busted: str
    busted_trades: int
    prevented_self_trades: int
    prevented_lots: int


class ReportDay(_Part):
    """One trading day; `net` and `cumulative` are null until it comes."""

    date: str
    pace: str
    net: str | None
    cumulative: str | None


class LargestDay(_Part):
    """The day with the most turnover."""

    date: str
    net: str


class LargestTrade(_Part):
    """The trade with the largest amount that stands, the first of equals."""

    trade_id: str
    symbol: str
    trading_date: str
    amount: str


class TurnoverReport(_Part):
    """A year's turnover against its target."""

    year: int
    net: str = Field(description="gross − excluded, in yuan, exact to the fen")
    gross: str = Field(description="of all trades made, busted ones too")
    excluded: str = Field(description="of trades that don't count: today that is `busted`")
    busted: str = Field(description="of trades that an operator took back")
    net_without_vat: str = Field(description="net / 1.13, half up to the fen")
    today: str = Field(description="of the trading day under way; 0.00 in a report on another year")
    trades: int = Field(description="that stand; a busted trade is not one of them")
    busted_trades: int
    prevented_self_trades: int
    prevented_tonnes: str = Field(description="what orders lost by that, never turnover")
    counting_rule: str
    target: str
    target_name: str
    target_is_set: bool = Field(description="false: nobody set a target for this year, the planned 23 billion is used")
    share: str = Field(description="net / target, a fraction of one")
    missing: str
    calendar: Literal["published", "assumed"] = Field(
        description="assumed: no calendar of this year, weekdays are used"
    )
    days_total: int
    days_elapsed: int = Field(description="trading days up to and including the one under way")
    days_left: int
    pace: str = Field(description="target × days_elapsed / days_total")
    ahead: str = Field(description="net − pace; negative: behind")
    ahead_days: str = Field(description="the same in trading days, of target / days_total each")
    required_per_day: str = Field(
        description="missing / days_left, up to the next fen; on the last day all that is missing"
    )
    recent_mean: str | None = Field(
        description="mean of the last 20 elapsed days; null: too early, fewer than 20 have elapsed"
    )
    required_ratio: str | None = Field(
        description="required_per_day / recent_mean; null: too early, or nothing traded lately"
    )
    required_level: Literal["green", "amber", "red"] | None = Field(description="ratio above 1.2 amber, above 1.5 red")
    forecast_year_mean: str | None = Field(description="the year's end at the year's mean a day; null: too early")
    forecast_recent_mean: str | None = Field(description="net + recent_mean × days_left; null: too early")
    categories: tuple[Category, ...]
    families: tuple[Family, ...]
    products: tuple[Product, ...]
    days: tuple[ReportDay, ...] = Field(description="every trading day of the year")
    largest_day: LargestDay | None
    largest_trade: LargestTrade | None
    seq: int = Field(description="the journal's sequence number all of this is exact at")
    row_hash: str = Field(description="hash of the journal row that ends at seq: it seals all rows up to there")
    journal_id: str
    trading_date: str
    as_of: str = Field(description="time of the command seq")
    assumptions: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """The document the API answers with."""
        return self.model_dump(mode="json")


class RangeTurnover(_Part):
    """The trades of a range of sequence numbers, added up one by one, less those taken back in it."""

    year: int
    after_seq: int
    to_seq: int
    gross: str = Field(description="of the year's trades with after_seq < seq <= to_seq, in yuan, exact to the fen")
    busted: str = Field(
        description="of the trades, made whenever, that a command with after_seq < seq <= to_seq took back"
    )
    net: str = Field(description="gross − busted: ranges that follow one another add up to the figure")
    trades: int = Field(description="made less busted")
    busted_trades: int
    quantity_lots: int = Field(description="made less busted")
    seq: int = Field(description="what the read database was exact at")
    journal_id: str
