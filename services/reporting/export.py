"""The report as CSV for spreadsheets: one line per trading day and instrument that traded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from matching_engine.records import SettlementSource
from services.decimals import decimal_text, yuan_text
from services.reporting.exports.csv_file import csv_text_of
from services.reporting.exports.sheet import Column, Kind, Sheet, Value
from services.reporting.queries import Values
from services.reporting.report import lot_kilograms
from services.reporting.schemas import TurnoverReport
from services.times import date_text

_COLUMNS: dict[str, Kind] = {
    "trading_date": "date", "symbol": "text", "name_en": "text", "name_zh": "text", "category": "text", "family": "text",
    "quantity_lots": "integer", "tonnes": "decimal", "trades": "integer", "amount_fen": "integer", "amount_yuan": "decimal",
    "busted_trades": "integer", "busted_lots": "integer", "busted_fen": "integer",
    "excluded_trades": "integer", "excluded_lots": "integer", "excluded_fen": "integer",
    "prevented_self_trades": "integer", "prevented_lots": "integer",
    "settlement_price": "decimal", "settlement_source": "text",
}  # fmt: skip


def csv_text(report: TurnoverReport, instruments: Mapping[int, Values], daily: Sequence[Values]) -> str:
    """CSV text: comment lines that begin with # (figure, counting rule, seal), then the header, then the data.

    The sum of `amount_fen` is the report's net turnover; adding the sums of `busted_fen` and `excluded_fen` gives the gross.
    """
    return csv_text_of(turnover_sheet(instruments, daily), preamble(report))


def turnover_sheet(instruments: Mapping[int, Values], daily: Sequence[Values]) -> Sheet:
    """The lines of the CSV. `daily` are rows of `daily_turnover`."""
    columns = tuple(Column(name, kind, name, "") for name, kind in _COLUMNS.items())
    rows = tuple(_line(row, instruments[row["instrument"]]) for row in daily)
    return Sheet("turnover", "Turnover by day and product", "", columns, rows)


def _line(row: Values, facts: Values) -> tuple[Value, ...]:
    return (
        date_text(row["trading_date"]),
        *(facts[name] for name in ("symbol", "name_en", "name_zh", "category", "family")),
        row["quantity_lots"],
        decimal_text(lot_kilograms(facts) * row["quantity_lots"], 1000, 3),
        row["trades"],
        row["amount_fen"],
        yuan_text(row["amount_fen"]),
        *(row[name] for name in ("busted", "busted_lots", "busted_fen")),
        *(row[name] for name in ("excluded", "excluded_lots", "excluded_fen")),
        *(row[name] for name in ("prevented", "prevented_lots")),
        *_settlement(row, facts["tick_size"]),
    )


def _settlement(row: Values, tick_size: str) -> tuple[str | None, str | None]:
    """The day's settlement price in yuan per unit, and where it comes from; None before the day has ended."""
    if row["settlement_ticks"] is None:
        return None, None
    return str(row["settlement_ticks"] * Decimal(tick_size)), SettlementSource(row["settlement_source"]).name.lower()


def preamble(report: TurnoverReport) -> tuple[str, ...]:
    """The comment lines: figure, counting rule, seal."""
    return (
        f"REX turnover {report.year}: net {report.net} yuan of {report.target} yuan ({report.target_name})",
        f"net = gross {report.gross} yuan - busted {report.busted} yuan - excluded {report.excluded} yuan",
        *(f"{found.code}: {found.sentence} {found.sentence_zh}" for found in report.discrepancies),
        f"as of seq {report.seq}, trading date {report.trading_date}, {report.as_of}",
        f"journal {report.journal_id}, row hash {report.row_hash}",
        f"calendar: {report.calendar}",
        *(f"NOT PROVEN: {sentence}" for sentence in report.proof_alerts),
        *report.counting_rule.split(". "),
        *report.assumptions,
    )
