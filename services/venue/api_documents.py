"""docs/openapi.json and docs/asyncapi.json: what a venue answers at /openapi.json and /asyncapi.json, made without a venue.

`make records` writes them. A process without the proof of the figure has fewer paths than docs/openapi.json.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from services.data.calendar import TradingCalendar
from services.data.trading_hours import TradingHours
from services.gateway.http.openapi import openapi_document
from services.gateway.websocket.asyncapi import asyncapi_document
from services.journal.sqlite import SqliteJournal
from services.messaging.in_process import InProcessInbox
from services.read_database.database import open_read_database
from services.reporting.proven import Proven
from services.venue.application import load_gateway, make_application
from services.venue.settings import Settings


async def documents() -> dict[str, dict[str, Any]]:
    """Both documents by the names of their files."""
    with TemporaryDirectory() as folder:
        return {"openapi.json": await _whole_openapi(Path(folder)), "asyncapi.json": asyncapi_document()}


def text_of(document: dict[str, Any]) -> str:
    """The content of a document's file."""
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


async def _whole_openapi(folder: Path) -> dict[str, Any]:
    """The document of the application with every route, over an empty venue."""
    read_database, calendar, inbox = open_read_database(folder / "read.db"), TradingCalendar.load(), InProcessInbox()
    journal = await SqliteJournal.open(folder / "journal.db")
    settings = Settings(data_dir=folder)
    try:
        hours = TradingHours(calendar, settings.schedule)
        gateway = await load_gateway(read_database, inbox, _reached, hours=hours, clock=time.time_ns)
        application = make_application(
            gateway,
            settings,
            inbox=inbox,
            read_database=read_database,
            journal=journal,
            calendar=calendar,
            clock=time.time_ns,
            not_ready=list,
            warnings=list,
            prove=_no_proof,
            elsewhere=None,
        )
        return openapi_document(application)
    finally:
        await journal.close()
        await read_database.dispose()


async def _reached(seq: int) -> None:
    """An empty venue has reached what there is."""


async def _no_proof(year: int, *, breakdown: bool = False) -> Proven:
    raise NotImplementedError(f"nothing is asked for the figure of {year} here, breakdown {breakdown}")


def main(folder: Path) -> None:
    """Writes both files into the folder."""
    for name, document in asyncio.run(documents()).items():
        (folder / name).write_text(text_of(document), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
