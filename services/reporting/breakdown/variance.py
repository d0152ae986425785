"""Why a year's turnover differs from the year before: by price, by tonnage, by products that only one of the years traded.

For a product of both years, with quantities q and mean prices p = turnover / quantity:

    price   = (p₁ − p₀) · (q₁ + q₀) / 2
    tonnage = (q₁ − q₀) · (p₁ + p₀) / 2

Both together are p₁q₁ − p₀q₀, exactly: nothing is left over, and neither year's prices or quantities are preferred. The
arithmetic is rational; an amount in fen is rounded once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Annotated, Literal, NamedTuple

from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncConnection

from services.reporting.breakdown import reading
from services.reporting.breakdown.documents import NOTHING, ProductName, Quantity, Sealed
from services.reporting.breakdown.reading import Instruments, Listed, Period
from services.reporting.documents import Date, Sums, Tonnes, Yuan, seal
from services.reporting.queries import read_position
from services.reporting.sheet import Shown
from services.values.decimals import half_up

Kind = Literal["both", "new", "gone"]
"""Whether a product traded in both periods, only in the later one, or only in the earlier one."""


class PriceVolumeVariance(Sums):
    """Why turnover differs: price + tonnage + new + gone = difference, exactly. In yuan."""

    net_fen: Annotated[Yuan, Shown("decimal", "Net turnover (yuan)", "净成交额（元）")]
    net_before_fen: Annotated[Yuan, Shown("decimal", "The year before (yuan)", "上年（元）")]
    difference_fen: Annotated[Yuan, Shown("decimal", "Difference (yuan)", "差额（元）")]
    price_fen: Annotated[Yuan, Shown("decimal", "By price (yuan)", "价格因素（元）")] = Field(
        description="Σ (p₁ − p₀) · (q₁ + q₀) / 2 of products that traded in both periods."
    )
    tonnage_fen: Annotated[Yuan, Shown("decimal", "By tonnage (yuan)", "数量因素（元）")] = Field(
        description="Σ (q₁ − q₀) · (p₁ + p₀) / 2 of products that traded in both periods."
    )
    new_fen: Annotated[Yuan, Shown("decimal", "New products (yuan)", "新增品种（元）")] = Field(
        description="Turnover of products that did not trade in the period before."
    )
    gone_fen: Annotated[Yuan, Shown("decimal", "Gone products (yuan)", "退出品种（元）")] = Field(
        description="Turnover of the period before, negative, of products that did not trade any more."
    )


class ProductVariance(PriceVolumeVariance, ProductName):
    """The difference of one product."""

    kind: Annotated[Kind, Shown("text", "Traded in", "成交年度")] = Field(
        description="`both`, `new` (only now) or `gone` (only before)."
    )
    kilograms: Annotated[Tonnes, Shown("decimal", "Volume (t)", "成交量（吨）")]
    kilograms_before: Annotated[Tonnes, Shown("decimal", "The year before (t)", "上年（吨）")]
    unit: Annotated[str, Shown("text", "Unit", "单位")]
    mean_price_fen: Annotated[Yuan | None, Shown("decimal", "Mean price", "均价")] = Field(
        description="Yuan per unit, rounded half up to the fen; null without trades."
    )
    mean_price_before_fen: Annotated[Yuan | None, Shown("decimal", "Mean price the year before", "上年均价")]


class VarianceReport(Sealed):
    """The turnover against the same part of the year before: of a year under way its days up to the same month and day."""

    first_date: Date | None = Field(description="What was compared; null of a year that has not begun.")
    last_date: Date | None
    first_date_before: Date | None
    last_date_before: Date | None
    days: int = Field(
        description="The venue's days of that part of the year, the current one included once it has trades."
    )
    days_before: int = Field(description="Of the year before. Far fewer where the venue opened in the course of it.")
    total: PriceVolumeVariance
    products: tuple[ProductVariance, ...]


class _Traded(NamedTuple):
    """What was traded in a period: first and last date, number of days, and the trades that count by instrument."""

    first: int | None
    last: int | None
    days: int
    net: dict[int, Quantity]


async def read_variance(connection: AsyncConnection, year: int) -> VarianceReport | None:
    """The year against the same part of the year before; None before the projector's first transaction."""
    position = await read_position(connection)
    if position is None:
        return None
    listed = await reading.read_listed(connection)
    now, before = [await _read(connection, one, listed) for one in compared_periods(year, position["trading_date"])]
    products = tuple(product_variances(before.net, now.net, listed))
    return VarianceReport(
        year=year,
        **seal(position),
        first_date=now.first,
        last_date=now.last,
        first_date_before=before.first,
        last_date_before=before.last,
        days=now.days,
        days_before=before.days,
        total=PriceVolumeVariance.total(products),
        products=products,
    )


def compared_periods(year: int, today: int) -> tuple[Period | None, Period | None]:
    """The part of a year that has come, and the same part of the year before: up to the same month and day.

    A closed year is compared whole with the whole year before. None of a year that has not begun.
    """
    if today < year * 10_000:
        return None, None
    last = today % 10_000 if today // 10_000 == year else 1_231
    of_year, before = year * 10_000, (year - 1) * 10_000
    last_before = 228 if last == 229 else last
    return Period(of_year + 101, of_year + last), Period(before + 101, before + last_before)


async def _read(connection: AsyncConnection, period: Period | None, listed: Instruments) -> _Traded:
    if period is None:
        return _Traded(None, None, 0, {})
    counted = await reading.read_counted(connection, period, listed)
    days = await reading.read_net_of_days(connection, period)
    return _Traded(*period, len(days), {number: one.net for number, one in counted.items()})


def product_variances(
    before: Mapping[int, Quantity], now: Mapping[int, Quantity], instruments: Instruments
) -> Iterator[ProductVariance]:
    """Each product that traded in one of the periods, in the order of the instruments."""
    for number in sorted(before.keys() | now.keys()):
        old, new, listed = before.get(number, NOTHING), now.get(number, NOTHING), instruments[number]
        if old.kilograms or new.kilograms:
            yield ProductVariance(
                **listed.names,
                **vars(variance(old, new)),
                kind=_kind(old, new),
                kilograms=new.kilograms,
                kilograms_before=old.kilograms,
                unit=listed.unit,
                mean_price_fen=_mean_price_fen(new, listed),
                mean_price_before_fen=_mean_price_fen(old, listed),
            )


def _kind(before: Quantity, now: Quantity) -> Kind:
    if before.kilograms and now.kilograms:
        return "both"
    return "new" if now.kilograms else "gone"


def variance(before: Quantity, now: Quantity) -> PriceVolumeVariance:
    """The difference of one product's turnover. The price's part is rounded half up to the fen; the tonnage's is the rest, less
    than a fen from the exact value, so that the parts add up."""
    kind, difference_fen = _kind(before, now), now.amount_fen - before.amount_fen
    price = price_variance(before, now) if kind == "both" else Fraction(0)
    price_fen = half_up(price.numerator, price.denominator)
    return PriceVolumeVariance(
        net_fen=now.amount_fen,
        net_before_fen=before.amount_fen,
        difference_fen=difference_fen,
        price_fen=price_fen,
        tonnage_fen=difference_fen - price_fen if kind == "both" else 0,
        new_fen=difference_fen if kind == "new" else 0,
        gone_fen=difference_fen if kind == "gone" else 0,
    )


def price_variance(before: Quantity, now: Quantity) -> Fraction:
    """The part of the difference that prices made, in fen. Both quantities are above zero."""
    prices = [Fraction(one.amount_fen, one.kilograms) for one in (before, now)]
    return (prices[1] - prices[0]) * Fraction(now.kilograms + before.kilograms, 2)


def _mean_price_fen(traded: Quantity, listed: Listed) -> int | None:
    return half_up(traded.amount_fen * listed.unit_kilograms, traded.kilograms) if traded.kilograms else None
