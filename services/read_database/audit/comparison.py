"""A table of the read database compared with how it should be, row by row and column by column."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Any, NamedTuple

MAX_DIFFERENCES = 20
"""How many are named."""

Rows = list[Any]
"""Tuples, the key first, in the order of the key."""


class Table(NamedTuple):
    """A table as it should be; `query` gives the key and the columns as they are."""

    label: str
    """What a row is called, to be filled in with its key."""
    columns: list[str]
    query: str
    true: Rows
    source: str = "engine"
    key_columns: int = 1


def compare(connection: sqlite3.Connection, table: Table) -> Iterator[str]:
    """What differs, a sentence each. Raises sqlite3.Error where the file cannot be read."""
    found = connection.execute(table.query).fetchall()
    if found == table.true:
        return
    ours, theirs = _by_key(found, table.key_columns), _by_key(table.true, table.key_columns)
    for key, row in theirs.items():
        there = ours.get(key)
        if there is None:
            yield f"{table.label.format(*key)} is missing in the read database"
            continue
        for name, one, other in zip(table.columns, there, row, strict=True):
            if one != other:
                difference = f"{name} {_shown(one)} in the read database, {_shown(other)} in the {table.source}"
                yield f"{table.label.format(*key)}: {difference}"
    for key in ours:
        if key not in theirs:
            yield f"{table.label.format(*key)} is in the read database, not in the {table.source}"


def _by_key(rows: Rows, key_columns: int) -> dict[Any, Any]:
    return {row[:key_columns]: row[key_columns:] for row in rows}


def _shown(value: object) -> str:
    return value.hex()[:16] if isinstance(value, bytes) else str(value)[:60]
