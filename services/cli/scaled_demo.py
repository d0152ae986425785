"""`rex demo --database-url`; apart from the other processes, since it imports the traders and the pages' library."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time

from rich.panel import Panel

from services.cli.stopping import SIGNALS, say_stopping
from services.cli.terminal import out, say
from services.data.trading_hours import local_day
from services.migrations.postgres import migrate_database
from services.reporting.checked_report import CheckedReport, report_at_rest
from services.scaled.demo import ScaledVenue, open_demo
from services.venue.public import demo_pace
from services.venue.settings import Settings


async def run_demo(settings: Settings, seconds: float, *, as_json: bool) -> CheckedReport:
    """The whole scaled venue and its simulated traders, until a signal or the end of its time; then the proven report of the
    year. Raises ChildEnded if a process has ended without which the venue does not work."""
    stop = asyncio.Event()
    for number in SIGNALS:  # It stops its processes in order, and each of them ends within its own watchdog's time.
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await migrate_database(settings.database_url)
    async with open_demo(settings, on_event=say) as venue:
        ready = {"gateways": venue.gateways, "pages": venue.pages, "keys_file": str(venue.keys_file.absolute())}
        if as_json:
            print(json.dumps(ready), flush=True)
        else:
            out.print(_panel(settings, venue), highlight=False)
        venue.ended.add_done_callback(lambda _: stop.set())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds or None):
                await stop.wait()
        if venue.ended.done():
            venue.ended.result()
        say_stopping("one process after the other, then the year is proven")
    today, _ = local_day(time.time_ns())
    return await report_at_rest(settings.database_url, today.year, prove=True, calendar_file=settings.calendar_file)


def _panel(settings: Settings, venue: ScaledVenue) -> Panel:
    lines = [
        "[bold]REX 稀土交易所[/bold]  scaled mode",
        f"pages     {venue.pages}/",
        *(f"gateway   {url}/docs" for url in venue.gateways),
        f"keys      {venue.keys_file}",
        "traders   " + "\n          ".join(demo_pace(settings).lines()),
        "Ctrl-C stops; the next start carries on.",
    ]
    return Panel.fit("\n".join(lines), border_style="cyan")
