"""What a certificate shows of the breakdown: its sheets, as far as they fit on a page. No I/O."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from services.reporting.exports.breakdown_sheets import breakdown_sheets
from services.reporting.sheet import Sheet, Value

MOST_MEMBERS = 10
_WORDS = {
    "waiting": "waiting 待决定",
    "exclude": "excluded 剔除",
    "include": "counted 计入",
    "all": "all 合计",
    "total": "total 合计",
    "without_vat": "without VAT 不含税",
    "vat": "VAT 税额",
    "whole_year": "year 全年",
    "recent": "20 days 近20日",
    "day": "day 末日",
}
"""The first column of a table in both languages."""
_OF_LINES = ("line", "symbol", "name_en", "name_zh")


def certificate_tables(breakdown: Mapping[str, Any]) -> dict[str, Any]:
    """The tables by name. `facts` are the columns of one row below each other, the others have columns and rows."""
    sheets = {sheet.name: sheet for sheet in breakdown_sheets(breakdown)}
    fees, members = sheets["fees"], sheets["ranked_members"]
    whole = [row for row in fees.rows if row[1] == "ALL"]
    ranks = ("part", "share", "bought_amount", "sold_amount")
    return {
        "ladder": _facts(sheets["ladder"]),
        "effects": _facts(sheets["effects"]) if breakdown["effects"]["days_before"] else None,
        "changed_hands": _table(sheets["changed_hands"]),
        "months": _table(sheets["months"], ("month", "days", "tonnes", "actual", "plan", "last_year")),
        "members": _table(members, ranks, members.rows[:MOST_MEMBERS]),
        "member_count": len(members.rows),
        "fees": _table(fees, ("line", "fees"), whole),
        "flagged": _table(sheets["flagged"]),
    }


def total_lines(breakdown: Mapping[str, Any]) -> list[tuple[str, Value]]:
    """The totals as names of programs and values: of the ladder, the effects and the fees, and what is flagged."""
    sheets = {sheet.name: sheet for sheet in breakdown_sheets(breakdown)}
    found: list[tuple[str, Value]] = []
    for prefix in ("ladder", "effects"):
        sheet = sheets[prefix]
        pairs = zip(sheet.columns, sheet.rows[-1], strict=True)
        found += [
            (f"{prefix}.{one.name}", value) for one, value in pairs if one.name not in _OF_LINES and value is not None
        ]
    found += [(f"fees.{line}", fees) for line, part, fees, _ in sheets["fees"].rows if part == "ALL"]
    return found + [(f"flagged.{state}", amount) for state, _, amount, *_ in sheets["flagged"].rows]


def _facts(sheet: Sheet) -> dict[str, Any]:
    """The total of a sheet: its last row."""
    pairs = zip(sheet.columns, sheet.rows[-1], strict=True)
    facts = [(one.en, one.zh, value) for one, value in pairs if one.name not in _OF_LINES and value is not None]
    return {"en": sheet.en, "zh": sheet.zh, "facts": [(en, zh, str(value)) for en, zh, value in facts]}


def _table(
    sheet: Sheet, names: Iterable[str] | None = None, rows: Iterable[tuple[Value, ...]] | None = None
) -> dict[str, Any]:
    places = [at for at, one in enumerate(sheet.columns) if names is None or one.name in set(names)]
    chosen = [sheet.columns[at] for at in places]
    return {
        "en": sheet.en,
        "zh": sheet.zh,
        "columns": [(one.en, one.zh, one.kind) for one in chosen],
        "rows": [[_word(row[at]) for at in places] for row in (sheet.rows if rows is None else rows)],
    }


def _word(value: Value) -> Value:
    return _WORDS.get(value, value) if isinstance(value, str) else value
