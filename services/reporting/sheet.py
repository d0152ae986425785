"""A table of a report, in no format yet: columns with their names in English and Chinese, and rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, get_args

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


class ShownParts(NamedTuple):
    """Marks a field whose own model has columns: of `Annotated[Rung, ShownParts("Net", "净额")]` one is `net_amount`."""

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
    """The columns of a model, in order: its fields that are marked with `Shown`, and those of fields marked `ShownParts`."""
    return tuple(column for column, _ in _placed(model))


def sheet_of(name: str, en: str, zh: str, model: type[BaseModel], lines: Sequence[BaseModel]) -> Sheet:
    """A sheet with a row for each document of this model."""
    return Sheet(name, en, zh, columns_of(model), rows_of(model, [line.model_dump(mode="json") for line in lines]))


def rows_of(model: type[BaseModel], lines: Sequence[Mapping[str, Any]]) -> tuple[tuple[Value, ...], ...]:
    """The rows of these fields of documents of the model. What a line has not is empty."""
    places = [place for _, place in _placed(model)]
    return tuple(tuple(_value(line, place) for place in places) for line in lines)


def _placed(model: type[BaseModel]) -> Iterator[tuple[Column, tuple[str, ...]]]:
    """Each column, and by which fields a document leads to its value."""
    for inside, field in model.model_fields.items():
        name = field.serialization_alias or inside
        for mark in field.metadata:
            if isinstance(mark, Shown):
                yield Column(name, mark.kind, mark.en, mark.zh, field.description or ""), (name,)
            elif isinstance(mark, ShownParts):
                part = field.annotation if isinstance(field.annotation, type) else get_args(field.annotation)[0]
                for column, place in _placed(part):
                    about = " ".join(filter(None, (field.description, column.about)))
                    en, zh = f"{mark.en}: {column.en}", f"{mark.zh}：{column.zh}"
                    yield Column(f"{name}_{column.name}", column.kind, en, zh, about), (name, *place)


def _value(line: Mapping[str, Any], place: Sequence[str]) -> Value:
    found: Any = line
    for name in place:
        found = None if found is None else found.get(name) if isinstance(found, Mapping) else getattr(found, name)
    return found  # type: ignore[no-any-return]


def dated(sheet: Sheet, name: str, en: str, zh: str, parts: Sequence[tuple[str, Sheet]]) -> Sheet:
    """The rows of many sheets with the columns of `sheet` in one, each after a first column with the date of its part."""
    first = Column(name, "text" if name == "month" else "date", en, zh, "The day or month that the line is about.")
    rows = tuple((date, *row) for date, part in parts for row in part.rows)
    return Sheet(sheet.name, sheet.en, sheet.zh, (first, *sheet.columns), rows)
