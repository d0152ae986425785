"""Steps a venue's clock forward and back, in a running venue and at a start: no order and no trading day may be stamped with
the jump.

    python -m tests.faults clock_step --count 30 --seed 1

The clock is the rig's own (`mutants.stepped_clock`); the machine's clock is not changed. A trial begins at ten o'clock of a
trading day, hours before that day ends by itself. The trials, in turn: in a running venue, the clock jumps 400 days ahead, an
hour ahead or an hour back (each for one order, then it is right again), or by a minute; a stopped venue is started with a clock
an hour behind its last batch, or 400 days ahead of it. A jump of more than five minutes must end the venue, or its start, with
a non-zero status and a sentence. If the venue continues, no timestamp may be more than five minutes off, and the trading date
may not have changed. A jump of a minute is tolerated. Started again with the right clock, the venue must have the same trading
date and every order, and the resting day order must still rest.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from time import time_ns
from typing import NamedTuple

from rex_client import OutcomeUnknown, RexClient, RexError, Unreachable

from services.scaled.launch import DidNotStart
from tests.e2e.clock import TEN_O_CLOCK_NS
from tests.faults.mutants import stepped_clock
from tests.faults.rig import Advance, Report, Rig, scratch
from tests.faults.traders import Json, Trader, open_traders
from tests.faults.venue_process import VenueProcess, serve

SECOND_NS = 10**9
BEARABLE_S = 300


class Step(NamedTuple):
    """A jump of the clock, in a running venue or before the start of a stopped one."""

    seconds: int
    at_start: bool = False

    def __str__(self) -> str:
        return f"{self.seconds:+,} s {'at the start' if self.at_start else 'at work'}"


STEPS = (
    Step(400 * 86_400),
    Step(60),
    Step(-3_600, at_start=True),
    Step(3_600),
    Step(-3_600),
    Step(400 * 86_400, at_start=True),
)


class Stepped:
    """A data folder and the clock of its venue, which says ten o'clock of a trading day and can be stepped."""

    def __init__(self, work: Path) -> None:
        self.folder = work / "rex-data"
        self._ahead_ns = TEN_O_CLOCK_NS - time_ns()
        self._file = work / "step"
        self.step(0)

    def step(self, seconds: int) -> None:
        """Sets how many seconds the venue's clock is ahead of the right one."""
        step = (self._ahead_ns + seconds * SECOND_NS).to_bytes(8, "little", signed=True)
        if not self._file.exists():
            self._file.write_bytes(step)
        with open(self._file, "r+b") as file:
            file.write(step)

    def off_s(self, order: Json) -> float:
        """How many seconds off the right clock an order was stamped."""
        return abs(datetime.fromisoformat(order["created_at"]).timestamp() - (time_ns() + self._ahead_ns) / SECOND_NS)

    @contextmanager
    def venue(self) -> Iterator[VenueProcess]:
        with serve(self.folder, mutant=partial(stepped_clock, self._file)) as venue:
            yield venue


def run(trials: int, seed: int, advance: Advance) -> Report:
    """Runs `trials` steps, each in a new folder."""
    report = Report("clock_step", {"stopped_with_a_sentence": 0, "went_on": 0})
    random = Random(seed)
    for trial in range(trials):
        with TemporaryDirectory(dir=scratch()) as work:
            asyncio.run(_trial(STEPS[trial % len(STEPS)], Stepped(Path(work)), random, report))
        advance()
    return report


async def _trial(step: Step, stepped: Stepped, random: Random, report: Report) -> None:
    with stepped.venue() as venue:
        trader, _ = await open_traders(venue)
        date = await _trading_date(venue, trader)
        resting = trader.next_order() | {"time_in_force": "day", "price": "155.00"}
        async with RexClient(venue.url, trader.key) as client:
            trader.ledger.acknowledge(await client.place_order(resting))
            for _ in range(random.randint(1, 20)):
                trader.ledger.acknowledge(await client.place_order(trader.next_order()))
        if not step.at_start:
            stepped.step(step.seconds)
            await _place_with_the_wrong_clock(step, stepped, venue, trader, report)
            stepped.step(0)
            await _must_have_stopped(step, venue, trader, date, report)
        venue.kill()
    if step.at_start:
        stepped.step(step.seconds)
        await _start_with_the_wrong_clock(step, stepped, trader, date, report)
        stepped.step(0)
    await _start_with_the_right_clock(step, stepped, trader, date, resting["client_order_id"], report)


async def _trading_date(venue: VenueProcess, trader: Trader) -> str:
    async with RexClient(venue.url, trader.key) as client:
        return str((await client.venue())["trading_date"])


async def _place_with_the_wrong_clock(
    step: Step, stepped: Stepped, venue: VenueProcess, trader: Trader, report: Report
) -> None:
    async with RexClient(venue.url, trader.key) as client:
        order = trader.next_order()
        try:
            placed = await client.place_order(order)
        except (OutcomeUnknown, Unreachable, RexError):
            trader.ledger.unanswered.add(order["client_order_id"])
            return
    trader.ledger.acknowledge(placed)
    if (off_s := stepped.off_s(placed)) > BEARABLE_S:
        report.broken.append(f"{step}: an order was stamped {off_s:,.0f} s off")


async def _must_have_stopped(step: Step, venue: VenueProcess, trader: Trader, date: str, report: Report) -> None:
    """Checks that the venue ends after a jump, at once or soon after; if it continues, that the trading date is unchanged."""
    if abs(step.seconds) > BEARABLE_S:
        _stopped(step, venue.ended(), venue.said, report)
        return
    now = await _trading_date(venue, trader)
    report.add("went_on")
    if now != date:
        report.broken.append(f"{step}: the trading date was {date} and is {now}")


def _stopped(step: Step, status: int | None, said: str, report: Report) -> None:
    if abs(step.seconds) <= BEARABLE_S:
        report.broken.append(f"{step}: the venue stopped: {said.strip()[-300:]}")
    elif not status or "Traceback (most recent call last)" in said or "clock" not in said:
        report.broken.append(f"{step}: stopped with status {status} without a sentence: {said.strip()[-300:]}")
    else:
        report.add("stopped_with_a_sentence")


async def _start_with_the_wrong_clock(step: Step, stepped: Stepped, trader: Trader, date: str, report: Report) -> None:
    try:
        with stepped.venue() as venue:
            await _place_with_the_wrong_clock(step, stepped, venue, trader, report)
            await _must_have_stopped(step, venue, trader, date, report)
    except DidNotStart as refusal:
        _stopped(step, refusal.exit_status, refusal.said, report)


async def _start_with_the_right_clock(
    step: Step, stepped: Stepped, trader: Trader, date: str, resting: str, report: Report
) -> None:
    try:
        with stepped.venue() as venue:
            now = await _trading_date(venue, trader)
            orders = await trader.orders(venue.url)
    except DidNotStart as refusal:
        report.broken.append(f"{step}: with the right clock {refusal}")
        return
    if now != date:
        report.broken.append(f"{step}: with the right clock again the trading date is {now}, it was {date}")
    report.broken += [f"{step}: {fault}" for fault in trader.ledger.broken(orders, "order")]
    states = {order["client_order_id"]: order["state"] for order in orders}
    if states.get(resting) != "new":
        report.broken.append(f"{step}: the resting day order is {states.get(resting)}")


RIG = Rig("clock_step", run, "trials", short=len(STEPS), long=5 * len(STEPS))
