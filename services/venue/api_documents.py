"""docs/openapi.json and docs/asyncapi.json: what a venue answers at /openapi.json and /asyncapi.json, made without a venue.

`make records` writes them. A process without the proof of the figure has fewer paths than docs/openapi.json.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from services.gateway.http.openapi import openapi_document
from services.gateway.websocket.asyncapi import asyncapi_document
from services.reporting.proven import Proven
from services.venue.application import make_application
from services.venue.first_start import Seeding
from services.venue.running import Dependencies, opened_folder, running
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
    settings, dependencies = Settings(data_dir=folder, schedule="always"), Dependencies()
    async with opened_folder(settings) as opened, running(opened, _nothing, dependencies) as venue:
        application = make_application(
            venue.gateway,
            settings,
            inbox=venue.inbox,
            read_database=opened.read_database,
            journal=opened.journal,
            calendar=opened.calendar,
            clock=dependencies.clock,
            not_ready=list,
            warnings=list,
            prove=_no_proof,
            elsewhere=None,
        )
        return openapi_document(application)


def _nothing(_seeding: Seeding) -> None:
    """The venue stays empty."""


async def _no_proof(year: int, *, breakdown: bool = False) -> Proven:
    raise NotImplementedError(f"nothing is asked for the figure of {year} here, breakdown {breakdown}")


def main(folder: Path) -> None:
    """Writes both files into the folder."""
    for name, document in asyncio.run(documents()).items():
        (folder / name).write_text(text_of(document), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
