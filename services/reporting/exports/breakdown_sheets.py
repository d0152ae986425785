"""The breakdown of a year as sheets: each table of the JSON documents with the columns that the documents declare. No I/O."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from services.reporting.breakdown.bridge import ChangedHandsInPeriod, ProductBridge
from services.reporting.breakdown.concentration import MarketConcentration
from services.reporting.breakdown.fees import FeeLine
from services.reporting.breakdown.flagged import FlaggedPart
from services.reporting.breakdown.months import Month
from services.reporting.breakdown.splits import MemberLine, Members, SidedLine
from services.reporting.breakdown.variance import ProductVariance
from services.reporting.findings import WashFinding
from services.reporting.sheet import Column, Sheet, Value, columns_of, rows_of

Line = Mapping[str, Any]

_LINE = Column("line", "text", "Line", "行", "`product` or `total`.")
_TOTAL = {"symbol": "ALL", "name_en": "All products", "name_zh": "合计"}


def breakdown_sheets(found: Line) -> tuple[Sheet, ...]:
    """The tables of a breakdown (`Breakdown.to_json`). They name no member."""
    ladder, effects = found["ladder"], found["effects"]
    return (
        _with_total("ladder", "Gross to taken out", "总额至出库", ProductBridge, ladder["products"], ladder["ladder"]),
        _hands(ladder),
        _sheet("months", "Months and their plan", "各月与计划", Month, found["months"]["months"]),
        _sheet("ranked_members", "Members by rank", "会员排名", SidedLine, found["members"]["lines"]),
        _sheet("concentration", "Concentration", "集中度", MarketConcentration, found["concentration"]["markets"]),
        _with_total(
            "effects", "Against last year", "与上年相比", ProductVariance, effects["products"], effects["total"]
        ),
        _fees(found["fees"]),
        _sheet("flagged", "Flagged by the screen", "筛查标记", FlaggedPart, found["flagged"]["parts"]),
    )


def named_sheets(members: Members, findings: Sequence[WashFinding]) -> tuple[Sheet, ...]:
    """The tables that name members."""
    lines = [{**one.to_json(), "members": "; ".join(one.members)} for one in findings]
    return (
        _sheet("year_members", "Members of the year", "年度会员", MemberLine, members.to_json()["lines"]),
        _sheet("findings", "Findings of the screen", "筛查发现", WashFinding, lines),
    )


def _sheet(name: str, en: str, zh: str, model: type[BaseModel], lines: Sequence[Line]) -> Sheet:
    return Sheet(name, en, zh, columns_of(model), rows_of(model, lines))


def _with_total(name: str, en: str, zh: str, model: type[BaseModel], products: Sequence[Line], total: Line) -> Sheet:
    """The products, and a last line that adds them up, of which some columns may be empty."""
    rows = (*_lines("product", model, products), *_lines("total", model, [{**_TOTAL, **total}]))
    return Sheet(name, en, zh, (_LINE, *columns_of(model)), rows)


def _lines(line: str, model: type[BaseModel], parts: Sequence[Line]) -> Iterator[tuple[Value, ...]]:
    return ((line, *row) for row in rows_of(model, parts))


def _hands(ladder: Line) -> Sheet:
    about = "`whole_year`, `recent` (the last 20 days) or `day` (the last one): each as one period."
    periods = [(name, ladder[name]) for name in ("whole_year", "recent", "day") if ladder[name] is not None]
    rows = tuple(row for name, period in periods for row in _lines(name, ChangedHandsInPeriod, [period]))
    columns = (Column("period", "text", "Period", "时段", about), *columns_of(ChangedHandsInPeriod))
    return Sheet("changed_hands", "Changed hands", "实际换手", columns, rows)


def _fees(fees: Line) -> Sheet:
    about = "`product`, `class` (account class), `total`; `without_vat` and `vat` are the two parts of the total."
    columns = (Column("line", "text", "Line", "行", about), *columns_of(FeeLine))
    whole = (("total", "fees"), ("without_vat", "without_vat"), ("vat", "vat"))
    rows = (
        *_lines("product", FeeLine, fees["products"]),
        *_lines("class", FeeLine, fees["classes"]),
        *((line, "ALL", fees[name], None) for line, name in whole),
    )
    return Sheet("fees", "Fee income", "手续费收入", columns, rows)
