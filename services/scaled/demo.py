"""`rex demo --database-url`: the whole scaled venue as child processes, and simulated traders as clients of its gateways."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services.scaled.init import initialise
from services.scaled.launch import LOOK_EVERY_S, LaunchedVenue
from services.simulator import demo_accounts
from services.venue.errors import InitRefused
from services.venue.first_start import KEYS_FILE, PAGES, read_keys
from services.venue.public import make_simulator
from services.venue.settings import Settings

SEQUENCERS = 2
GATEWAYS = 2


class ChildEnded(OSError):
    """A process without which the venue does not work has ended by itself."""


@dataclass(frozen=True)
class ScaledVenue:
    """The running processes' addresses."""

    gateways: tuple[str, ...]
    pages: str
    keys_file: Path
    ended: asyncio.Future[None]
    """Raises ChildEnded when a process without which the venue does not work has ended, or the traders' error."""


@asynccontextmanager
async def open_demo(settings: Settings, on_event: Callable[[str], None]) -> AsyncIterator[ScaledVenue]:
    """Initialises the database unless it holds a venue, starts every process on a free port, then the simulated traders.

    The database must be migrated. `on_event` gets a sentence for each process that ended by itself and that another one
    replaces: kill the leading sequencer, and the other one takes over.
    """
    with contextlib.suppress(InitRefused):  # An earlier demo in this database goes on.
        await initialise(settings)
    keys_file = settings.data_dir / KEYS_FILE
    keys = read_keys(keys_file, PAGES, *(account.name for account in demo_accounts()))
    processes = LaunchedVenue(_environment(settings))
    async with AsyncExitStack() as opened:
        opened.push_async_callback(asyncio.to_thread, processes.stop)
        for _ in range(SEQUENCERS):
            processes.start("sequencer", "--accept-clock")
        await asyncio.to_thread(processes.wait_ready)
        processes.start("projector")  # What is started later is stopped earlier.
        gateways = [processes.start("gateway") for _ in range(GATEWAYS)]
        reporting = processes.start("reporting", "--data-dir", str(settings.data_dir))
        await asyncio.to_thread(processes.wait_ready)
        simulator = make_simulator(settings, gateways[0].url, keys)
        running = asyncio.create_task(together(simulator.run(), watch(processes, on_event)))
        opened.callback(running.cancel)
        yield ScaledVenue(tuple(gateway.url for gateway in gateways), reporting.url, keys_file, running)


async def together(*works: Coroutine[Any, Any, None]) -> None:
    """Does all of it at the same time. The first error ends all of it, and is raised."""
    try:
        async with asyncio.TaskGroup() as running:
            for work in works:
                running.create_task(work)
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from None


async def watch(processes: LaunchedVenue, on_event: Callable[[str], None]) -> None:
    """Says which sequencer has ended while another one can replace it. Raises ChildEnded for any other process."""
    while True:
        for ended in processes.take_ended():
            sentence = f"{ended} has {ended.end}"
            if not any(one.name == ended.name == "rex sequencer" for one in processes.processes):
                raise ChildEnded(f"{sentence}; without it the demo cannot go on")
            on_event(f"{sentence}; another one replaces it")
        await asyncio.sleep(LOOK_EVERY_S)


def _environment(settings: Settings) -> dict[str, str]:
    secret = settings.link_secret.get_secret_value() or secrets.token_urlsafe(32)
    return {
        **os.environ,
        "REX_DATABASE_URL": settings.database_url,
        "REX_REDIS_URL": settings.redis_url,
        "REX_LINK_SECRET": secret,
        "REX_SCHEDULE": settings.schedule,
    }
