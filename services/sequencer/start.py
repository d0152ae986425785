"""Makes a venue's sequencer, after its clock and its schedule are checked against the journal."""

from __future__ import annotations

from typing import Literal

from services.data.calendar import TradingCalendar
from services.journal import Journal
from services.journal.replay import StateMachine
from services.messaging import PublishingFeed, SequencerInbox
from services.sequencer.clock import GuardedClock, refuse_clock_behind
from services.sequencer.schedule import AlwaysOpen, ExchangeHours
from services.sequencer.sequencer import Sequencer


async def make_sequencer(
    engine: StateMachine,
    journal: Journal,
    inbox: SequencerInbox,
    feed: PublishingFeed,
    *,
    clock: GuardedClock,
    calendar: TradingCalendar,
    schedule: Literal["always", "exchange"],
    accept_clock: bool,
) -> Sequencer:
    """The sequencer of an engine that is at the end of the journal.

    Raises ClockRefused if the clock needs an operator's confirmation (`accept_clock`) and does not have it.
    """
    may_skip_from = engine.trading_date if accept_clock else 0
    open_when = AlwaysOpen if schedule == "always" else ExchangeHours
    plan = open_when(calendar, may_skip_from=may_skip_from)
    now_ns = clock()
    last = await journal.last_batch()
    if last is not None and not accept_clock:
        refuse_clock_behind(now_ns, last.time_ns)
    plan.due(engine.trading_date, engine.venue_phase, now_ns)
    sequencer = Sequencer(engine, journal, inbox, feed, clock=clock, schedule=plan)
    sequencer.time_ns = last.time_ns if last is not None else 0  # health may be asked before the sequencer runs
    return sequencer
