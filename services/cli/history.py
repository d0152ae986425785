"""The history of a demo, as `rex demo` makes it at its first start: one sentence, a progress bar, and Ctrl-C."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal

from services.cli.terminal import err, out, progress
from services.data.calendar import TradingCalendar
from services.gateway.server.server import listen
from services.sequencer.schedule import trading_date_at
from services.venue.demo_history import History, make_history, missing_history, settle_interrupted
from services.venue.settings import Settings, SettingsRefused


async def begin_with_history(settings: Settings, announce: bool) -> None:
    """Makes the history of an empty data folder, if the settings want one; `announce`: with a sentence on standard output.

    Raises InterruptedError if it is stopped meanwhile: nothing is kept; SettingsRefused if it were to lie after the clock.
    """
    settle_interrupted(settings.data_dir)
    calendar = TradingCalendar.load(settings.calendar_file)
    history = (
        missing_history(settings.data_dir, calendar, _today(settings, calendar)) if settings.demo_history else None
    )
    if history is None:
        return
    with listen(settings.host, settings.port):
        pass  # A port that is in use is found before the work, not after it.
    if announce:
        out.print(_sentence(history), highlight=False)
    with progress(err.is_terminal) as bar, _canceled_by_signals():
        task = bar.add_task("simulating", total=history.days)

        def on_day(day: date, number: int, _of: int, turnover_fen: int) -> None:
            billions = Decimal(turnover_fen).scaleb(-11)
            bar.update(task, description=f"{day} {billions:,.3f} bn yuan", completed=number)

        try:
            await make_history(settings.data_dir, history, calendar, settings.seed, on_day)
        except asyncio.CancelledError:
            raise InterruptedError(
                "stopped while the demo's history was made: nothing of it was kept, the next start makes it"
            ) from None


def _today(settings: Settings, calendar: TradingCalendar) -> date:
    """The day before which the history ends: the present trading day, which begins at 17:00 in Shanghai, or one before it."""
    present = trading_date_at(calendar, time.time_ns())
    today = settings.demo_today or present
    if today > present:
        raise SettingsRefused(
            [
                f"REX_DEMO_TODAY is {today}, and by the clock the trading day is {present}: no history lies after the clock"
            ]
        )
    return today


def _sentence(history: History) -> str:
    return (
        f"First start: the year {history.year} is simulated up to {history.last} (trading days: {history.days}), in about 10 "
        "seconds. None of these trades is real."
    )


@contextmanager
def _canceled_by_signals() -> Iterator[None]:
    """SIGINT and SIGTERM cancel the current task while the block runs."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None
    signals = (signal.SIGINT, signal.SIGTERM)
    for number in signals:
        loop.add_signal_handler(number, task.cancel)
    try:
        yield
    finally:
        for number in signals:
            loop.remove_signal_handler(number)
