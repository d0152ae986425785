"""What was planted in a simulated year, for those who test a screen against it, and what a demo's traders held at its end: the
file `simulated-year.json`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

LABELS_FILE = "simulated-year.json"
"""The file of a data folder that says that its venue is simulated, how, and what was planted."""


@dataclass
class Labels:
    """Dates are yyyymmdd, times nanoseconds since 1970, accounts and trades their ids. 0 and empty: not in these days."""

    year: int
    seed: int
    commands: int
    reach: str
    days: int
    simulated: bool = True
    ring_accounts: list[int] = field(default_factory=list)
    ring_trade_ids: list[int] = field(default_factory=list)
    busted_trade_id: int = 0
    volatility_auction_date: int = 0
    volatility_auction_symbol: str = ""
    outage_from_ns: int = 0
    outage_to_ns: int = 0
    held_at_end: dict[str, dict[str, int]] = field(default_factory=dict)
    """Of each member that a demo's traders continue with, by name: its lots of each symbol."""

    def to_bytes(self) -> bytes:
        """The file's bytes: one JSON object."""
        document: dict[str, Any] = asdict(self)
        return (json.dumps(document, indent=2) + "\n").encode()


def held_at_end(data_dir: Path) -> Mapping[str, Mapping[str, int]]:
    """The lots that members held when the history of this folder's venue ended, by name and symbol; empty without a history."""
    try:
        document = json.loads((data_dir / LABELS_FILE).read_bytes())
    except FileNotFoundError:
        return {}
    held: dict[str, dict[str, int]] = document.get("held_at_end", {})
    return held
