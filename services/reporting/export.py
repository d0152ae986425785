"""The report as CSV for spreadsheets: one line per trading day and instrument that traded."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from decimal import Decimal

from matching_engine.records import SettlementSource
from services.decimals import decimal_text, yuan_text
from services.reporting.queries import Values
from services.reporting.report import lot_kilograms
from services.reporting.schemas import TurnoverReport
from services.times import date_text

COLUMNS = (
    "trading_date", "symbol", "name_en", "name_zh", "category", "family", "quantity_lots", "tonnes", "trades",
    "amount_fen", "amount_yuan", "busted_trades", "busted_lots", "busted_fen",
    "excluded_trades", "excluded_lots", "excluded_fen", "prevented_self_trades", "prevented_lots",
    "settlement_price", "settlement_source",
)  # fmt: skip

BYTE_ORDER_MARK = "\ufeff"
"""Spreadsheets need it to read the Chinese names as UTF-8 and not in the system's code page."""


def csv_text(report: TurnoverReport, instruments: Mapping[int, Values], daily: Sequence[Values]) -> str:
    """CSV text: comment lines that begin with # (figure, counting rule, seal), then the header, then the data.

    The sum of `amount_fen` is the report's net turnover; adding the sums of `busted_fen` and `excluded_fen` gives the gross.
    """
    out = io.StringIO()
    out.write(BYTE_ORDER_MARK)
    # Written without the csv module, which may quote: readers that skip comments look for # as a line's first character.
    out.writelines(f"# {' '.join(line.split())}\r\n" for line in _preamble(report))
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for row in daily:
        facts = instruments[row["instrument"]]
        writer.writerow(
            [
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
            ]
        )
    return out.getvalue()


def _settlement(row: Values, tick_size: str) -> tuple[str, str]:
    """The day's settlement price in yuan per unit, and where it comes from; both empty before the day has ended."""
    if row["settlement_ticks"] is None:
        return "", ""
    return str(row["settlement_ticks"] * Decimal(tick_size)), SettlementSource(row["settlement_source"]).name.lower()


def _preamble(report: TurnoverReport) -> tuple[str, ...]:
    return (
        f"REX turnover {report.year}: net {report.net} yuan of {report.target} yuan ({report.target_name})",
        f"net = gross {report.gross} yuan - busted {report.busted} yuan - excluded {report.excluded} yuan",
        f"as of seq {report.seq}, trading date {report.trading_date}, {report.as_of}",
        f"journal {report.journal_id}, row hash {report.row_hash}",
        f"calendar: {report.calendar}",
        *report.counting_rule.split(". "),
        *report.assumptions,
    )
