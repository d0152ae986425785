"""The faults of the scaled mode, as one table: what part fails, and how. They follow each other in one venue under load.

    python -m tests.faults network --count 200 --seed 1

Two members trade over WebSocket and REST, each through its own gateway. After a number of acknowledgements drawn from the seed
a fault begins and ends. What must hold after each: orders are acknowledged again without a hand but a supervisor's, who starts
again what ended; a process ends only with a status that the table allows; whoever has no outcome asks at both gateways, by
`client_order_id` and by sending the order again, and all answers are of one order. At the end of each venue every acknowledged
order is there, once, with its id, filled at least as far; no order that was refused is; both gateways answer the same book and
balances; the journal, executed again, has the same events; and the read database equals a rebuilt one, row by row. What a fault
must show beyond that is said where it is done.
"""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable, Collection, Coroutine, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import partial
from random import Random
from typing import Any, NamedTuple

from rex_client import OutcomeUnknown, RexError, Unreachable

from load_tests.servers.server_process import ServerFailed
from services.processes.exit_codes import ExitCode
from services.scaled.launch import DidNotStart
from tests.faults import (
    disk_faults,
    host_faults,
    network_faults,
    postgres_faults,
    process_faults,
    redis_faults,
    standby_faults,
)
from tests.faults.load import Load
from tests.faults.promises import DEPOSED, ask, conclude, recovered
from tests.faults.rig import Advance, Report, Rig, TooLate
from tests.faults.scaled_venue import NO_MUTANTS
from tests.faults.stage import Pace, Stage, wired
from tests.faults.traders import open_traders
from tests.faults.venue_process import Mutant

FEWEST = 5
"""The fewest acknowledgements before a fault."""
LOST = (*DEPOSED, ExitCode.JOURNAL_DAMAGED)
"""Who has read a row that was visible and never confirmed cannot know that nobody was answered."""


class Fault(NamedTuple):
    """A row of the table. `harm` does it and undoes it."""

    name: str
    harm: Callable[[Any], Coroutine[Any, Any, None]]
    may_end: Collection[int] = DEPOSED
    """The statuses with which a process may end."""
    odds: int = 1
    """How often it comes in each deck of its part."""
    recovers: bool = True
    """Otherwise the venue must end, and the fault is the last one."""


class Part(NamedTuple):
    """What fails, how, and where."""

    name: str
    faults: Sequence[Fault]
    faults_a_venue: int
    stage: Callable[[Mapping[str, Mutant]], AbstractContextManager[Stage]] = wired
    pace: Pace = Pace()

    def deck(self, random: Random) -> Iterator[Fault]:
        """Every fault once; then by their odds."""
        deck = [*self.faults]
        while True:
            yield from random.sample(deck, len(deck))
            deck = [fault for fault in self.faults for _ in range(fault.odds)]

    def named(self, *names: str) -> list[Fault]:
        """The faults of these names, in this order."""
        faults = {fault.name: fault for fault in self.faults}
        return [faults[name] for name in names]


def _table(harms: Mapping[str, Callable[[Any], Coroutine[Any, Any, None]]], **more: Any) -> list[Fault]:
    return [Fault(name, harm, **more) for name, harm in harms.items()]


LEADER = Part("leader", _table(process_faults.OF_LEADER), 25, pace=Pace(pause_s=0.0, most=400))
FOLLOWERS = Part("followers", _table(process_faults.OF_FOLLOWERS), 30)
REDIS = Part("redis", _table(redis_faults.HARMS), 25)
NETWORK = Part("network", _table(network_faults.OF_PAIRS), 30)
POSTGRES = Part("postgres", [*_table(postgres_faults.SHORT, odds=4), *_table(postgres_faults.LONG)], 50)
STANDBY = Part("standby", _table(standby_faults.FAILOVERS, may_end=(*LOST, -signal.SIGKILL)), 10)
LOST_ROWS = Part("lost_rows", _table(standby_faults.LOSSES, may_end=LOST, recovers=False), 1)
DISK = Part("disk", _table(disk_faults.HARMS), 10, partial(wired, sequencers=1, on_disk=True), Pace(most=150))
HOSTS = Part("hosts", _table(host_faults.CUTS), 25, host_faults.hosts)
PARTS = (LEADER, FOLLOWERS, REDIS, NETWORK, POSTGRES, STANDBY, LOST_ROWS, DISK, HOSTS)


def run(
    part: Part,
    faults: int,
    seed: int,
    advance: Advance,
    *,
    mutants: Mapping[str, Mutant] = NO_MUTANTS,
    pace: Pace | None = None,
) -> Report:
    """So many faults of one part, in venue after venue, up to the first broken promise. Raises CannotRun."""
    report, random = Report(part.name), Random(seed)
    deck = part.deck(random)
    for first in range(0, faults, part.faults_a_venue):
        some = [next(deck) for _ in range(min(part.faults_a_venue, faults - first))]
        try:
            with part.stage(mutants) as stage:
                asyncio.run(follow_each_other(stage, some, report, random, advance, pace or part.pace))
        except (DidNotStart, ServerFailed, TooLate) as reason:
            report.broken.append(str(reason))
        except ExceptionGroup as reason:
            report.broken.append(f"a member is not served any more: {reason.exceptions}")
        if report.broken:
            break
    return report


async def follow_each_other(
    stage: Stage, faults: Sequence[Fault], report: Report, random: Random, advance: Advance, pace: Pace
) -> None:
    """These faults, one after the other under load; then looks for every order. At the end there is no projector."""
    stage.report, stage.random, stage.pace = report, random, pace
    stage.traders = await open_traders(stage.venue)
    load = Load(stage.venue, stage.traders, report, pause_s=pace.pause_s)
    try:
        await load.keys_known()
    except Unreachable as gone:
        report.broken.append(f"before the first fault: {gone}")
        return
    async with load as stage.load:
        for fault in faults:
            try:
                await stage.load.acknowledgements(random.randint(FEWEST, pace.most))
                stage.load.longest_s, stage.load.last_s = 0.0, time.monotonic()
                await fault.harm(stage)
                if fault.recovers and not report.broken:
                    await recovered(stage, fault.may_end)
                    await ask(stage)
            except (TimeoutError, TooLate, Unreachable, RexError, OutcomeUnknown, DidNotStart, ServerFailed) as reason:
                report.broken.append(f"after {fault.name}: {str(reason) or 'no order was acknowledged again'}")
            if report.broken:
                return
            report.add(fault.name.replace(" ", "_"))
            advance()
            if not fault.recovers:
                return
    try:
        await conclude(stage)
    except (RexError, OutcomeUnknown, Unreachable, TooLate) as problem:
        said = {name: process.said for name, process in stage.venue.processes.items() if process.said}
        report.broken.append(f"whoever asks is answered: {problem}; the processes say: {said}")


LENGTHS = {
    "leader": (10, 500), "followers": (15, 300), "redis": (10, 100), "network": (15, 200), "postgres": (14, 300),
    "standby": (4, 20), "lost_rows": (2, 10), "disk": (10, 90), "hosts": (9, 100),
}  # fmt: skip
"""Of each part: how many faults for a first try, and for `make faults`."""

RIGS = [Rig(part.name, partial(run, part), "faults", *LENGTHS[part.name]) for part in PARTS]
