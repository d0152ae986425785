"""The breakdown on a terminal, a line each."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction

from rich.markup import escape
from rich.table import Table

from services.commands.texts import visible
from services.reporting.breakdown.bridge import ChangedHandsInPeriod
from services.reporting.breakdown.concentration import MarketConcentration, SideConcentration
from services.reporting.breakdown.documents import Quantity
from services.reporting.breakdown.summary import Breakdown
from services.reporting.breakdown.variance import PriceVolumeVariance
from services.reporting.documents import ratio_text, tonnes_text
from services.values.decimals import counted, fraction_text, yuan_text

_STATES = {"waiting": "flagged, waits for a decision", "all": "flagged by the wash screen"}


def breakdown_table(found: Breakdown) -> Table:
    """The ladder from net to the goods taken out, fees, concentration, and the difference to the year before."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim")
    table.add_column(justify="right")
    for row in _rows(found):
        table.add_row(*row)
    return table


def _rows(found: Breakdown) -> Iterator[tuple[str, str]]:
    ladder, out, fees = found.ladder.ladder, found.ladder.ladder.taken_out, found.fees
    yield "net traded", _quantity(ladder.net)
    yield "changed hands, the year as one period", _changed_hands(found.ladder.whole_year)
    yield "changed hands, the last 20 days", _changed_hands(found.ladder.recent)
    yield "changed hands, the last day", _changed_hands(found.ladder.day)
    yield "delivered, against payment at the trade", _quantity(ladder.delivered)
    yield "taken out, at the day's settlement", f"{_yuan(out.amount_fen)}, {_tonnes(out.kilograms)}"
    yield (
        "traded for each tonne taken out",
        "—" if ladder.churn is None else f"{_grouped(fraction_text(ladder.churn, 2))} t",
    )
    yield "fee income, without 6 % VAT (assumed)", f"{_yuan(fees.fees_fen)}, {_yuan(fees.without_vat_fen)}"
    yield from _concentration(found.concentration.markets[0])
    for part in found.flagged.parts:
        if part.state in _STATES:
            share = f"{_yuan(part.amount_fen)} = {_percent(part.share)}"
            yield _STATES[part.state], f"{share}, {counted(part.findings, 'finding')}"
    if found.effects.days_before:
        yield from _variance(found.effects.total)
    for figure in found.context.figures:
        yield (
            escape(visible(f"context, not of this venue: {figure.figure}")),
            escape(visible(f"{_grouped(figure.value)} {figure.unit} ({figure.source})")),
        )


def _concentration(market: MarketConcentration) -> Iterator[tuple[str, str]]:
    for name, side in (("buyers", market.bought), ("sellers", market.sold)):
        yield f"top 5, top 10 {name}; HHI", _side(side)


def _side(side: SideConcentration | None) -> str:
    if side is None:
        return "—"
    return f"{_percent(side.top_5)}, {_percent(side.top_10)}; {Decimal(ratio_text(side.hhi)):.4f}"


def _variance(total: PriceVolumeVariance) -> Iterator[tuple[str, str]]:
    yield "against the same days of last year", _yuan(total.difference_fen)
    yield "  by price, by tonnage", f"{_yuan(total.price_fen)}, {_yuan(total.tonnage_fen)}"
    if total.new_fen or total.gone_fen:
        yield "  new products, gone products", f"{_yuan(total.new_fen)}, {_yuan(total.gone_fen)}"


def _quantity(traded: Quantity) -> str:
    return f"{_yuan(traded.amount_fen)}, {_tonnes(traded.kilograms)}, {counted(traded.trades, 'trade')}"


def _changed_hands(period: ChangedHandsInPeriod | None) -> str:
    return "—" if period is None else f"{_yuan(period.changed_hands_fen)} = {_percent(period.share)}"


def _yuan(amount_fen: int) -> str:
    return f"¥ {_grouped(yuan_text(amount_fen))}"


def _tonnes(kilograms: int) -> str:
    return f"{_grouped(tonnes_text(kilograms))} t"


def _grouped(amount: str) -> str:
    return f"{Decimal(amount):,f}"


def _percent(share: Fraction) -> str:
    return f"{Decimal(ratio_text(share)) * 100:.1f} %"
