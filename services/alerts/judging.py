"""Judges the completed days in a process of its own (`main`), at a low priority, so that no order waits for it. It reads from
its standard input, as JSON, where the read database is, the calendar's file and the open alerts, and prints what follows. A
command line would show the password of a database to every user.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from services.alerts.conditions import Condition, OpenAlerts
from services.alerts.reading import DecidingFacts, Judged, judge_days
from services.commands.attachments import DayClosed
from services.data.calendar import TradingCalendar
from services.processes.child_process import run_module
from services.read_model import database as sqlite
from services.read_model.postgres import database as postgres
from services.venue_state.alerts import VenueAlert


@asynccontextmanager
async def connected(place: Path | str) -> AsyncIterator[AsyncConnection]:
    """A connection to the read database: a SQLite file, or the address of a PostgreSQL database."""
    if isinstance(place, Path):
        engine = sqlite.open_read_database(place, read_only=True)
    else:
        engine = await postgres.open_read_database(place)
    try:
        async with engine.connect() as connection:
            yield connection
    finally:
        await engine.dispose()


class DaysJudge:
    """Judges the completed days of one venue."""

    def __init__(self, place: Path | str, calendar_file: Path | None, niceness: int) -> None:
        """`place`: the SQLite file of the read database, or the address of a PostgreSQL database."""
        self._niceness = niceness
        self._where = {
            "file": str(place) if isinstance(place, Path) else None,
            "url": None if isinstance(place, Path) else place,
            "calendar_file": None if calendar_file is None else str(calendar_file),
        }

    async def __call__(self, is_open: OpenAlerts) -> Judged | None:
        """What follows from the completed days; None where the venue has completed none. Raises NoAnswer."""
        asked = {**self._where, "open": [asdict(alert) for alert in is_open.values()]}
        ended = await run_module("services.alerts.judging", given=json.dumps(asked).encode(), niceness=self._niceness)
        return ended.answer("judgement", _judged)


def _judged(said: dict[str, Any] | None) -> Judged | None:
    if said is None:
        return None
    return Judged(
        DecidingFacts(*said["facts"]),
        [Condition(**condition) for condition in said["holding"]],
        [DayClosed(**closing) for closing in said["closings"]],
    )


async def _judge(asked: dict[str, Any]) -> dict[str, Any] | None:
    place = Path(asked["file"]) if asked["file"] is not None else asked["url"]
    calendar = TradingCalendar.load(None if asked["calendar_file"] is None else Path(asked["calendar_file"]))
    is_open = {alert["key"]: VenueAlert(**alert) for alert in asked["open"]}
    judged = await judge_days(partial(connected, place), calendar, is_open)
    if judged is None:
        return None
    return {
        "facts": judged.facts,
        "holding": [asdict(condition) for condition in judged.holding],
        "closings": [closing.model_dump() for closing in judged.closings],
    }


def main() -> None:
    """Runs the process."""
    sys.stdout.write(json.dumps(asyncio.run(_judge(json.load(sys.stdin)))))
