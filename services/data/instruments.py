"""The instruments that REX ships with: a CSV file, checked when it is read. DataFileError names file, line and reason."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, Literal, cast, get_args

from pydantic import WithJsonSchema

Category = Literal["magnetic_material", "deep_processed"]
Unit = Literal["kg", "t"]
PriceSource = Literal["sourced", "assumed"]

TERMS_ARE_ASSUMED = "Lot size, tick size and price band are assumptions of this project, not a venue's published terms."
"""The end of every instrument's note, so that the API and the pages show it beside the numbers."""

COLUMNS = (
    "symbol", "name_en", "name_zh", "category", "family", "unit", "lot_size", "tick_size_yuan", "band_percent",
    "reference_price_yuan", "reference_price_source", "spec", "note",
)  # fmt: skip
SYMBOL_PATTERN = "[A-Z0-9][A-Z0-9-]{0,15}"
"""The form of a symbol. It is part of addresses, of file names and of a target's scope."""
Symbol = Annotated[str, WithJsonSchema({"type": "string", "pattern": f"^{SYMBOL_PATTERN}$"})]
"""A symbol in a request, as the documents state it. Another text is no listed instrument, and is refused as such."""
SYMBOL_OR_ALL = rf"^(\*|{SYMBOL_PATTERN})$"
"""The form of a symbol, or `*` for every instrument."""

_SHIPPED = Path(__file__).with_name("instruments.csv")


class DataFileError(ValueError):
    """A line of a data file is invalid."""

    def __init__(self, path: Path, line: int, reason: str) -> None:
        super().__init__(f"{path.name}, line {line}: {reason}")


@dataclass(frozen=True)
class InstrumentFacts:
    """One line of the instruments file. Prices are in yuan per `unit`; a lot is `lot_size` units."""

    symbol: str
    name_en: str
    name_zh: str
    category: Category
    family: str
    unit: Unit
    lot_size: int
    tick_size: Decimal
    band_ppm: int
    reference_price: Decimal
    reference_price_source: PriceSource
    spec: str
    note: str

    @property
    def tick_value_fen(self) -> int:
        """The value of one tick on one lot, in fen."""
        return int(self.tick_size * self.lot_size * 100)

    @property
    def reference_ticks(self) -> int:
        """The reference price in ticks."""
        return int(self.reference_price / self.tick_size)


def load_instruments(path: Path = _SHIPPED) -> tuple[InstrumentFacts, ...]:
    """The instruments of a CSV file with `COLUMNS`, in file order. Raises DataFileError."""
    seen: set[str] = set()
    found = []
    for line, fields in _lines(path):
        try:
            facts = _facts(fields)
        except ValueError as error:
            raise DataFileError(path, line, str(error)) from error
        if facts.symbol in seen:
            raise DataFileError(path, line, f"{facts.symbol} is listed twice")
        seen.add(facts.symbol)
        found.append(facts)
    return tuple(found)


def _lines(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file, restval="")
        if tuple(reader.fieldnames or ()) != COLUMNS:
            raise DataFileError(path, 1, f"the columns must be {','.join(COLUMNS)}")
        for fields in reader:
            if None in fields:
                raise DataFileError(path, reader.line_num, "more values than columns")
            if empty := [column for column, value in fields.items() if not value.strip()]:
                raise DataFileError(path, reader.line_num, f"no value for {', '.join(empty)}")
            yield reader.line_num, fields


def _facts(fields: dict[str, str]) -> InstrumentFacts:
    """Checks what the engine relies on: a tick of a lot is a whole number of fen, the reference price a whole number of
    ticks."""
    if not re.fullmatch(SYMBOL_PATTERN, fields["symbol"]):
        raise ValueError("symbol must be 1 to 16 characters of A-Z, 0-9 and -")
    for column, allowed in (("category", Category), ("unit", Unit), ("reference_price_source", PriceSource)):
        if fields[column] not in get_args(allowed):
            raise ValueError(f"{column} must be one of {', '.join(get_args(allowed))}")
    lot_size = int(_positive(fields, "lot_size"))
    tick_size, reference = _positive(fields, "tick_size_yuan"), _positive(fields, "reference_price_yuan")
    band_ppm = _positive(fields, "band_percent") * 10_000
    if lot_size != Decimal(fields["lot_size"]):
        raise ValueError("lot_size must be a whole number")
    if tick_size * lot_size * 100 % 1:
        raise ValueError("a tick of a lot must be a whole number of fen")
    if reference % tick_size:
        raise ValueError("reference_price_yuan must be a multiple of tick_size_yuan")
    if band_ppm % 1 or band_ppm >= 1_000_000:
        raise ValueError("band_percent must be below 100, with at most four decimals")
    return InstrumentFacts(
        symbol=fields["symbol"],
        name_en=fields["name_en"],
        name_zh=fields["name_zh"],
        category=cast(Category, fields["category"]),
        family=fields["family"],
        unit=cast(Unit, fields["unit"]),
        lot_size=lot_size,
        tick_size=tick_size,
        band_ppm=int(band_ppm),
        reference_price=reference,
        reference_price_source=cast(PriceSource, fields["reference_price_source"]),
        spec=fields["spec"],
        note=f"{fields['note']}. {TERMS_ARE_ASSUMED}",
    )


def _positive(fields: dict[str, str], column: str) -> Decimal:
    try:
        value = Decimal(fields[column])
    except InvalidOperation as error:
        raise ValueError(f"{column} must be a decimal number") from error
    if not value.is_finite() or value <= 0:
        raise ValueError(f"{column} must be above zero")
    return value
