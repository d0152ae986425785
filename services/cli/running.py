"""A venue in this process until it is stopped: what `rex demo` and `rex serve` run.

Apart from the commands, since it imports the whole of REX, pages included: `rex --help` starts without it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sys
from collections.abc import Callable

import structlog
from rich.panel import Panel

from matching_engine import build_notice
from services.bootstrap import Venue, open_venue
from services.cli.history import begin_with_history
from services.cli.terminal import err, out, progress
from services.closing import Closing, closing_of
from services.first_start import KEYS_FILE
from services.public import demo_pace
from services.settings import Settings
from services.trouble import root_cause, sentence_of
from services.watchdog import Watchdog


async def run_demo(settings: Settings, seconds: float, announce: bool) -> Closing:
    """A demo, and where it stands when it is closed. An empty folder gets its history first."""
    await begin_with_history(settings, announce)

    def on_ready(venue: Venue) -> None:
        if announce:
            _announce(settings, venue)

    return await closing_of(await _run(settings, seconds, on_ready), settings.data_dir)


async def run_venue(settings: Settings, as_json: bool) -> None:
    """A venue that says where it is, for people or `as_json`."""

    def on_ready(venue: Venue) -> None:
        (_ready_line if as_json else _announce)(settings, venue)

    await _run(settings, 0, on_ready)


async def _run(settings: Settings, seconds: float, on_ready: Callable[[Venue], None]) -> Venue:
    """Runs a venue until a signal or the end of its time; returns it when it is closed and at rest."""
    structlog.configure(logger_factory=_log_to_standard_error)
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    with progress(err.is_terminal) as bar:
        task = bar.add_task("recovering", total=None)
        watchdog = Watchdog()
        async with open_venue(
            settings,
            on_progress=lambda seq: bar.update(task, completed=seq),
            on_fault=lambda error: watchdog.arm(sentence_of(root_cause(error))),
        ) as venue:
            bar.stop()
            on_ready(venue)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds or None):
                    await stop.wait()
    return venue


def _log_to_standard_error(*_: object) -> structlog.PrintLogger:
    """A logger of structlog: standard output belongs to what was asked for."""
    return structlog.PrintLogger(sys.stderr)


def _announce(settings: Settings, venue: Venue) -> None:
    recovery = venue.recovery
    for correction in venue.calendar.corrections():
        out.print(correction, highlight=False)
    out.print(
        Panel.fit(
            f"[bold]REX 稀土交易所[/bold]  {build_notice()}\n"
            f"pages     {venue.url}/\n"
            f"API       {venue.url}/docs\n"
            f"keys      {settings.data_dir / KEYS_FILE}\n"
            f"recovered {recovery.commands:,} commands in {recovery.seconds:.2f} s\n"
            f"{_traders(settings)}"
            "Ctrl-C stops; the next start carries on.",
            border_style="cyan",
        ),
        highlight=False,
    )


def _traders(settings: Settings) -> str:
    """How much the simulated traders of a demo trade; nothing for a venue without them."""
    if not settings.demo:
        return ""
    return "traders   " + "\n          ".join(demo_pace(settings).lines()) + "\n"


def _ready_line(settings: Settings, venue: Venue) -> None:
    keys_file = (settings.data_dir / KEYS_FILE).absolute()
    print(json.dumps({"url": venue.url, "keys_file": str(keys_file), "last_seq": venue.sequencer.last_seq}), flush=True)
