"""A venue in this process, its projector in another one, until it is stopped: what `rex demo` and `rex serve` run.

Apart from the commands, since it imports the whole of REX, pages included: `rex --help` starts without it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable

from rich.panel import Panel

from matching_engine import build_notice
from services.cli.history import begin_with_history
from services.cli.stopping import say_stopping, stop_signal
from services.cli.terminal import err, out, progress
from services.cli.which_venue import require_none, require_venue
from services.processes.log import log_to_standard_error
from services.processes.watchdog import Watchdog
from services.read_model.projector_process import ProjectorProcess
from services.sequencer.recovery import Recovery
from services.values.decimals import counted
from services.venue.bootstrap import Venue, open_venue
from services.venue.closing import ClosingSummary, closing_of
from services.venue.fatal_errors import root_cause, sentence_of
from services.venue.first_start import KEYS_FILE
from services.venue.public import demo_pace
from services.venue.settings import Settings


async def run_demo(settings: Settings, projector: ProjectorProcess, seconds: float, announce: bool) -> ClosingSummary:
    """A demo, and where it stands when it is closed. An empty folder gets its history first."""
    await begin_with_history(settings, announce)

    def on_ready(venue: Venue) -> None:
        if announce:
            _announce(settings, venue)

    return await closing_of(await _run(settings, projector, seconds, on_ready), settings.data_dir)


async def run_venue(settings: Settings, projector: ProjectorProcess, as_json: bool, *, new: bool) -> None:
    """A venue that says where it is, for people or `as_json`. Raises JournalMissing, or InitRefused if it is `new`, where the
    folder does not hold a venue, or holds one."""
    if new:
        require_none(settings.data_dir)
    else:
        require_venue(settings.data_dir)

    def on_ready(venue: Venue) -> None:
        (_ready_line if as_json else _announce)(settings, venue)

    await _run(settings, projector, 0, on_ready)


async def _run(
    settings: Settings, projector: ProjectorProcess, seconds: float, on_ready: Callable[[Venue], None]
) -> Venue:
    """Runs a venue until a signal or the end of its time; returns it when it is closed and at rest."""
    log_to_standard_error()
    watchdog = Watchdog()
    stop = stop_signal(watchdog)
    with progress(err.is_terminal) as bar:
        task = bar.add_task("recovering", total=None)
        async with open_venue(
            settings,
            on_progress=lambda seq: bar.update(task, completed=seq),
            on_fault=lambda error: watchdog.arm(sentence_of(root_cause(error))),
            projector=projector,
        ) as venue:
            bar.stop()
            on_ready(venue)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds or None):
                    await stop.wait()
            then = ", then the year is proven" if settings.demo else ""
            say_stopping(f"the journal and the read database are completed{then}")
    watchdog.disarm()
    return venue


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
            f"recovered {counted(recovery.commands, 'command')} in {recovery.seconds:.2f} s{_after(recovery)}\n"
            f"{_traders(settings)}"
            "Ctrl-C stops; the next start carries on.",
            border_style="cyan",
        ),
        highlight=False,
    )
    if venue.first_link is not None:  # In a line of its own: within the frame it would break.
        sentence = "The first administrator is made at this address, once, within 24 hours:"
        out.print(sentence, venue.first_link, sep="\n", highlight=False, soft_wrap=True)


def _after(recovery: Recovery) -> str:
    """From where on they were executed."""
    return f", after the snapshot at seq {recovery.snapshot_seq:,}" if recovery.snapshot_seq else ""


def _traders(settings: Settings) -> str:
    """How much the simulated traders of a demo trade; nothing for a venue without them."""
    if not settings.demo:
        return ""
    return "traders   " + "\n          ".join(demo_pace(settings).lines()) + "\n"


def _ready_line(settings: Settings, venue: Venue) -> None:
    keys_file = (settings.data_dir / KEYS_FILE).absolute()
    ready = {"url": venue.url, "keys_file": str(keys_file), "last_seq": venue.sequencer.last_seq}
    if venue.first_link is not None:
        ready["first_link"] = venue.first_link
    print(json.dumps(ready), flush=True)
