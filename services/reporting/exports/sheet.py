"""A table of a report, in no format yet: columns with their names in English and Chinese, and rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from pydantic import BaseModel

Kind = Literal["text", "date", "integer", "decimal", "time"]
"""How the values of a column are written. Dates are yyyy-mm-dd, decimals and times decimal strings and RFC 3339, both exact."""

Value = str | int | None
"""The value of a cell; None: there is none."""


@dataclass(frozen=True)
class Column:
    """A column. `name` is for programs, `en` and `zh` head it for people, `about` describes it in one sentence."""

    name: str
    kind: Kind
    en: str
    zh: str
    about: str = ""


class Shown(NamedTuple):
    """Marks a field of a pydantic model as a column: `Annotated[str, Shown("decimal", "High", "最高价")]`."""

    kind: Kind
    en: str
    zh: str


@dataclass(frozen=True)
class Sheet:
    """A table with its title. Each row has a value for each column."""

    name: str
    en: str
    zh: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Value, ...], ...]


def columns_of(model: type[BaseModel]) -> tuple[Column, ...]:
    """The columns of a model: its fields that are marked with `Shown`, in order."""
    return tuple(
        Column(name, mark.kind, mark.en, mark.zh, field.description or "")
        for name, field in model.model_fields.items()
        for mark in field.metadata
        if isinstance(mark, Shown)
    )


def sheet_of(name: str, en: str, zh: str, model: type[BaseModel], lines: Sequence[BaseModel]) -> Sheet:
    """A sheet with a row for each document of this model."""
    columns = columns_of(model)
    rows = tuple(tuple(getattr(line, column.name) for column in columns) for line in lines)
    return Sheet(name, en, zh, columns, rows)


def dated(sheet: Sheet, name: str, en: str, zh: str, parts: Sequence[tuple[str, Sheet]]) -> Sheet:
    """The rows of many sheets with the columns of `sheet` in one, each after a first column with the date of its part."""
    first = Column(name, "text" if name == "month" else "date", en, zh, "The day or month that the line is about.")
    rows = tuple((date, *row) for date, part in parts for row in part.rows)
    return Sheet(sheet.name, sheet.en, sheet.zh, (first, *sheet.columns), rows)
