"""`rex demo --database-url`: the whole scaled venue as child processes, and simulated traders as clients of its gateways."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from services.scaled.init import initialise
from services.simulator import demo_accounts
from services.venue.first_start import KEYS_FILE, PAGES, InitRefused, read_keys
from services.venue.public import make_simulator
from services.venue.settings import Settings

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
    leading, needed = Watch(on_event, replaceable=SEQUENCERS - 1), Watch(on_event)
    leading.ended.add_done_callback(lambda ended: needed.fail(ended.exception() or AssertionError()))
    async with AsyncExitStack() as opened:

        async def start(*arguments: str, watch: Watch = needed) -> str:
            return await opened.enter_async_context(_child(arguments, environment, watch))

        async with asyncio.TaskGroup() as starting:
            for _ in range(SEQUENCERS):
                starting.create_task(start("sequencer", "--accept-clock", watch=leading))
        async with asyncio.TaskGroup() as starting:  # what is started later is stopped earlier
            starting.create_task(start("projector"))
            started = [starting.create_task(start("gateway")) for _ in range(GATEWAYS)]
            reporting = starting.create_task(start("reporting", "--data-dir", str(settings.data_dir)))
        gateways, pages = [one.result() for one in started], reporting.result()
        simulator = make_simulator(settings, gateways[0], keys)
        trading = asyncio.create_task(simulator.run())
        trading.add_done_callback(lambda task: _pass_on(task, needed))
        opened.callback(trading.cancel)
        yield ScaledVenue(tuple(gateways), pages, keys_file, needed.ended)


def _pass_on(trading: asyncio.Task[None], watch: Watch) -> None:
    if not trading.cancelled() and (error := trading.exception()) is not None:
        watch.fail(error)


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
async def _child(arguments: Sequence[str], environment: dict[str, str], watch: Watch) -> AsyncIterator[str]:
    """Runs `rex` with these arguments on a free port; yields its address once it is ready, stops it at the end."""
    process = await asyncio.create_subprocess_exec(
        Path(sys.executable).with_name("rex"),
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
            raise ChildEnded(f"{name} did not start: it has {_end(await process.wait())}")
        with watch.over(process, name):
            yield json.loads(line)["url"]
    finally:
        await _stop(process)


class Watch:
    """Over the processes of a venue. Of those that replace each other, such as the sequencers, the last one must not end."""

    def __init__(self, on_event: Callable[[str], None], replaceable: int = 0) -> None:
        """`replaceable`: how many more processes may end before one of these ends the venue."""
        self._on_event = on_event
        self._replaceable = replaceable
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Raises ChildEnded when a process without which the venue does not work has ended, or the error of `fail`."""

    @contextmanager
    def over(self, process: asyncio.subprocess.Process, name: str) -> Iterator[None]:
        """Watches this process while the block runs."""
        watching = asyncio.create_task(self._watch(process, name))
        try:
            yield
        finally:
            watching.cancel()

    async def _watch(self, process: asyncio.subprocess.Process, name: str) -> None:
        sentence = f"{name} has {_end(await process.wait())}"
        if self._replaceable:
            self._replaceable -= 1
            self._on_event(f"{sentence}; another one replaces it")
        else:
            self.fail(ChildEnded(f"{sentence}; without it the demo cannot go on"))

    def fail(self, error: BaseException) -> None:
        """Ends the venue with this error, unless it has another one."""
        if not self.ended.done():
            self.ended.set_exception(error)


def _end(status: int) -> str:
    """How a process ended, by its status as asyncio has it: negative for a signal."""
    return f"ended with exit status {status}" if status >= 0 else f"been ended by {signal.Signals(-status).name}"


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.terminate()
        try:
            async with asyncio.timeout(STOP_S):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
