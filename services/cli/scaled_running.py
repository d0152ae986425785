"""Runs one process of the scaled mode until a signal; apart from the commands, since it imports what they run. Each process
imports only what it runs itself: a sequencer no reports, a projector no routes."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import structlog

from services.cli.stopping import stop_signal
from services.cli.terminal import err, out, progress
from services.processes.log import log_to_standard_error
from services.processes.own_process import NICENESS, orders_first, stand_back
from services.processes.watchdog import Watchdog
from services.venue.fatal_errors import root_cause, sentence_of
from services.venue.parts import OnFault
from services.venue.settings import Settings

Open = Callable[[OnFault], AbstractAsyncContextManager[str]]
"""Opens the process's parts; yields its address."""

Running = Coroutine[Any, Any, None]
"""What is to be run: the process, which has imported its parts."""


def run_sequencer(settings: Settings, as_json: bool) -> Running:
    """A standby or leader."""
    from services.scaled.sequencer import open_sequencer

    @asynccontextmanager
    async def opened(on_fault: OnFault) -> AsyncIterator[str]:
        with progress(err.is_terminal) as bar:
            task = bar.add_task("executing the journal", total=None)
            async with open_sequencer(
                settings, on_fault=on_fault, on_progress=lambda seq: bar.update(task, completed=seq)
            ) as (url, _):
                bar.stop()
                yield url

    return _run("sequencer", opened, as_json)


def run_gateway(settings: Settings, as_json: bool, *, read_only: bool, with_pages: bool = False) -> Running:
    """A gateway for orders or for reading, with or without pages."""
    from services.scaled.gateway import open_gateway

    if with_pages:
        stand_back(min(NICENESS, settings.niceness))
    return _run(
        "reporting" if with_pages else "gateway",
        lambda on_fault: open_gateway(settings, on_fault=on_fault, read_only=read_only, with_pages=with_pages),
        as_json,
    )


def run_projector(settings: Settings, as_json: bool) -> Running:
    """The projector."""
    from services.scaled.projector import open_projector

    stand_back(min(NICENESS, settings.niceness))
    return _run("projector", lambda on_fault: open_projector(settings, on_fault=on_fault), as_json)


async def _run(process: str, opens: Open, as_json: bool) -> None:
    """Runs until SIGINT or SIGTERM; a watchdog ends a process that hangs after that or after a fault."""
    log_to_standard_error()
    structlog.contextvars.bind_contextvars(process=process)
    watchdog = Watchdog()
    stop = stop_signal(watchdog)
    async with opens(lambda error: watchdog.arm(sentence_of(root_cause(error)))) as url:
        orders_first()
        if as_json:
            print(json.dumps({"process": process, "url": url}), flush=True)
        else:
            out.print(f"rex {process} answers on {url}. Ctrl-C stops it.", highlight=False)
        await stop.wait()
    watchdog.disarm()
