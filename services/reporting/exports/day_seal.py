"""The numbers of a day's bulletin as canonical bytes, and their SHA-256, by which a closed day is known.

The bytes are JSON without spaces, keys sorted, of the fields below: what the day was, not when it was asked for. Whoever has
the bulletin as JSON computes the same hash from it:

    import hashlib, json
    numbers = {"format": 1, **{name: pick(bulletin[name]) for name in ("date", "products", "total", "bought", "sold", "both")}}
    hashlib.sha256(json.dumps(numbers, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()).hexdigest()

where `pick` keeps the fields named here. A bulletin that shows more later keeps its hash; other fields are another format.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from hashlib import sha256
from typing import Any

from services.reporting.exports.schemas import DailyBulletin

FORMAT = 1
PRODUCT = (
    "symbol", "previous_settlement", "open", "high", "low", "close", "settlement", "volume_lots", "volume_tonnes", "turnover",
    "trades",
)  # fmt: skip
TOTAL = ("turnover", "volume_tonnes", "trades")
MEMBER = ("rank", "account", "name", "turnover", "share")
RANKINGS = ("bought", "sold", "both")


def day_numbers(bulletin: Mapping[str, Any]) -> bytes:
    """The canonical bytes of a bulletin as its JSON document says it."""
    numbers = {
        "format": FORMAT,
        "date": bulletin["date"],
        "products": _picked(bulletin["products"], PRODUCT),
        "total": {name: bulletin["total"][name] for name in TOTAL},
        **{ranking: _picked(bulletin[ranking], MEMBER) for ranking in RANKINGS},
    }
    return json.dumps(numbers, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


def day_sha256(bulletin: DailyBulletin) -> str:
    """The hash by which the day is closed, in hex."""
    return sha256(day_numbers(bulletin.to_json())).hexdigest()


def _picked(rows: Iterable[Mapping[str, Any]], names: Collection[str]) -> list[dict[str, Any]]:
    return [{name: row[name] for name in names} for row in rows]
