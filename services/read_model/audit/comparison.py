"""Compares a table of the read database with its true rows, column by column."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Any, NamedTuple

MAX_DIFFERENCES = 20
"""How many differences are listed."""

Rows = list[Any]
"""Tuples with the key first, sorted by the key."""


class Table(NamedTuple):
    """The true rows of a table; `query` reads key and columns from the read database."""

    label: str
    """Format of a row's name; its key fills the braces."""
    columns: list[str]
    query: str
    true: Rows
    source: str = "engine"
    key_columns: int = 1


def compare(connection: sqlite3.Connection, table: Table) -> Iterator[str]:
    """The differences, one sentence each. Raises sqlite3.Error where the file cannot be read."""
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
                difference = f"{name} {shown(one)} in the read database, {shown(other)} in the {table.source}"
                yield f"{table.label.format(*key)}: {difference}"
    for key in ours:
        if key not in theirs:
            yield f"{table.label.format(*key)} is in the read database, not in the {table.source}"


def _by_key(rows: Rows, key_columns: int) -> dict[Any, Any]:
    return {row[:key_columns]: row[key_columns:] for row in rows}


def shown(value: object) -> str:
    """A value in a sentence."""
    return value.hex()[:16] if isinstance(value, bytes) else str(value)[:60]
