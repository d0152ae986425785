"""Fails a venue under load over to PostgreSQL's synchronous standby, and looks for every acknowledged order.

    python -m tests.faults.failover --failovers 20 --seed 1

Two members trade through two gateways; every process reaches PostgreSQL through a proxy, which leads to the new primary after a
failover, as a virtual address does. The faults:

    killed    the primary gets SIGKILL, and the standby is promoted
    behind    the standby is down when an append is committed, and the writer's session is terminated: the row is visible on the
              primary and not on the standby. Then the primary gets SIGKILL, and the standby is started and promoted
    silent    the standby is down for so long that the other sequencers take the waiting writer for dead; then the same
    reopened  as behind; the gateways pause until their links are cut, and read the journal again; then the writer dies too

In all no acknowledged order may be missing on the promoted standby, and orders must be acknowledged again. A process that has
read the row that was visible and never confirmed may end with exit status 5, because it cannot know that nobody was answered;
it is started again. A writer that reads its row back, instead of writing, acknowledges it: it must be caught losing it.
"""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from collections.abc import Callable, Mapping
from functools import partial
from random import Random

from load_tests.servers.server_process import ServerFailed
from services.processes.exit_codes import ExitCode
from services.scaled.launch import DidNotStart
from tests.faults.database_away import compare, have_read, reached
from tests.faults.postgres_stage import Pair, stage
from tests.faults.rig import Advance, Report, Rig, main
from tests.faults.scaled_venue import NO_MUTANTS, ScaledVenue, TooLate
from tests.faults.take_over import Load
from tests.faults.traders import Trader, open_traders
from tests.faults.venue_process import Mutant
from tests.patience import PATIENCE_S

FEWEST, MOST = 20, 100
AFTER = 30
READ_S = 0.5
"""The projector reads the journal every 0.1 s, a standby every 0.2 s, a gateway looks every 0.25 s."""
SILENT_S = 6.0
"""A standby claims after 1.4 s, and ends the session that holds the writer row after 1 s more."""
TRIALS_A_VENUE = 10
MAY_END = (ExitCode.OTHER_WRITER, ExitCode.JOURNAL_DAMAGED, -signal.SIGKILL)
PAUSED_S = 4.0
"""A sequencer cuts a link without an answer after 3 s."""


def run(failovers: int, seed: int, advance: Advance, *, mutants: Mapping[str, Mutant] = NO_MUTANTS) -> Report:
    """Runs `failovers` failovers, one after the other of each kind."""
    report, random = Report("failover"), Random(seed)
    try:
        for first in range(0, failovers, TRIALS_A_VENUE):
            with stage(mutants) as (venue, pair):
                kinds = [[*FAULTS][at % len(FAULTS)] for at in range(first, min(failovers, first + TRIALS_A_VENUE))]
                asyncio.run(one_venue(venue, pair, kinds, random, report, advance))
    except (DidNotStart, ServerFailed, TooLate) as reason:
        report.broken.append(str(reason))
    return report


def killed(pair: Pair, _venue: ScaledVenue) -> None:
    """The primary dies, and the standby takes its place."""
    pair.primary.kill()
    pair.fail_over()


def behind(pair: Pair, _venue: ScaledVenue) -> None:
    """A row is committed on the primary alone, and visible there, before the standby takes its place."""
    _show_a_row(pair)
    _take_its_place(pair)


def reopened(pair: Pair, venue: ScaledVenue) -> None:
    """As `behind`; the gateways open their links again meanwhile and read the journal. The writer, which would append the same
    row again, dies with its server."""
    leader = venue.leader()
    _show_a_row(pair)
    gateways = [process for name, process in venue.processes.items() if name.startswith("gateway")]
    for gateway in gateways:
        gateway.signal(signal.SIGSTOP)
    time.sleep(PAUSED_S)
    for gateway in gateways:
        gateway.signal(signal.SIGCONT)
    time.sleep(READ_S)
    venue.processes[leader].signal(signal.SIGKILL)
    _take_its_place(pair)


def _show_a_row(pair: Pair) -> None:
    """Commits a row on the primary alone, and makes it visible there."""
    pair.standby.kill()
    try:
        _wait(lambda: _append_waits(pair) or _let_beat_pass(pair), "no append waits for the standby")
    except TooLate:
        pair.standby.start()
        raise
    before = pair.journaled()
    pair.query(f"SELECT pg_terminate_backend(pid) {_WAITING.format(_APPENDS)}")
    _wait(lambda: pair.journaled() > before, "the terminated append does not become visible")
    time.sleep(READ_S)


def _take_its_place(pair: Pair) -> None:
    pair.primary.kill()
    pair.standby.start()
    pair.fail_over()


def silent(pair: Pair, _venue: ScaledVenue) -> None:
    """The standby is away for so long that sequencers claim from each other and end each other's sessions; then it takes the
    primary's place."""
    pair.standby.kill()
    time.sleep(SILENT_S)
    _take_its_place(pair)


_APPENDS, _BEATS = "INSERT INTO journal", "backend = pg_backend_pid()"
_WAITING = "FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND query LIKE '%{}%'"
"""The session that waits for the standby in a statement with these words: the writer's. Its number in `journal_writer` is old
where a writer has connected again without a beat, as a mutant does."""


def _append_waits(pair: Pair) -> bool:
    """Whether the writer waits for the standby in the statement that appends."""
    return pair.query(f"SELECT count(*) {_WAITING.format(_APPENDS)}") == "1"


def _let_beat_pass(pair: Pair) -> bool:
    """If the writer waits for the standby in a beat, no append follows: the standby is there for a moment. False."""
    if pair.query(f"SELECT count(*) {_WAITING.format(_BEATS)}") == "1":
        pair.standby.start()
        pair.standby.wait_until_attached("sync")
        pair.standby.kill()
    return False


def _wait(condition: Callable[[], bool], otherwise: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > deadline:
            raise TooLate(otherwise)
        time.sleep(0.05)


FAULTS = {fault.__name__: fault for fault in (killed, behind, silent, reopened)}


async def one_venue(
    venue: ScaledVenue, pair: Pair, kinds: list[str], random: Random, report: Report, advance: Advance
) -> None:
    """Failovers of these kinds, under load; then the comparison."""
    traders = await open_traders(venue)
    async with Load(venue, traders, report) as load:
        for kind in kinds:
            try:
                load.going.clear()
                await asyncio.to_thread(pair.add_standby, synchronous=True)
                load.going.set()
                await reached(load, venue, random.randint(FEWEST, MOST))
                await asyncio.to_thread(FAULTS[kind], pair, venue)
                load.longest_s, load.last_s = 0.0, time.monotonic()
                report.broken += [f"{order} is not on the promoted standby" for order in lost(traders, pair)]
                if report.broken:
                    return
                await reached(load, venue, AFTER)
            except (TimeoutError, TooLate) as reason:
                report.broken.append(f"after {kind} no order was acknowledged again {reason}".strip())
            report.add(kind)
            report.highest("longest_silence_after_ms", round(load.longest_s * 1000))
            load.going.clear()
            await asyncio.to_thread(start_again, venue, report)
            await asyncio.to_thread(have_read, venue, pair.journaled(), partial(start_again, venue, report))
            load.going.set()
            if report.broken:
                return
            advance()
    await compare(venue, traders, load, report)


def lost(traders: list[Trader], pair: Pair) -> list[str]:
    """The acknowledged orders that came after the end of the promoted standby's journal: an order's id is the seq of its
    command. Asked before an order can be acknowledged by the new primary."""
    orders = [order for trader in traders for order in trader.ledger.owed.values()]
    late = [order for order in orders if int(order["order_id"]) > pair.promoted_seq]
    return [f"{order['client_order_id']}, acknowledged as order {order['order_id']}," for order in late]


def start_again(venue: ScaledVenue, report: Report) -> None:
    """What a supervisor does."""
    for name, ended in venue.ended().items():
        if ended.status in MAY_END:
            report.add(f"{name.split()[0]}s_ended_with_{ended.status}")
        else:
            report.broken.append(f"{name} ended with status {ended.status}: {ended.said[-500:].strip()}")
        venue.replace(name)


RIG = Rig("failover", run, "failovers", short=4, long=20)

if __name__ == "__main__":
    sys.exit(main(RIG, __doc__))
