"""Judges the completed days in a process of its own, at a low priority, so that no order waits for it:

    python -m services.alerts.judging

reads from its standard input, as JSON, its niceness, where the read database is, the calendar's file and the open alerts, and
prints what follows. A command line would show the password of a database to every user.
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
from services.alerts.reading import Facts, Judged, judge_days
from services.commands.attachments import DayClosed
from services.data.calendar import TradingCalendar
from services.own_process import stand_back
from services.read_database import database as sqlite
from services.read_database.postgres import database as postgres
from services.venue_state.alerts import VenueAlert

_SAID = 600
"""So many characters of a failed process's standard error are kept."""


class DaysNotJudged(Exception):
    """The process failed; the last line of its standard error."""


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
        self._asked = {
            "niceness": niceness,
            "file": str(place) if isinstance(place, Path) else None,
            "url": None if isinstance(place, Path) else place,
            "calendar_file": None if calendar_file is None else str(calendar_file),
        }

    async def __call__(self, is_open: OpenAlerts) -> Judged | None:
        """What follows from the completed days; None where the venue has completed none. Raises DaysNotJudged."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",  # the folder that the venue was started in is no place for modules
            "-m",
            "services.alerts.judging",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        asked = {**self._asked, "open": [asdict(alert) for alert in is_open.values()]}
        try:
            said, errors = await process.communicate(json.dumps(asked).encode())
        except asyncio.CancelledError:
            process.kill()
            await process.wait()
            raise
        if process.returncode:
            last = errors.decode(errors="replace").strip()[-_SAID:].rpartition("\n")[2]
            raise DaysNotJudged(last or f"its process ended with status {process.returncode}")
        return _judged(json.loads(said))


def _judged(said: dict[str, Any] | None) -> Judged | None:
    if said is None:
        return None
    return Judged(
        Facts(*said["facts"]),
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


if __name__ == "__main__":
    asked_for = json.load(sys.stdin)
    stand_back(asked_for["niceness"])
    sys.stdout.write(json.dumps(asyncio.run(_judge(asked_for))))
