"""`rex demo --database-url`: the whole scaled venue as child processes, and simulated traders as clients of its gateways."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from services.first_start import KEYS_FILE, PAGES, InitRefused, read_keys
from services.public import make_simulator
from services.scaled.init import initialise
from services.settings import Settings
from services.simulator import demo_accounts

STOP_S = 20.0
"""How long a child may take to end after SIGTERM; then it is killed."""
SEQUENCERS = 2
GATEWAYS = 2


class ChildEnded(OSError):
    """A process of the venue did not start, or ended by itself."""


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
    environment = _environment(settings)
    ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    async with AsyncExitStack() as opened:

        async def start(*arguments: str, replaceable: bool = False) -> str:
            return await opened.enter_async_context(_child(arguments, environment, ended, on_event, replaceable))

        for _ in range(SEQUENCERS):
            await start("sequencer", "--accept-clock", replaceable=True)
        await start("projector")
        gateways = [await start("gateway") for _ in range(GATEWAYS)]
        pages = await start("reporting", "--data-dir", str(settings.data_dir))
        simulator = make_simulator(settings, gateways[0], keys)
        trading = asyncio.create_task(simulator.run())
        trading.add_done_callback(lambda task: _pass_on(task, ended))
        opened.callback(trading.cancel)
        yield ScaledVenue(tuple(gateways), pages, keys_file, ended)


def _pass_on(trading: asyncio.Task[None], ended: asyncio.Future[None]) -> None:
    if not trading.cancelled() and (error := trading.exception()) is not None and not ended.done():
        ended.set_exception(error)


def _environment(settings: Settings) -> dict[str, str]:
    secret = settings.link_secret.get_secret_value() or secrets.token_urlsafe(32)
    return {
        **os.environ,
        "REX_DATABASE_URL": settings.database_url,
        "REX_REDIS_URL": settings.redis_url,
        "REX_LINK_SECRET": secret,
        "REX_SCHEDULE": settings.schedule,
    }


@asynccontextmanager
async def _child(
    arguments: Sequence[str],
    environment: dict[str, str],
    ended: asyncio.Future[None],
    on_event: Callable[[str], None],
    replaceable: bool,
) -> AsyncIterator[str]:
    """Runs `rex` with these arguments on a free port; yields its address once it is ready, stops it at the end."""
    rex = Path(sys.executable).with_name("rex")
    process = await asyncio.create_subprocess_exec(
        rex,
        *arguments,
        "--port",
        "0",
        "--json",
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,  # Ctrl-C reaches the demo only: it stops the processes, in order.
    )
    assert process.stdout is not None
    name = f"rex {arguments[0]} (process {process.pid})"
    try:
        line = await process.stdout.readline()
        if not line:
            raise ChildEnded(f"{name} did not start: exit status {await process.wait()}")
        watching = asyncio.create_task(_watch(process, name, ended, on_event, replaceable))
        try:
            yield json.loads(line)["url"]
        finally:
            watching.cancel()
    finally:
        await _stop(process)


async def _watch(
    process: asyncio.subprocess.Process,
    name: str,
    ended: asyncio.Future[None],
    on_event: Callable[[str], None],
    replaceable: bool,
) -> None:
    status = await process.wait()
    sentence = f"{name} ended with exit status {status}"
    if replaceable:
        on_event(sentence)
    elif not ended.done():
        ended.set_exception(ChildEnded(sentence))


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.terminate()
        try:
            async with asyncio.timeout(STOP_S):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
