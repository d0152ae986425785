"""The report as CSV for spreadsheets: one line per trading day and instrument that traded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from matching_engine.records import SettlementSource
from services.reporting.exports.csv_file import csv_text_of
from services.reporting.queries import Values
from services.reporting.report import lot_kilograms, proof_sentence
from services.reporting.schemas import TurnoverReport
from services.reporting.sheet import Column, Sheet, Value
from services.values.decimals import decimal_text, yuan_text
from services.values.times import date_text, time_text

_COLUMNS = (
    Column("trading_date", "date", "Trading day", "交易日"),
    Column("symbol", "text", "Symbol", "代码"),
    Column("name_en", "text", "Product", "品种（英文）"),
    Column("name_zh", "text", "Product (Chinese)", "品种"),
    Column("category", "text", "Category", "类别"),
    Column("family", "text", "Family", "系列"),
    Column("quantity_lots", "integer", "Volume (lots)", "成交量（手）"),
    Column("tonnes", "decimal", "Volume (t)", "成交量（吨）"),
    Column("trades", "integer", "Trades", "成交笔数"),
    Column("amount_fen", "integer", "Net turnover (fen)", "净成交额（分）"),
    Column("amount_yuan", "decimal", "Net turnover (yuan)", "净成交额（元）"),
    Column("busted_trades", "integer", "Busted trades", "撤销成交笔数"),
    Column("busted_lots", "integer", "Busted (lots)", "撤销（手）"),
    Column("busted_fen", "integer", "Busted (fen)", "撤销（分）"),
    Column("excluded_trades", "integer", "Excluded trades", "剔除笔数"),
    Column("excluded_lots", "integer", "Excluded (lots)", "剔除（手）"),
    Column("excluded_fen", "integer", "Excluded (fen)", "剔除（分）"),
    Column("prevented_self_trades", "integer", "Self-trades prevented", "自成交拦截次数"),
    Column("prevented_lots", "integer", "Prevented (lots)", "自成交拦截（手）"),
    Column(
        "settlement_price", "decimal", "Settlement price", "结算价", "Yuan per unit; empty before the day has ended."
    ),
    Column("settlement_source", "text", "Source of the settlement price", "结算价来源"),
)


def csv_text(report: TurnoverReport, instruments: Mapping[int, Values], daily: Sequence[Values]) -> str:
    """CSV text: comment lines that begin with # (figure, counting rule, seal), then the header, then the data.

    The sum of `amount_fen` is the report's net turnover; adding the sums of `busted_fen` and `excluded_fen` gives the gross.
    """
    return csv_text_of(turnover_sheet(instruments, daily), preamble(report))


def turnover_sheet(instruments: Mapping[int, Values], daily: Sequence[Values]) -> Sheet:
    """The lines of the CSV. `daily` are rows of `daily_turnover`."""
    rows = tuple(_line(row, instruments[row["instrument"]]) for row in daily)
    return Sheet("turnover", "Turnover by day and product", "每日各品种成交", _COLUMNS, rows)


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
        f"REX turnover {report.year}: net {yuan_text(report.net_fen)} yuan of {yuan_text(report.target_fen)} yuan"
        f" ({report.target_name})",
        f"net = gross {yuan_text(report.gross_fen)} yuan - busted {yuan_text(report.busted_fen)} yuan"
        f" - excluded {yuan_text(report.excluded_fen)} yuan",
        *(f"{found.code}: {found.sentence} {found.sentence_zh}" for found in report.discrepancies),
        f"as of seq {report.seq}, trading date {date_text(report.trading_date)}, {time_text(report.as_of_ns)}",
        f"journal {report.journal_id.hex()}, row hash {report.row_hash.hex()}",
        f"calendar: {report.calendar}",
        *(f"NOT PROVEN: {alert.sentence} {alert.sentence_zh}" for alert in report.proof_alerts),
        proof_sentence(report),
        *report.counting_rule.split(". "),
        *report.assumptions,
    )
