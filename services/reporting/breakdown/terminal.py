"""The breakdown on a terminal, a line each."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from rich.markup import escape
from rich.table import Table

from services.commands.texts import visible
from services.reporting.breakdown.schemas import HandsOfPeriod, MarketConcentration, Rung, SideConcentration
from services.reporting.breakdown.summary import Breakdown
from services.values.decimals import counted

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
    ladder, out = found.ladder.ladder, found.ladder.ladder.taken_out
    yield "net traded", _rung(ladder.net)
    yield "changed hands, the year as one period", _hands(found.ladder.whole_year)
    yield "changed hands, the last 20 days", _hands(found.ladder.recent)
    yield "changed hands, the last day", _hands(found.ladder.day)
    yield "delivered, against payment at the trade", _rung(ladder.delivered)
    yield "taken out, at the day's settlement", f"{_yuan(out.amount)}, {_grouped(out.tonnes)} t"
    yield "traded for each tonne taken out", "—" if ladder.churn is None else f"{_grouped(ladder.churn)} t"
    yield "fee income, without 6 % VAT (assumed)", f"{_yuan(found.fees.fees)}, {_yuan(found.fees.without_vat)}"
    yield from _concentration(found.concentration.markets[0])
    for part in found.flagged.parts:
        if part.state in _STATES:
            yield (
                _STATES[part.state],
                f"{_yuan(part.amount)} = {_percent(part.share)}, {counted(part.findings, 'finding')}",
            )
    if found.effects.days_before:
        yield from _effects(found)
    for figure in found.context.figures:
        yield (
            escape(visible(f"context, not of this venue: {figure.figure}")),
            escape(visible(f"{_grouped(figure.value)} {figure.unit} ({figure.source})")),
        )


def _concentration(market: MarketConcentration) -> Iterator[tuple[str, str]]:
    for name, side in (("buyers", market.bought), ("sellers", market.sold)):
        yield f"top 5, top 10 {name}; HHI", _side(side)


def _side(side: SideConcentration | None) -> str:
    return "—" if side is None else f"{_percent(side.top_5)}, {_percent(side.top_10)}; {Decimal(side.hhi):.4f}"


def _effects(found: Breakdown) -> Iterator[tuple[str, str]]:
    total = found.effects.total
    yield "against the same days of last year", _yuan(total.difference)
    yield "  by price, by tonnage", f"{_yuan(total.price)}, {_yuan(total.tonnage)}"
    if Decimal(total.new) or Decimal(total.gone):
        yield "  new products, gone products", f"{_yuan(total.new)}, {_yuan(total.gone)}"


def _rung(rung: Rung) -> str:
    return f"{_yuan(rung.amount)}, {_grouped(rung.tonnes)} t, {counted(rung.trades, 'trade')}"


def _hands(period: HandsOfPeriod | None) -> str:
    return "—" if period is None else f"{_yuan(period.changed_hands)} = {_percent(period.share)}"


def _yuan(amount: str) -> str:
    return f"¥ {_grouped(amount)}"


def _grouped(amount: str) -> str:
    return f"{Decimal(amount):,f}"


def _percent(share: str) -> str:
    return f"{Decimal(share) * 100:.1f} %"
