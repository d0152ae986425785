"""`datapackage.json` lists the files of an export with their columns, sizes and hashes (Data Package, datapackage.org).

It has no time of its own: `created` is the time of the position.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from services.reporting.exports.csv_file import HOW_TEXTS_ARE_WRITTEN
from services.reporting.exports.seal import COUNTING_RULE_ZH, Seal
from services.reporting.sheet import Column, Kind
from services.values.times import time_text

NAME = "datapackage.json"

_MEDIA_TYPES = {
    "csv": "text/csv",
    "json": "application/json",
    "parquet": "application/vnd.apache.parquet",
    "pdf": "application/pdf",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
_TYPES: dict[Kind, str] = {
    "text": "string", "date": "date", "integer": "integer", "decimal": "number", "time": "datetime",
}  # fmt: skip


@dataclass(frozen=True)
class Resource:
    """A file of the export."""

    path: str
    title: str
    bytes: int
    sha256: str
    columns: tuple[Column, ...] = ()
    rows: int | None = None
    """None: it is no table."""
    header_row: int | None = None
    """The row with the names of the columns, from 1; in a workbook that of each sheet but the last. None: it has none."""

    @property
    def extension(self) -> str:
        """The last part of its name: its format."""
        return self.path.rpartition(".")[2]

    def to_json(self) -> dict[str, Any]:
        """The resource of the descriptor."""
        found: dict[str, Any] = {
            "name": self.path.replace(".", "-").lower(),
            "path": self.path,
            "title": self.title,
            "format": self.extension,
            "mediatype": _MEDIA_TYPES[self.extension],
            # Frictionless counts no bytes of a Parquet file, and takes any count for a wrong one; the hash is for all.
            **({} if self.extension == "parquet" else {"bytes": self.bytes}),
            "hash": f"sha256:{self.sha256}",
        }
        if self.extension == "csv":
            found |= {"description": HOW_TEXTS_ARE_WRITTEN, "encoding": "utf-8"}
        if self.header_row is not None:
            found["dialect"] = self._dialect(self.header_row)
        if self.columns:
            found |= {"profile": "tabular-data-resource", "rows": self.rows, "schema": _schema(self.columns)}
        return found

    def _dialect(self, header_row: int) -> dict[str, Any]:
        of_csv = {"delimiter": ",", "commentChar": "#"} if self.extension == "csv" else {}
        # Comment lines count as rows, too: without the number a reader takes the first of them for the header.
        return {**of_csv, "header": True, "headerRows": [header_row]}


def _schema(columns: Sequence[Column]) -> dict[str, Any]:
    fields = []
    for column in columns:
        title = " ".join(dict.fromkeys(word for word in (column.en, column.zh) if word))
        about = {"description": column.about} if column.about else {}
        fields.append({"name": column.name, "type": _TYPES[column.kind], "title": title, **about})
    return {"fields": fields, "missingValues": [""]}


def media_type_of(extension: str) -> str:
    """The media type of files of this extension."""
    return _MEDIA_TYPES[extension]


def digest_of(data: bytes) -> str:
    """SHA-256 in hex."""
    return sha256(data).hexdigest()


def datapackage_bytes(year: int, seal: Seal, checked: str, resources: Sequence[Resource]) -> bytes:
    """The descriptor. `checked` says what was checked for the export."""
    document = {
        "$schema": "https://datapackage.org/profiles/2.0/datapackage.json",
        "name": f"rex-{year}",
        "title": f"REX {year}",
        "created": time_text(seal.as_of_ns),
        **seal.facts(),
        "counting_rule_zh": COUNTING_RULE_ZH,
        "checked": checked,
        "resources": [resource.to_json() for resource in resources],
    }
    return json.dumps(document, ensure_ascii=False, indent=1).encode() + b"\n"
