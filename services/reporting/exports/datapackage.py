"""`datapackage.json` lists the files of an export with their columns, sizes and hashes (Data Package, datapackage.org).

It has no time of its own: `created` is the time of the position.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from services.reporting.exports.seal import COUNTING_RULE_ZH, Seal
from services.reporting.exports.sheet import Column, Kind

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
            "bytes": self.bytes,
            "hash": f"sha256:{self.sha256}",
        }
        if self.extension == "csv":
            found |= {"encoding": "utf-8", "dialect": {"delimiter": ",", "commentChar": "#", "header": True}}
        if self.columns:
            found |= {"profile": "tabular-data-resource", "rows": self.rows, "schema": _schema(self.columns)}
        return found


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
        "created": seal.as_of,
        **seal.facts(),
        "counting_rule_zh": COUNTING_RULE_ZH,
        "checked": checked,
        "resources": [resource.to_json() for resource in resources],
    }
    return json.dumps(document, ensure_ascii=False, indent=1).encode() + b"\n"
