"""Promotes an asynchronous standby that lacks acknowledged rows, and looks whether the venue stops.

    python -m tests.faults.lost_rows --losses 10 --seed 1

Two members trade through two gateways. The standby, which no commit waits for, is killed; more orders are acknowledged; once
every process has read them the primary gets SIGKILL, and the standby is promoted in its place. PostgreSQL has lost acknowledged
orders, and nothing can bring them back. Every process remembers more than the database holds: each must end with exit status 5
and a sentence with the first lost seq, and no order may be acknowledged after the failover.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Mapping, Sequence
from functools import partial
from random import Random

from load_tests.servers.server_process import ServerFailed
from services.processes.exit_codes import ExitCode
from services.scaled.launch import DidNotStart
from tests.faults.database_away import have_read, reached, start_again
from tests.faults.failover import FEWEST, MOST, lost
from tests.faults.postgres_stage import Pair, stage
from tests.faults.rig import Advance, Report, Rig, main
from tests.faults.scaled_venue import NO_MUTANTS, ScaledVenue, TooLate
from tests.faults.take_over import Load
from tests.faults.traders import open_traders
from tests.faults.venue_process import Mutant
from tests.patience import PATIENCE_S

LOST = 20
"""At least so many acknowledged orders are lost."""
LOST_ROWS = 3
"""So many rows the primary shows after the end that it showed when the standby was dead: at least two are lost. The standby may
have one of them, since a primary sends a commit before it shows it. Of two that are lost, every reader knows that the first was
acknowledged; a single one that it has only read may never have been, and it says so, and not that commands are lost."""


def run(losses: int, seed: int, advance: Advance, *, mutants: Mapping[str, Mutant] = NO_MUTANTS) -> Report:
    """Runs `losses` losses, each in a venue of its own."""
    report, random = Report("lost_rows"), Random(seed)
    try:
        for _ in range(losses):
            with stage(mutants) as (venue, pair):
                asyncio.run(one_loss(venue, pair, random, report))
            advance()
    except (DidNotStart, ServerFailed, TooLate) as reason:
        report.broken.append(str(reason))
    return report


async def one_loss(venue: ScaledVenue, pair: Pair, random: Random, report: Report, mutated: Sequence[str] = ()) -> None:
    """A failover that loses rows, under load. The processes named `mutated` are not waited for."""
    await asyncio.to_thread(pair.add_standby, synchronous=False)
    traders = await open_traders(venue)
    async with Load(venue, traders, report) as load:
        try:
            await reached(load, venue, random.randint(FEWEST, MOST))
            await asyncio.to_thread(pair.standby.kill)
            end = await asyncio.to_thread(pair.journaled)
            await reached(load, venue, LOST)
            while await asyncio.to_thread(pair.rows_after, end) < LOST_ROWS:
                await load.acknowledgements(1)
        except TimeoutError:
            report.broken.append("no order was acknowledged before the failover")
            return
        load.going.clear()
        # A standby that has not read a row cannot know that it is missing. A busy machine may have stopped a leader's beats.
        await asyncio.to_thread(have_read, venue, pair.journaled(), partial(start_again, venue, report))
        await asyncio.to_thread(_promote, pair)
        report.add("acknowledged_orders_lost", len(lost(traders, pair)))
        acknowledged = load.acknowledged
        load.going.set()
        await asyncio.to_thread(_all_ended, venue, [name for name in venue.processes if name not in mutated])
    _judge(venue, pair.promoted_seq, report)
    if load.acknowledged > acknowledged:
        report.broken.append(f"{load.acknowledged - acknowledged} orders were acknowledged after the failover")
    report.add("losses")


def _promote(pair: Pair) -> None:
    pair.primary.kill()
    pair.standby.start()
    pair.fail_over()


def _all_ended(venue: ScaledVenue, names: Sequence[str]) -> None:
    """Waits until these processes have ended, or one has ended otherwise than it must; not for ever."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        ended = venue.ended()
        statuses = {one.status for one in ended.values()}
        if ended.keys() >= set(names) or statuses - {ExitCode.JOURNAL_DAMAGED}:
            return
        time.sleep(0.05)


def _judge(venue: ScaledVenue, last_seq: int, report: Report) -> None:
    ended = venue.ended()
    sentence = f"lost commands from seq {last_seq + 1} on"
    for name in venue.processes:
        if name not in ended:
            report.broken.append(f"{name} goes on, though the database has {sentence}")
        elif ended[name].status != ExitCode.JOURNAL_DAMAGED or sentence not in ended[name].said:
            report.broken.append(f"{name} ended with status {ended[name].status}: {ended[name].said[-500:].strip()}")
        else:
            report.add(f"{name.split()[0]}s_stopped")


RIG = Rig("lost_rows", run, "losses", short=2, long=10)

if __name__ == "__main__":
    sys.exit(main(RIG, __doc__))
