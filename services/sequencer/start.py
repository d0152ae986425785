"""Makes a venue's sequencer, after its clock and its schedule are checked against the journal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from services.data.calendar import TradingCalendar
from services.journal import Journal
from services.journal.replay import StateMachine
from services.messaging import PublishingFeed, SequencerInbox
from services.sequencer.clock import refuse_clock_behind
from services.sequencer.schedule import AlwaysOpen, ExchangeHours, Schedule
from services.sequencer.sequencer import Sequencer

ScheduleName = Literal["always", "exchange"]


async def check_clock(
    engine: StateMachine,
    journal: Journal,
    now_ns: int,
    *,
    calendar: TradingCalendar,
    schedule: ScheduleName,
    accept_clock: bool,
) -> int:
    """The time of the last command, in nanoseconds since 1970; 0: there is none.

    Raises ClockRefused if a sequencer must not begin at `now_ns`: it is before the last command, or the day roll would skip a
    trading day, and no operator has confirmed the clock (`accept_clock`).
    """
    last = await journal.last_batch()
    if last is not None and not accept_clock:
        refuse_clock_behind(now_ns, last.time_ns)
    _plan(engine, calendar, schedule, accept_clock).due(engine.trading_date, engine.venue_phase, now_ns)
    return 0 if last is None else last.time_ns


async def make_sequencer(
    engine: StateMachine,
    journal: Journal,
    inbox: SequencerInbox,
    feed: PublishingFeed,
    *,
    clock: Callable[[], int],
    calendar: TradingCalendar,
    schedule: ScheduleName,
    accept_clock: bool,
) -> Sequencer:
    """The sequencer of an engine that is at the end of the journal. Raises ClockRefused as `check_clock` does."""
    last_ns = await check_clock(
        engine, journal, clock(), calendar=calendar, schedule=schedule, accept_clock=accept_clock
    )
    plan = _plan(engine, calendar, schedule, accept_clock)
    sequencer = Sequencer(engine, journal, inbox, feed, clock=clock, schedule=plan)
    sequencer.time_ns = last_ns  # health may be asked before the sequencer runs
    return sequencer


def _plan(engine: StateMachine, calendar: TradingCalendar, schedule: ScheduleName, accept_clock: bool) -> Schedule:
    may_skip_from = engine.trading_date if accept_clock else 0
    return (AlwaysOpen if schedule == "always" else ExchangeHours)(calendar, may_skip_from=may_skip_from)
