"""Imported by the fork server of `venue_process`: a venue opens and closes, and every forked one knows its routes.

FastAPI reads the signatures of the routes and builds their validators for each application: half of a start's processor time.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory

from services.venue.bootstrap import open_venue
from services.venue.settings import Settings
from tests.integration.known_parameters import remember_parameters


async def _open_and_close() -> None:
    with TemporaryDirectory() as folder:
        async with open_venue(Settings(data_dir=Path(folder), port=0, schedule="always")):
            pass


remember_parameters()
asyncio.run(_open_and_close())
