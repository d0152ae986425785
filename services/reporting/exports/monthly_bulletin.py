"""The monthly bulletin: volume and turnover, month on month, year on year, January to date. Rows in, document out; no I/O."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from fractions import Fraction
from typing import get_args

from services.commands.attachments import Measure, MeasureImposed
from services.reporting.exports.schemas import MonthlyBulletin, MonthlyProduct, MonthlyTurnover
from services.reporting.exports.seal import Seal
from services.reporting.queries import Values
from services.reporting.report import lot_kilograms
from services.reporting.shares import shares_of
from services.reporting.sheet import Sheet, sheet_of
from services.values.decimals import decimal_text

Months = Mapping[int, Mapping[int, Values]]
"""The sums of `reading.read_months`, by month yyyymm and instrument."""

CATEGORIES = {
    "magnetic_material": ("Magnetic materials", "磁性材料"),
    "deep_processed": ("Deep-processed products", "深加工产品"),
}


def first_month_needed(month: int) -> int:
    """The first month, yyyymm, that the bulletin of this one compares with: January of the year before."""
    return (month // 100 - 1) * 100 + 1


def monthly_bulletin(
    month: int,
    position: Values,
    instruments: Mapping[int, Values],
    months: Months,
    imposed: Iterable[MeasureImposed] = (),
    simulated_years: Collection[int] = (),
) -> MonthlyBulletin:
    """The bulletin of a month, yyyymm, from the sums of it and of the months before it, from `first_month_needed` on, and the
    measures `imposed` at any time."""
    simulated = bool({month // 100, month // 100 - 1} & set(simulated_years))  # it compares with the year before
    counted = Counter(one.measure for one in imposed if one.trading_date // 100 == month)
    shares = shares_of([_sum(months, (month,), (number,), "amount_fen") for number in instruments])
    products = tuple(
        _line("product", facts["symbol"], facts["name_en"], facts["name_zh"], month, {number: facts}, months, share)
        for (number, facts), share in zip(instruments.items(), shares, strict=True)
    )
    parts = {name: {n: facts for n, facts in instruments.items() if facts["category"] == name} for name in CATEGORIES}
    shares = shares_of([_sum(months, (month,), part, "amount_fen") for part in parts.values()])
    return MonthlyBulletin(
        **vars(Seal.of(position, simulated=simulated)),
        month=month_text(month),
        complete=month < position["trading_date"] // 100,
        products=products,
        categories=tuple(
            _line("category", name, *CATEGORIES[name], month, part, months, share)
            for (name, part), share in zip(parts.items(), shares, strict=True)
        ),
        total=_line("total", "ALL", "All products", "合计", month, instruments, months, decimal_text(1, 1, 6)),
        months=tuple(
            MonthlyTurnover(
                month=month_text(one),
                turnover_fen=_sum(months, (one,), instruments, "amount_fen"),
                turnover_year_before_fen=_sum(months, (one - 100,), instruments, "amount_fen"),
            )
            for one in _to_date(month)
        ),
        measures={measure: counted[measure] for measure in get_args(Measure)},
    )


def _line(
    line: str, symbol: str, name_en: str, name_zh: str, month: int, part: Mapping[int, Values], months: Months, share: str
) -> MonthlyProduct:  # fmt: skip
    spans = _spans(month)
    kilograms = {name: _kilograms(months, span, part) for name, span in spans.items()}
    fen = {name: _sum(months, span, part, "amount_fen") for name, span in spans.items()}
    return MonthlyProduct(
        line=line,
        symbol=symbol,
        name_en=name_en,
        name_zh=name_zh,
        volume_kilograms=kilograms["month"],
        volume_month_on_month=_growth(kilograms["month"], kilograms["before"]),
        volume_year_on_year=_growth(kilograms["month"], kilograms["year_before"]),
        volume_to_date=kilograms["to_date"],
        volume_to_date_year_on_year=_growth(kilograms["to_date"], kilograms["to_date_before"]),
        turnover_fen=fen["month"],
        turnover_month_on_month=_growth(fen["month"], fen["before"]),
        turnover_year_on_year=_growth(fen["month"], fen["year_before"]),
        turnover_to_date_fen=fen["to_date"],
        turnover_to_date_year_on_year=_growth(fen["to_date"], fen["to_date_before"]),
        share=share,
        trades=_sum(months, (month,), part, "trades"),
        busted_trades=_sum(months, (month,), part, "busted"),
        prevented_self_trades=_sum(months, (month,), part, "prevented"),
    )


def _spans(month: int) -> dict[str, tuple[int, ...]]:
    """The months that a line adds up or compares with, yyyymm."""
    return {
        "month": (month,),
        "before": (month - 1 if month % 100 > 1 else month - 89,),
        "year_before": (month - 100,),
        "to_date": _to_date(month),
        "to_date_before": _to_date(month - 100),
    }


def _to_date(month: int) -> tuple[int, ...]:
    return tuple(range(month // 100 * 100 + 1, month + 1))


def _sum(months: Months, span: Sequence[int], numbers: Iterable[int], name: str) -> int:
    chosen = tuple(numbers)
    return sum(int(months[month][n][name]) for month in span if month in months for n in chosen if n in months[month])


def _kilograms(months: Months, span: Sequence[int], part: Mapping[int, Values]) -> int:
    return sum(lot_kilograms(facts) * _sum(months, span, (n,), "quantity_lots") for n, facts in part.items())


def _growth(now: int, before: int) -> Fraction | None:
    """now / before − 1 as a fraction; None where there is nothing to compare with."""
    return Fraction(now - before, before) if before else None


def month_text(month: int) -> str:
    """A month yyyymm as yyyy-mm."""
    return f"{month // 100:04d}-{month % 100:02d}"


def month_sheet(bulletin: MonthlyBulletin) -> Sheet:
    """The products, the categories and the total of a month."""
    lines = (*bulletin.products, *bulletin.categories, bulletin.total)
    return sheet_of("monthly", "Monthly bulletin", "月度统计", MonthlyProduct, lines)
