"""Trades and audit trail as Parquet: exact decimals and nanoseconds, the seal in the file's metadata, written part by part."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import cache
from io import BytesIO
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, NamedTuple

import numpy as np

from services.reporting.exports.seal import Seal
from services.reporting.sheet import Column, Kind, Sheet, Value

if TYPE_CHECKING:
    import pyarrow as pa

ROWS_OF_A_GROUP = 65_536

Stored = Literal["int64", "string", "date", "time", "yuan", "price", "decimal"]
"""How a column is stored: `yuan` takes fen, `price` millionths of a yuan, `decimal` a Decimal, `date` yyyymmdd, `time`
nanoseconds."""

_KINDS: dict[Stored, Kind] = {
    "int64": "integer", "string": "text", "date": "date", "time": "time", "yuan": "decimal", "price": "decimal",
    "decimal": "decimal",
}  # fmt: skip
_SCALES: dict[str, int] = {"yuan": 2, "price": 6}
_DIGITS = 19
_SHEET_DECIMAL = 38, 6
"""Digits and decimals of the decimal columns of a sheet, whatever is in them: two years have columns of the same types."""
_OF_SHEETS: dict[Kind, Stored] = {
    "text": "string", "date": "date", "integer": "int64", "decimal": "decimal", "time": "string",
}  # fmt: skip


class StreamedColumns(NamedTuple):
    """The columns of a file that is written part by part: name, storage, what it holds."""

    fields: tuple[tuple[str, Stored, str], ...]

    def columns(self) -> tuple[Column, ...]:
        """The columns as the descriptor of the files lists them."""
        return tuple(Column(name, _KINDS[stored], name, "", about) for name, stored, about in self.fields)


class ParquetFile:
    """Collects rows and writes them in groups; the file ends with `close`. Raises the errors of the file."""

    def __init__(self, file: BinaryIO, stream: StreamedColumns, seal: Seal, about: str) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        facts: dict[bytes | str, bytes | str] = {
            "about": about,
            **{f"rex.{name}": str(value) for name, value in seal.facts().items()},
            "pandas": _for_pandas(stream),
        }
        schema = pa.schema(
            [
                pa.field(name, _type_of(stored), metadata={"description": text} if text else None)
                for name, stored, text in stream.fields
            ],
            metadata=facts,
        )
        self._stream, self._schema = stream, schema
        self._writer = pq.ParquetWriter(file, schema, compression="zstd")
        self._rows: list[Sequence[Any]] = []
        self._groups = 0
        self.rows_added = 0

    def add(self, rows: Iterable[Sequence[Any]]) -> None:
        """Adds rows with a value for each column."""
        before = len(self._rows)
        self._rows += rows
        self.rows_added += len(self._rows) - before
        while len(self._rows) >= ROWS_OF_A_GROUP:
            self._write(self._rows[:ROWS_OF_A_GROUP])
            del self._rows[:ROWS_OF_A_GROUP]

    def close(self) -> None:
        """Writes what is left, and the file's end."""
        if self._rows or not self._groups:
            self._write(self._rows)
        self._writer.close()

    def abandon(self) -> None:
        """Writes nothing more: the file is of no use, or closed."""
        self._writer.is_open = False  # otherwise it writes the file's end when it is collected

    def _write(self, rows: Sequence[Sequence[Any]]) -> None:
        import pyarrow as pa

        values = list(zip(*rows, strict=True)) or [()] * len(self._stream.fields)
        arrays = [_array(stored, of) for (_, stored, _), of in zip(self._stream.fields, values, strict=True)]
        self._writer.write_table(pa.Table.from_arrays(arrays, schema=self._schema))
        self._groups += 1


def parquet_bytes(sheet: Sheet, seal: Seal) -> bytes:
    """A sheet as a file, with its title in both languages."""
    stream = StreamedColumns(tuple((column.name, _OF_SHEETS[column.kind], column.about) for column in sheet.columns))
    out = BytesIO()
    file = ParquetFile(out, stream, seal, f"{sheet.en} {sheet.zh}".rstrip())
    kinds = [column.kind for column in sheet.columns]
    file.add([_stored(kind, value) for kind, value in zip(kinds, row, strict=True)] for row in sheet.rows)
    file.close()
    return out.getvalue()


def _stored(kind: Kind, value: Value) -> Decimal | str | int | None:
    match kind:
        case "decimal":
            return None if value is None else Decimal(value)
        case "date":
            return None if value is None else int(str(value).replace("-", ""))
        case _:
            return value


def _for_pandas(stream: StreamedColumns) -> str:
    """The metadata by which pandas reads a column of integers with empty cells as integers. Otherwise it makes floats of them:
    ids beyond 2⁵³ would be rounded, and empty ones be NaN."""
    of_column = {"pandas_type": "int64", "numpy_type": "Int64", "metadata": None}
    columns = [
        {"name": name, "field_name": name, **of_column} for name, stored, _ in stream.fields if stored == "int64"
    ]
    return json.dumps({"index_columns": [], "column_indexes": [], "columns": columns})


def _type_of(stored: Stored) -> pa.DataType:
    import pyarrow as pa

    types: dict[Stored, Callable[[], pa.DataType]] = {
        "int64": pa.int64,
        "string": pa.string,
        "date": pa.date32,
        "time": lambda: pa.timestamp("ns", tz="UTC"),
        "yuan": lambda: pa.decimal128(_DIGITS, _SCALES["yuan"]),
        "price": lambda: pa.decimal128(_DIGITS, _SCALES["price"]),
        "decimal": lambda: pa.decimal128(*_SHEET_DECIMAL),
    }
    return types[stored]()


def _array(stored: Stored, values: Sequence[Any]) -> pa.Array[Any]:
    import pyarrow as pa

    if stored in _SCALES:
        return _decimals(values, _type_of(stored))
    if stored == "date":
        return pa.array([None if value is None else _days(value) for value in values], pa.int32()).cast(pa.date32())
    return pa.array(values, _type_of(stored))


def _decimals(values: Sequence[int | None], kind: pa.DataType) -> pa.Array[Any]:
    """Whole numbers of the last decimal as exact decimals: each is stored as 128 bits, little-endian."""
    import pyarrow as pa

    words = np.empty((len(values), 2), "<i8")
    words[:, 0] = [0 if value is None else value for value in values]
    words[:, 1] = words[:, 0] >> 63
    present = np.packbits(np.array([value is not None for value in values], bool), bitorder="little")
    buffers: list[pa.Buffer | None] = [pa.py_buffer(present.tobytes()), pa.py_buffer(words.tobytes())]
    return pa.Array.from_buffers(kind, len(values), buffers)


@cache
def _days(yyyymmdd: int) -> int:
    """Days since 1970."""
    day = date(yyyymmdd // 10_000, yyyymmdd // 100 % 100, yyyymmdd % 100)
    return day.toordinal() - date(1970, 1, 1).toordinal()


def price_units(instruments: Mapping[int, Mapping[Any, Any]]) -> dict[int, int]:
    """Millionths of a yuan in a tick, by instrument."""
    decimals = _SCALES["price"]
    found = {}
    for number, facts in instruments.items():
        whole, _, fraction = str(facts["tick_size"]).partition(".")
        found[number] = int(whole + fraction.ljust(decimals, "0"))
    return found
