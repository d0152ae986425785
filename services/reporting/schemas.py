"""The turnover report. How it becomes JSON: documents.py."""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated, Literal

from pydantic import Field

from services.reporting.documents import (
    CalendarSource,
    Date,
    Document,
    Hash,
    Permille,
    Ratio,
    Time,
    Tonnes,
    Yuan,
    decimal,
)
from services.reporting.verdict import Outcome


class Share(Document):
    """Part of the year's turnover."""

    net_fen: Yuan = Field(description="Net turnover in yuan.")
    share: str = Field(
        description="Part of the year's net turnover, as a fraction; the shares of a split add up to `1.000000`."
    )
    kilograms: Tonnes = Field(description="Quantity of the trades that count.")
    trades: int = Field(description="Number of trades that count.")


class Category(Share):
    """The turnover of a category: magnetic materials or deep-processed products."""

    category: str


class Family(Share):
    """The turnover of a product family."""

    category: str
    family: str


class Product(Share):
    """The turnover of one instrument."""

    symbol: str
    name_en: str
    name_zh: str
    category: str
    family: str
    unit: str
    quantity_lots: int = Field(description="Lots of the trades that count.")
    busted_fen: Yuan = Field(description="Amount of the busted trades in yuan.")
    busted_trades: int
    excluded_fen: Yuan = Field(description="Amount of the trades that do not count by decision, in yuan.")
    excluded_trades: int
    prevented_self_trades: int
    prevented_lots: int = Field(description="Lots that self-trade prevention took from orders. They are not turnover.")


class ReportDay(Document):
    """One trading day; `net` and `cumulative` are null until it comes."""

    date: Date
    pace_fen: Yuan
    seasonal_pace_fen: Yuan = Field(
        description="As `pace`, by the shares of the years before; without them the straight line."
    )
    net_fen: Yuan | None
    cumulative_fen: Yuan | None


class LargestDay(Document):
    """The trading day with the largest net turnover."""

    date: Date
    net_fen: Yuan


class LargestTrade(Document):
    """The trade that counts with the largest amount, the first of equals."""

    trade_id: str
    symbol: str
    trading_date: Date
    amount_fen: Yuan


class YearEndForecast(Document):
    """The turnover at the year's end: with 10, 50 and 90 % it ends at or below p10, p50, p90. Estimates, in yuan."""

    p10_fen: Yuan | None
    p50_fen: Yuan | None
    p90_fen: Yuan | None
    p10_rounded_fen: Yuan | None = Field(description="p10 for the eye: to ten million yuan, or finer.")
    p50_rounded_fen: Yuan | None
    p90_rounded_fen: Yuan | None
    reach: Permille | None = Field(description="Probability of reaching the target, as a fraction: `0.873`.")
    width: Permille | None = Field(description="(p90 − p10) / p50.")
    too_early: bool = Field(
        description="Whether the range is too wide to go by: a width above 0.4, or no turnover yet."
    )
    method: str = Field(description="How it was computed.")
    assumptions: tuple[str, ...] = Field(description="What it takes for granted, in sentences.")


class Discrepancy(Document):
    """Something that a report found to disagree in what it was made of: its figure may be false."""

    code: Literal["day_sums_differ"] = Field(
        description="`day_sums_differ`: the sums of days, of which the report is made, are not the sums over the single trades."
    )
    sentence: str
    sentence_zh: str


class ProofAlert(Document):
    """An open alert about the proofs of the figure, as it was raised."""

    sentence: str
    sentence_zh: str


class TurnoverReport(Document):
    """A year's turnover against its target."""

    year: int
    simulated: bool = Field(
        description="Whether the year is, or begins with, a simulated history, of which no trade was real."
    )
    net_fen: Yuan = Field(description="Net turnover: gross − busted − excluded, in yuan, exact to the fen.")
    gross_fen: Yuan = Field(description="Amount of all trades, also of those that do not count.")
    busted_fen: Yuan = Field(description="Amount of the trades that an operator busted.")
    excluded_fen: Yuan = Field(
        description="Amount of the trades that do not count by decision (`GET /v1/reports/decisions`), without busted ones."
    )
    net_without_vat_fen: Yuan = Field(description="net / 1.13, rounded half up to the fen.")
    today_fen: Yuan = Field(description="Net turnover of the current trading day; `0.00` in a report on another year.")
    trades: int = Field(description="Number of trades that count.")
    busted_trades: int
    excluded_trades: int = Field(description="Number of trades that do not count by decision.")
    prevented_self_trades: int = Field(description="How often self-trade prevention kept two orders from trading.")
    prevented_kilograms: Tonnes = Field(
        description="Quantity that self-trade prevention took from orders. It is not turnover."
    )
    counting_rule: str = Field(description="How the turnover is counted, in sentences.")
    target_fen: Yuan = Field(
        description="The year's target in yuan; of one that is pro rata: `target_of_whole_year` × the venue's trading days / "
        "all trading days of the year, rounded half up to the fen."
    )
    target_name: str
    target_is_set: bool = Field(
        description="False where no target was set for this year; `target` is then the planned 23 billion yuan."
    )
    target_is_pro_rata: bool = Field(description="Whether a part year owes a part of `target_of_whole_year`.")
    target_of_whole_year_fen: Yuan = Field(description="The target as it was set, in yuan.")
    target_seq: int = Field(description="Sequence number of the command that set the target; 0 where none was set.")
    share: Ratio = Field(description="net / target, as a fraction: `0.250000` is a quarter.")
    missing_fen: Yuan = Field(description="target − net in yuan; `0.00` where the target is reached.")
    calendar: CalendarSource
    outcome: Outcome = Field(description="The verdict for programs.")
    verdict: str = Field(description="How the turnover stands to its target, in a sentence.")
    verdict_zh: str = Field(description="The verdict in Chinese.")
    days_total: int = Field(description="The venue's trading days of the year: from its first one on.")
    days_before_opening: int = Field(
        description="Trading days of the year before the venue's first one. They are in no rate."
    )
    days_completed: int = Field(description="The venue's trading days of the year before the current one.")
    days_left: int = Field(description="The venue's trading days from the current one on; 0 in a closed year.")
    pace_fen: Yuan = Field(
        description="Turnover due at the end of the last completed day: target × days_completed / days_total."
    )
    ahead_fen: Yuan = Field(description="net − today − pace in yuan; negative where the turnover is behind the pace.")
    ahead_days: Annotated[Fraction, decimal(2)] = Field(
        description="`ahead` in trading days of target / days_total each."
    )
    required_per_day_fen: Yuan | None = Field(
        description="(target − net of the completed days) / days_left, rounded up to the fen; null in a closed year."
    )
    recent_mean_fen: Yuan | None = Field(
        description="Mean daily turnover of the last 20 completed days; null before 20 days are completed."
    )
    required_ratio: Annotated[Fraction, decimal(4)] | None = Field(
        description="required_per_day / recent_mean; null without one of them."
    )
    required_level: Literal["green", "amber", "red"] | None = Field(
        description="`red` for a required_ratio above 1.5, `amber` above 1.2, else `green`; null without a recent mean."
    )
    forecast_year_mean_fen: Yuan | None = Field(
        description="Turnover at the year's end if each day left trades the mean of the completed days; null before 20."
    )
    forecast_recent_mean_fen: Yuan | None = Field(
        description="Net of the completed days + recent_mean × days_left; null before 20 days are completed."
    )
    forecast: YearEndForecast | None = Field(description="Null of a year that is not under way.")
    categories: tuple[Category, ...]
    families: tuple[Family, ...]
    products: tuple[Product, ...]
    days: tuple[ReportDay, ...] = Field(description="Every trading day of the year.")
    largest_day: LargestDay | None
    largest_trade: LargestTrade | None
    seq: int = Field(description="The journal's sequence number that the report is exact at.")
    row_hash: Hash = Field(
        description="Hash of the journal row that ends at `seq`; the hash chain covers every row before it."
    )
    journal_id: Hash
    trading_date: Date = Field(description="The current trading day at `seq`; empty before the first one.")
    as_of_ns: Time = Field(description="Time of the command `seq`: RFC 3339, UTC, microseconds.")
    discrepancies: tuple[Discrepancy, ...] = Field(
        description="What disagrees in the read database that the report was made of: the figure may be false. Empty otherwise."
    )
    proof_alerts: tuple[ProofAlert, ...] = Field(
        description="The alerts that were open at `seq` because a proof of the year failed, or none has agreed for long: a "
        "sentence each, as when the alert was raised. Empty where there is none."
    )
    proven_seq: int | None = Field(
        description="The command at which the year's last proof that agreed was made, as the venue had recorded it at `seq`; "
        "null where none was recorded."
    )
    proven_at_ns: Time | None = Field(description="When the venue recorded that proof: RFC 3339, UTC, microseconds.")
    assumptions: tuple[str, ...] = Field(description="What the report takes for granted, in sentences.")
    links: dict[str, str] = Field(
        description="`days` and `trades` that make the figure, and its `certificate`: addresses of this host, for operators."
    )


class RangeTurnover(Document):
    """The turnover of a range of sequence numbers: its trades less what its commands busted and excluded."""

    year: int
    after_seq: int
    to_seq: int
    gross_fen: Yuan = Field(
        description="Amount of the year's trades with after_seq < seq <= to_seq, in yuan, exact to the fen."
    )
    busted_fen: Yuan = Field(
        description="Amount of the year's trades that a command with after_seq < seq <= to_seq busted, whenever they were made."
    )
    excluded_fen: Yuan = Field(
        description="By how much the year's turnover excluded by decision grew in this range, whenever the trades were made; "
        "negative where more was included again, or busted."
    )
    net_fen: Yuan = Field(
        description="gross − busted − excluded. Consecutive ranges add up to the year's net turnover."
    )
    trades: int = Field(description="Number of trades made, less those busted and excluded.")
    busted_trades: int
    quantity_lots: int = Field(description="Lots traded, less lots busted and excluded.")
    seq: int = Field(description="Sequence number that the read database had reached.")
    journal_id: Hash
