"""A sheet as CSV: comment lines that begin with #, then the header, then the rows.

A text may come from a member or an operator. No cell that a spreadsheet makes of it begins a formula (OWASP, "CSV Injection").
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Sequence

from services.reporting.exports.seal import Seal
from services.reporting.sheet import Column, Sheet, Value

BYTE_ORDER_MARK = "\ufeff"
"""Spreadsheets need it to read the Chinese names as UTF-8 and not in the system's code page."""

HOW_TEXTS_ARE_WRITTEN = (
    "In columns of type string an apostrophe (') stands before each =, +, -, @, tab and line break that begins a text or "
    "follows a comma, a semicolon, a tab or a line break in it, so that no spreadsheet takes it for a formula. Without that "
    "apostrophe the text is the one that was recorded. Columns of other types hold their values as they are."
)
"""For the descriptor and for the documentation."""

_BEGINS_FORMULA = re.compile(r"(?<![^,;\t\r\n])(?='*[=+\-@\t\r\n])")
"""Where a spreadsheet, by its separator, could begin a cell with a formula. Apostrophes before it are kept apart: one more is
written, so that a reader who removes one has the text again."""
_NEEDS_QUOTES = re.compile(r'[",;\t\r\n]')


def csv_bytes(sheet: Sheet, seal: Seal) -> bytes:
    """A sheet with its title and its seal in the comment lines."""
    return csv_text_of(sheet, (f"REX {sheet.en} {sheet.zh}", *seal.lines())).encode()


def csv_text_of(sheet: Sheet, comments: Iterable[str]) -> str:
    """Begins with a byte order mark, for UTF-8; a missing value is an empty cell."""
    out = io.StringIO()
    out.write(BYTE_ORDER_MARK)
    # Never quoted: readers that skip comments look for # as a line's first character.
    out.writelines(f"# {_comment(line)}\r\n" for line in comments)
    out.write(",".join(column.name for column in sheet.columns) + "\r\n")
    out.writelines(f"{_line(sheet.columns, row)}\r\n" for row in sheet.rows)
    return out.getvalue()


def header_row_of(data: bytes) -> int:
    """The number of the row that names the columns, from 1: the first one that is no comment."""
    lines = data.removeprefix(BYTE_ORDER_MARK.encode()).splitlines()
    return next(number for number, line in enumerate(lines, start=1) if not line.startswith(b"#"))


def _comment(line: str) -> str:
    """A target's name stands in one. A quotation mark after a comma would make a reader take the lines below for one cell."""
    return _neutral(" ".join(line.split()).replace('"', "'"))


def _line(columns: Sequence[Column], row: Sequence[Value]) -> str:
    return ",".join(
        "" if value is None else _text(str(value)) if column.kind == "text" else str(value)
        for column, value in zip(columns, row, strict=True)
    )


def _text(text: str) -> str:
    neutral = _neutral(text)
    if neutral == text and not _NEEDS_QUOTES.search(text):
        return text
    doubled = neutral.replace('"', '""')
    return f'"{doubled}"'


def _neutral(text: str) -> str:
    return _BEGINS_FORMULA.sub("'", text)
