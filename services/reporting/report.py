"""Builds the turnover report: net turnover, progress against the target, split by product, and the seal (seq and row hash)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any

from services.data.calendar import TradingCalendar
from services.data.instruments import TERMS_ARE_ASSUMED
from services.reporting.day_sums import discrepancies_of
from services.reporting.documents import ratio, seal
from services.reporting.drill import links
from services.reporting.forecast.contract import Forecast, YearEnd
from services.reporting.queries import SUMS, Values, YearTurnover
from services.reporting.schemas import (
    Category,
    Family,
    LargestDay,
    LargestTrade,
    Product,
    ProofAlert,
    ReportDay,
    TurnoverReport,
    YearEndForecast,
)
from services.reporting.shares import shares_of
from services.reporting.standing import Standing, standing_of
from services.reporting.target import Progress, TargetDay
from services.reporting.verdict import judge
from services.values.decimals import half_up
from services.values.times import time_text

COUNTING_RULE = (
    "Single-sided: each trade is counted once, at price × quantity, not once for the buyer and once for the seller. "
    "A trade belongs to the trading day on which it was made (Asia/Shanghai; a trading day begins at 17:00 of the one before), "
    "and the year is that of the trading day. Amounts are yuan as traded, to the fen: quotes include 13 % VAT and no fees. "
    "Only executed trades count, never orders. Orders that would trade with their own owner group are prevented before they "
    "trade: they are counted apart and are no turnover. A bust, by which an operator cancels a trade on its trading day, "
    "returns its money, goods and turnover; the trade stays on record. Other trades are excluded only by a person's decision, "
    "with name and reason, which is journaled and can be taken back. Net = gross − busted − excluded. "
    "A trade is settled when it is made, delivery against payment."
)
IS_SIMULATED = "The journal begins with a simulated history: no trade of that history was real."
VAT_PERCENT = 13
_NOTHING: Values = dict.fromkeys(SUMS, 0)


def build_report(year: int, found: YearTurnover, calendar: TradingCalendar) -> TurnoverReport:
    """The report of the year, exact at `found.position`."""
    target, standing = found.target, standing_of(year, found, calendar)
    progress, outlook = standing.progress, standing.outlook
    busted_fen, excluded_fen = _total(found, "busted_fen"), _total(found, "excluded_fen")
    return TurnoverReport(
        year=year,
        simulated=found.simulated,
        net_fen=progress.net_fen,
        gross_fen=progress.net_fen + busted_fen + excluded_fen,
        busted_fen=busted_fen,
        excluded_fen=excluded_fen,
        net_without_vat_fen=half_up(100 * progress.net_fen, 100 + VAT_PERCENT),
        today_fen=progress.today_fen,
        trades=_total(found, "trades"),
        busted_trades=_total(found, "busted"),
        excluded_trades=_total(found, "excluded"),
        prevented_self_trades=_total(found, "prevented"),
        prevented_kilograms=_prevented_kilograms(found),
        counting_rule=COUNTING_RULE,
        target_name=target.name,
        target_is_set=target.is_set,
        target_is_pro_rata=target.pro_rata,
        target_of_whole_year_fen=target.amount_fen,
        target_seq=target.seq,
        calendar=calendar.source(year),
        **_progress(progress),
        **_outlook(standing),
        **_split(found),
        days=tuple(map(_day, progress.days, (*(0,) * progress.first, *outlook.pace_fen))),
        largest_day=_largest_day(found.net_by_day),
        largest_trade=_largest_trade(found),
        **seal(found.position),
        discrepancies=discrepancies_of(found.differing_days),
        proof_alerts=tuple(ProofAlert(**alert) for alert in found.proof_alerts),
        proven_seq=None if found.proof is None else found.proof["proven_seq"],
        proven_at_ns=None if found.proof is None else found.proof["time_ns"],
        assumptions=_assumptions(year, calendar, simulated=found.simulated),
        links={"days": links.days(year), "trades": links.trades(year=year), "certificate": links.certificate(year)},
    )


def proof_sentence(report: TurnoverReport) -> str:
    """Which proof of the year agreed last."""
    if report.proven_seq is None or report.proven_at_ns is None:
        return "not proven yet: rex report --prove makes a proof now, and a running venue makes one an hour"
    return f"last proof that agreed: of seq {report.proven_seq:,}, recorded {time_text(report.proven_at_ns)}"


def _total(found: YearTurnover, name: str) -> int:
    return sum(int(row[name]) for row in found.by_instrument.values())


def _prevented_kilograms(found: YearTurnover) -> int:
    traded = found.by_instrument.items()
    return sum(lot_kilograms(found.instruments[number]) * row["prevented_lots"] for number, row in traded)


def _progress(progress: Progress) -> dict[str, Any]:
    target_fen, recent_fen, required_fen = progress.target_fen, progress.recent_mean_fen, progress.required_per_day_fen
    ahead_days_fen = progress.completed_fen * progress.total - target_fen * progress.completed
    return {
        "target_fen": target_fen,
        "share": ratio(progress.net_fen, target_fen),
        "missing_fen": progress.missing_fen,
        "days_total": progress.total,
        "days_before_opening": progress.first,
        "days_completed": progress.completed,
        "days_left": progress.left,
        "pace_fen": progress.pace_fen,
        "ahead_fen": progress.ahead_fen,
        "ahead_days": ratio(ahead_days_fen, target_fen),
        "required_per_day_fen": required_fen,
        "recent_mean_fen": recent_fen,
        "required_ratio": ratio(required_fen, recent_fen) if required_fen is not None and recent_fen else None,
        "required_level": progress.level,
        "forecast_year_mean_fen": progress.at_year_mean_fen,
        "forecast_recent_mean_fen": progress.at_recent_mean_fen,
    }


def _outlook(standing: Standing) -> dict[str, Any]:
    permille, forecast = standing.reach_permille, standing.outlook.forecast
    verdict = judge(standing.progress, None if permille is None else Fraction(permille, 1000))
    shown = None if forecast is None else _forecast(forecast)
    return {"outcome": verdict.outcome, "verdict": verdict.en, "verdict_zh": verdict.zh, "forecast": shown}


def _forecast(forecast: Forecast) -> YearEndForecast:
    rounded = ends_of(forecast.year_end_rounded)
    return YearEndForecast(
        **ends_of(forecast.year_end),
        **{name.replace("_fen", "_rounded_fen"): end_fen for name, end_fen in rounded.items()},
        reach=forecast.reach_permille,
        width=forecast.width_permille,
        too_early=forecast.too_early,
        method=forecast.method,
        assumptions=forecast.assumptions,
    )


def ends_of(year_end: YearEnd | None) -> dict[str, Any]:
    """The fields p10_fen, p50_fen and p90_fen of a document."""
    return dict.fromkeys(("p10_fen", "p50_fen", "p90_fen")) if year_end is None else vars(year_end)


def _split(found: YearTurnover) -> dict[str, Any]:
    """The turnover by category, family and instrument; each of the three adds up to the net turnover, and their shares to 1."""
    lines = [(facts, found.by_instrument.get(number, _NOTHING)) for number, facts in found.instruments.items()]
    return {
        "categories": tuple(Category(**part) for part in _parts(lines, ("category",))),
        "families": tuple(Family(**part) for part in _parts(lines, ("category", "family"))),
        "products": tuple(_product(*line, part) for line, part in zip(lines, _parts(lines, ("symbol",)), strict=True)),
    }


def _parts(lines: Sequence[tuple[Values, Values]], key: tuple[str, ...]) -> list[dict[str, Any]]:
    """The lines added up by the instruments' values of `key`."""
    groups: dict[tuple[str, ...], list[tuple[Values, Values]]] = {}
    for facts, traded in lines:
        groups.setdefault(tuple(facts[name] for name in key), []).append((facts, traded))
    shares = shares_of([sum(traded["amount_fen"] for _, traded in group) for group in groups.values()])
    return [
        {**dict(zip(key, values, strict=True)), **_sums(group), "share": share}
        for (values, group), share in zip(groups.items(), shares, strict=True)
    ]


def _product(facts: Values, traded: Values, part: dict[str, Any]) -> Product:
    return Product(
        **{name: facts[name] for name in ("name_en", "name_zh", "category", "family", "unit")},
        **part,
        quantity_lots=traded["quantity_lots"],
        busted_fen=traded["busted_fen"],
        busted_trades=traded["busted"],
        excluded_fen=traded["excluded_fen"],
        excluded_trades=traded["excluded"],
        prevented_self_trades=traded["prevented"],
        prevented_lots=traded["prevented_lots"],
    )


def _sums(lines: Iterable[tuple[Values, Values]]) -> dict[str, Any]:
    kilograms = amount_fen = trades = 0
    for facts, traded in lines:
        kilograms += lot_kilograms(facts) * traded["quantity_lots"]
        amount_fen += traded["amount_fen"]
        trades += traded["trades"]
    return {"net_fen": amount_fen, "kilograms": kilograms, "trades": trades}


def lot_kilograms(facts: Values) -> int:
    """Kilograms of one lot of an instrument."""
    return int(facts["lot_size"]) * (1000 if facts["unit"] == "t" else 1)


def _day(day: TargetDay, seasonal_pace_fen: int) -> ReportDay:
    return ReportDay(
        date=day.date,
        pace_fen=day.pace_fen,
        seasonal_pace_fen=seasonal_pace_fen,
        net_fen=day.net_fen,
        cumulative_fen=day.cumulative_fen,
    )


def _largest_day(net_by_day: Mapping[int, int]) -> LargestDay | None:
    date = max(net_by_day, key=lambda day: (net_by_day[day], -day), default=0)
    return LargestDay(date=date, net_fen=net_by_day[date]) if net_by_day.get(date) else None


def _largest_trade(found: YearTurnover) -> LargestTrade | None:
    row = found.largest
    if row is None:
        return None
    return LargestTrade(
        trade_id=str(row["largest_trade_id"]),
        symbol=found.instruments[row["instrument"]]["symbol"],
        trading_date=row["trading_date"],
        amount_fen=row["largest_fen"],
    )


def _assumptions(year: int, calendar: TradingCalendar, *, simulated: bool) -> tuple[str, ...]:
    prices = "Some reference prices are assumptions, marked by `reference_price_source` of the instrument."
    days = f"No trading calendar of {year} is published: its trading days are assumed from the holidays of other years."
    history = (IS_SIMULATED,) if simulated else ()
    return (*history, TERMS_ARE_ASSUMED, prices, *((days,) if calendar.assumed(year) else ()))
