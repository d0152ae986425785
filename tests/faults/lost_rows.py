"""Promotes an asynchronous standby that lacks acknowledged rows, and looks whether the venue stops.

    python -m tests.faults.lost_rows --losses 10 --seed 1

Two members trade through two gateways. The standby, which no commit waits for, is killed; more orders are acknowledged; the
primary gets SIGKILL, and the standby is promoted in its place. PostgreSQL has lost acknowledged orders, and nothing can bring
them back. Every process remembers more than the database holds: each must end with exit status 5 and a sentence with the first
lost seq, and no order that was sent after the failover may be acknowledged.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Mapping
from random import Random

from load_tests.servers.server_process import ServerFailed
from services.exit_codes import ExitCode
from tests.faults.database_away import reached
from tests.faults.failover import FEWEST, MOST, Pair, stage
from tests.faults.rig import Advance, Report, Rig, main
from tests.faults.scaled_venue import NO_MUTANTS, PATIENCE_S, ScaledVenue
from tests.faults.take_over import Load
from tests.faults.traders import open_traders
from tests.faults.venue_process import DidNotStart, Mutant

LOST = 20
"""At least so many acknowledged orders are lost."""


def run(losses: int, seed: int, advance: Advance, *, mutants: Mapping[str, Mutant] = NO_MUTANTS) -> Report:
    """Runs `losses` losses, each in a venue of its own."""
    report, random = Report("lost_rows"), Random(seed)
    try:
        for _ in range(losses):
            with stage(mutants) as (venue, pair):
                asyncio.run(one_loss(venue, pair, random, report))
            advance()
    except (DidNotStart, ServerFailed) as reason:
        report.broken.append(str(reason))
    return report


async def one_loss(venue: ScaledVenue, pair: Pair, random: Random, report: Report) -> None:
    """A failover that loses rows, under load."""
    await asyncio.to_thread(pair.add_standby, synchronous=False)
    traders = await open_traders(venue)
    async with Load(venue, traders, report) as load:
        try:
            await reached(load, venue, random.randint(FEWEST, MOST))
            await asyncio.to_thread(pair.standby.kill)
            await reached(load, venue, LOST)
        except TimeoutError:
            report.broken.append("no order was acknowledged before the failover")
            return
        load.going.clear()
        await asyncio.to_thread(_promote, pair)
        load.going.set()
        failed_over_s = time.monotonic()
        await asyncio.to_thread(_all_ended, venue)
    last_seq = pair.journaled()
    _judge(venue, last_seq, report)
    acknowledged = [order for trader in traders for order in trader.ledger.owed.values()]
    late = [order for order in acknowledged if load.sent_s[order["client_order_id"]] > failed_over_s]
    if late:
        report.broken.append(f"{len(late)} orders that were sent after the failover were acknowledged")
    report.add("losses")
    report.add("acknowledged_orders_lost", sum(int(order["order_id"]) > last_seq for order in acknowledged))


def _promote(pair: Pair) -> None:
    pair.primary.kill()
    pair.standby.start()
    pair.fail_over()


def _all_ended(venue: ScaledVenue) -> None:
    """Waits until every process has ended, or one has ended otherwise than it must; not for ever."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        statuses = [ended.status for ended in venue.ended().values()]
        if len(statuses) == len(venue.processes) or any(status != ExitCode.JOURNAL_DAMAGED for status in statuses):
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
