"""The effects, the months, the fees and the targets as JSON documents; texts as in schemas.py."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from services.commands.attachments import Metric
from services.reporting.breakdown.effects import Kind
from services.reporting.breakdown.months import PlanSource
from services.reporting.breakdown.schemas import Document, Sealed
from services.reporting.breakdown.target_progress import Stage
from services.reporting.exports.schemas import ProductName
from services.reporting.exports.sheet import Shown


class EffectParts(Document):
    """Why turnover differs: price + tonnage + new + gone = difference, exactly. In yuan."""

    net: Annotated[str, Shown("decimal", "Net turnover (yuan)", "净成交额（元）")]
    net_before: Annotated[str, Shown("decimal", "The year before (yuan)", "上年（元）")]
    difference: Annotated[str, Shown("decimal", "Difference (yuan)", "差额（元）")]
    price: Annotated[str, Shown("decimal", "By price (yuan)", "价格因素（元）")] = Field(
        description="Σ (p₁ − p₀) · (q₁ + q₀) / 2 of products that traded in both periods."
    )
    tonnage: Annotated[str, Shown("decimal", "By tonnage (yuan)", "数量因素（元）")] = Field(
        description="Σ (q₁ − q₀) · (p₁ + p₀) / 2 of products that traded in both periods."
    )
    new: Annotated[str, Shown("decimal", "New products (yuan)", "新增品种（元）")] = Field(
        description="Turnover of products that did not trade in the period before."
    )
    gone: Annotated[str, Shown("decimal", "Gone products (yuan)", "退出品种（元）")] = Field(
        description="Turnover of the period before, negative, of products that did not trade any more."
    )


class ProductEffect(EffectParts, ProductName):
    """The difference of one product."""

    kind: Annotated[Kind, Shown("text", "Traded in", "成交年度")] = Field(
        description="`both`, `new` (only now) or `gone` (only before)."
    )
    tonnes: Annotated[str, Shown("decimal", "Volume (t)", "成交量（吨）")]
    tonnes_before: Annotated[str, Shown("decimal", "The year before (t)", "上年（吨）")]
    unit: Annotated[str, Shown("text", "Unit", "单位")]
    mean_price: Annotated[str | None, Shown("decimal", "Mean price", "均价")] = Field(
        description="Yuan per unit, rounded half up to the fen; null without trades."
    )
    mean_price_before: Annotated[str | None, Shown("decimal", "Mean price the year before", "上年均价")]


class EffectsReport(Sealed):
    """The turnover against the same part of the year before: of a year under way its days up to the same month and day."""

    first_date: str | None = Field(description="What was compared; null of a year that has not begun.")
    last_date: str | None
    first_date_before: str | None
    last_date_before: str | None
    days: int = Field(
        description="The venue's days of that part of the year, the current one included once it has trades."
    )
    days_before: int = Field(description="Of the year before. Far fewer where the venue opened in the course of it.")
    total: EffectParts
    products: tuple[ProductEffect, ...]


class Month(Document):
    """A month of the year."""

    month: Annotated[str, Shown("text", "Month", "月份")] = Field(description="yyyy-mm.")
    days: Annotated[int, Shown("integer", "Trading days", "交易日")] = Field(description="The venue's trading days.")
    days_begun: Annotated[int, Shown("integer", "Days begun", "已开始交易日")]
    actual: Annotated[str | None, Shown("decimal", "Net turnover (yuan)", "净成交额（元）")] = Field(
        description="Net turnover; null before the month has begun and before the venue opened."
    )
    tonnes: Annotated[str | None, Shown("decimal", "Volume (t)", "成交量（吨）")]
    plan: Annotated[str, Shown("decimal", "Plan (yuan)", "计划（元）")] = Field(
        description="The month's own target, or its part of the year's target."
    )
    plan_source: Annotated[PlanSource, Shown("text", "Plan of", "计划来源")] = Field(
        description="`month`: a target of its own; `year`: its part of the year's."
    )
    year_part: Annotated[str, Shown("decimal", "Part of the year's target (yuan)", "年度目标分摊（元）")] = Field(
        description="The year's target by trading days; the parts add up to what the year owes, to the fen."
    )
    last_year: Annotated[str | None, Shown("decimal", "The year before (yuan)", "上年同月（元）")] = Field(
        description="The same month of the year before; null where the venue had no day in it."
    )


class MonthsReport(Sealed):
    """The months of the year: actual, plan, last year."""

    target: str = Field(description="What the year owes.")
    target_is_set: bool
    target_seq: int
    months: tuple[Month, ...]


class FeeLine(Document):
    """Fees of a part of the trades, as paid."""

    part: Annotated[str, Shown("text", "Part", "部分")]
    fees: Annotated[str, Shown("decimal", "Fees (yuan)", "手续费（元）")]
    share: Annotated[str, Shown("decimal", "Share", "占比")]


class FeesReport(Sealed):
    """The venue's fee income of the year: what both sides paid for trades that are not busted."""

    fees: str = Field(description="As paid, in yuan. Excluded trades are in it: an exclusion gives no money back.")
    without_vat: str = Field(description="fees / 1.06, rounded half up to the fen.")
    vat: str = Field(description="fees − without_vat.")
    vat_percent: int
    products: tuple[FeeLine, ...]
    classes: tuple[FeeLine, ...] = Field(description="By account class.")
    assumptions: tuple[str, ...]


class TargetLine(Document):
    """A target in force and what was done. Amounts are yuan; those of `tonnes` are tonnes."""

    scope: str
    metric: Metric
    month: int = Field(description="0: the whole year.")
    name: str
    seq: int = Field(description="The command that set it.")
    stage: Stage = Field(
        description="`not_open`: the venue has no trading day in the period; `missed`: it has ended below the target."
    )
    target: str = Field(description="What is owed; of a target that is pro rata the share of the venue's trading days.")
    done: str
    share: str = Field(description="done / target.")
    missing: str
    days_total: int
    days_completed: int
    days_left: int
    pace: str = Field(description="Due at the end of the last completed day.")
    ahead: str = Field(description="Done on the completed days − pace; negative where it is behind.")
    required_per_day: str | None = Field(
        description="Rounded up; null where no day is left, and of `changed_hands`, whose days do not add up."
    )


class TargetsReport(Sealed):
    """The progress of every target of the year that is in force."""

    targets: tuple[TargetLine, ...]
