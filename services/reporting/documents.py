"""What the documents of reports are made of: how integers inside become text outside, and sums of rows.

A document is computed and kept in integers: fen, kilograms, nanoseconds, dates yyyymmdd, and exact fractions. It serialises
itself. Amounts become decimal strings in yuan, exact to the fen; tonnes have three decimals; shares are decimal fractions with
six decimals, rounded half up; dates are yyyy-mm-dd (trading days, Asia/Shanghai). Outside, a name lacks the unit that it ends
with inside: `amount_fen` is `amount`, and `kilograms` are `tonnes`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from fractions import Fraction
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import AliasGenerator, BaseModel, ConfigDict, Field, PlainSerializer

from services.reporting.queries import Values
from services.values.decimals import fixed_text, fraction_text, yuan_text
from services.values.times import date_text, time_text


def outside(name: str) -> str:
    """The name of a field in JSON."""
    return name.removesuffix("_fen").removesuffix("_ns").replace("kilograms", "tonnes")


def tonnes_text(kilograms: int) -> str:
    """Kilograms as tonnes with three decimals."""
    return fixed_text(kilograms, 3)


def ratio_text(ratio: Fraction) -> str:
    """A fraction with six decimals, rounded half up."""
    return fraction_text(ratio, 6)


def ratio(part: int, whole: int) -> Fraction:
    """part / whole; zero where the whole is zero."""
    return Fraction(part, whole or 1)


def decimal(decimals: int, times: Fraction | int = 1) -> PlainSerializer:
    """Writes a number × `times` with so many decimals, rounded half up."""

    def text(number: Fraction) -> str:
        return fraction_text(number * times, decimals)

    return PlainSerializer(text, return_type=str)


Yuan = Annotated[int, PlainSerializer(yuan_text, return_type=str)]
"""Fen."""
Tonnes = Annotated[int, PlainSerializer(tonnes_text, return_type=str)]
"""Kilograms."""
Permille = Annotated[int, PlainSerializer(lambda permille: fixed_text(permille, 3), return_type=str)]
"""Thousandths."""
Ratio = Annotated[Fraction, PlainSerializer(ratio_text, return_type=str)]
Date = Annotated[int, PlainSerializer(date_text, return_type=str)]
"""yyyymmdd; 0 is an empty text."""
Time = Annotated[int, PlainSerializer(time_text, return_type=str)]
"""Nanoseconds since 1970 UTC."""
Hash = Annotated[bytes, PlainSerializer(bytes.hex, return_type=str)]
CalendarSource = Annotated[
    Literal["published", "assumed"],
    Field(
        description="`assumed`: the calendar of this year is not published; its days are assumed from holidays of others."
    ),
]
"""Of every document with a figure that depends on the year's trading days."""


class Document(BaseModel):
    """An answer, or a part of one."""

    model_config = ConfigDict(
        frozen=True, serialize_by_alias=True, alias_generator=AliasGenerator(serialization_alias=outside)
    )

    def to_json(self) -> dict[str, Any]:
        """The document as JSON values."""
        return self.model_dump(mode="json")


def seal(position: Values) -> dict[str, Any]:
    """The fields by which a document says at which position it is exact, from a row of the table `position`."""
    names = ("seq", "row_hash", "journal_id", "trading_date")
    return {"as_of_ns": position["time_ns"], **{name: position[name] for name in names}}


Key = TypeVar("Key")
Part = TypeVar("Part")


def by_key(parts: Iterable[tuple[Key, Part]]) -> dict[Key, list[Part]]:
    """The parts with the same key, in the order of the first of each."""
    found: defaultdict[Key, list[Part]] = defaultdict(list)
    for key, part in parts:
        found[key].append(part)
    return dict(found)


def summed(parts: Iterable[tuple[Key, int]]) -> dict[Key, int]:
    """The sums of the values with the same key."""
    found: dict[Key, int] = {}
    for key, value in parts:
        found[key] = found.get(key, 0) + value
    return found


class Sums(Document):
    """Integers that all add up."""

    @classmethod
    def total(cls, parts: Iterable[Self]) -> Self:
        """The sum of the parts; zeros of none."""
        lines = tuple(parts)
        return cls(**{name: sum([getattr(line, name) for line in lines]) for name in cls.model_fields})

    @classmethod
    def totals(cls, parts: Iterable[tuple[Key, Self]]) -> dict[Key, Self]:
        """The sums of the parts with the same key."""
        return {key: cls.total(lines) for key, lines in by_key(parts).items()}
