"""Sheets as an XLSX workbook: numbers are numbers, dates are dates, and a last sheet holds the seal and the counting rule.

A cell of XLSX is a binary float of 15 exact digits. An amount with more digits is written as text, so that it stays exact.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from services.reporting.exports.seal import Seal
from services.reporting.sheet import Column, Sheet, Value

EXACT_DIGITS = 15
HEADER_ROW = 3
"""The row of each sheet but the last that names its columns, from 1."""
_NUMBER = re.compile(r"-?\d+(\.\d+)?", re.ASCII)
_TITLE = {"bold": True, "font_size": 14, "font_color": "#0B3D5C"}
_HEAD = {
    "bold": True, "text_wrap": True, "valign": "vcenter", "align": "center", "font_color": "#FFFFFF", "bg_color": "#0B3D5C",
    "border": 1, "border_color": "#0B3D5C",
}  # fmt: skip
_BODY = {"bottom": 4, "bottom_color": "#B8C4CC"}


@dataclass(frozen=True)
class LineChart:
    """A chart of columns of the sheet of this name, drawn beside it; the first column is the axis."""

    sheet: str
    title: str
    columns: tuple[str, ...]


def xlsx_bytes(title: str, sheets: Sequence[Sheet], seal: Seal, charts: Sequence[LineChart] = ()) -> bytes:
    """The workbook's bytes; equal for equal sheets and seal."""
    import xlsxwriter

    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    # The time of the position, not of the making: the same position makes the same bytes.
    made = datetime.fromtimestamp(seal.as_of_ns // 1_000_000_000, UTC).replace(tzinfo=None)
    book.set_properties({"title": title, "author": "REX", "created": made, "comments": "\n".join(seal.lines()[:2])})
    for name, value in (
        ("seq", str(seal.seq)),
        ("row_hash", seal.row_hash.hex()),
        ("journal_id", seal.journal_id.hex()),
    ):
        book.set_custom_property(name, value)
    formats = _Formats(book)
    for sheet in sheets:
        page = book.add_worksheet(f"{sheet.en} {sheet.zh}"[:31])
        _fill(page, sheet, formats)
        for chart in charts:
            if chart.sheet == sheet.name and sheet.rows:
                _draw(book, page, sheet, chart)
    _about(book.add_worksheet("About 说明"), title, seal, formats)
    book.close()
    return out.getvalue()


class _Formats:
    """The cell formats of a workbook, each made once."""

    def __init__(self, book: Any) -> None:
        self._book = book
        self._made: dict[str, Any] = {}

    def of(self, key: str, **properties: Any) -> Any:
        if key not in self._made:
            self._made[key] = self._book.add_format({"font_name": "Noto Sans SC", "font_size": 10, **properties})
        return self._made[key]


def _fill(page: Any, sheet: Sheet, formats: _Formats) -> None:
    page.write_string(0, 0, f"{sheet.en} {sheet.zh}", formats.of("title", **_TITLE))
    head = formats.of("head", **_HEAD)
    page.set_row(HEADER_ROW - 1, 44)
    for number, column in enumerate(sheet.columns):
        page.write_string(HEADER_ROW - 1, number, f"{column.zh}\n{column.en}", head)
        page.set_column(number, number, _width(column, [row[number] for row in sheet.rows]))
    for place, row in enumerate(sheet.rows, start=HEADER_ROW):
        for number, (column, value) in enumerate(zip(sheet.columns, row, strict=True)):
            _write(page, place, number, column, value, formats)
    page.freeze_panes(3, 1)
    page.set_landscape()
    page.set_paper(9)
    page.fit_to_pages(1, 0)
    page.repeat_rows(2)
    page.print_area(0, 0, 2 + len(sheet.rows), len(sheet.columns) - 1)  # without a chart beside it
    if sheet.rows:
        page.autofilter(2, 0, 2 + len(sheet.rows), len(sheet.columns) - 1)


def _write(page: Any, row: int, number: int, column: Column, value: Value, formats: _Formats) -> None:
    text = formats.of("text", **_BODY)
    if value is None:
        page.write_blank(row, number, None, text)
    elif column.kind == "date" and value:
        day = formats.of("date", num_format="yyyy-mm-dd", align="left", **_BODY)
        page.write_datetime(row, number, datetime.combine(date.fromisoformat(str(value)), datetime.min.time()), day)
    elif column.kind in ("integer", "decimal") and _is_exact(value):
        decimals = len(str(value).partition(".")[2])
        pattern = "#,##0" + ("." + "0" * decimals if decimals else "")
        page.write_number(row, number, Decimal(value), formats.of(pattern, num_format=pattern, **_BODY))
    else:
        page.write_string(row, number, str(value), text)


def _is_exact(value: Value) -> bool:
    """Whether it is a number that a cell holds exactly."""
    text = str(value)
    return _NUMBER.fullmatch(text) is not None and sum(map(str.isdigit, text.lstrip("-0."))) <= EXACT_DIGITS


def _width(column: Column, values: Sequence[Value]) -> int:
    """Characters; a Chinese one takes two, and a number has its separators."""
    longest = max((sum(2 if ord(c) > 0x2E80 else 1 for c in str(v)) + len(str(v)) // 6 for v in values), default=0)
    return min(max(longest + 2, len(max(column.en.split(), key=len)) + 3, 2 * len(column.zh) + 2, 10), 44)


def _draw(book: Any, page: Any, sheet: Sheet, chart: LineChart) -> None:
    names = [column.name for column in sheet.columns]
    drawing = book.add_chart({"type": "line"})
    last = 2 + len(sheet.rows)
    for name in chart.columns:
        place = names.index(name)
        drawing.add_series(
            {
                "name": f"{sheet.columns[place].en} {sheet.columns[place].zh}",
                "categories": [page.get_name(), 3, 0, last, 0],
                "values": [page.get_name(), 3, place, last, place],
            }
        )
    drawing.set_title({"name": chart.title, "name_font": {"size": 12}})
    drawing.set_legend({"position": "bottom"})
    drawing.set_y_axis({"display_units": "hundred_millions", "num_format": "0", "name": "亿元 (100 M yuan)"})
    drawing.set_x_axis({"date_axis": True, "num_format": "yyyy-mm", "major_unit": 1, "major_unit_type": "months"})
    drawing.show_blanks_as("gap")
    drawing.set_size({"width": 900, "height": 420})
    page.insert_chart(3, len(sheet.columns) + 1, drawing)


def _about(page: Any, title: str, seal: Seal, formats: _Formats) -> None:
    page.write_string(0, 0, title, formats.of("title", **_TITLE))
    page.set_column(0, 0, 120)
    wrapped = formats.of("wrapped", text_wrap=True, valign="top")
    for row, line in enumerate(seal.lines(), start=2):
        page.write_string(row, 0, line, wrapped)
