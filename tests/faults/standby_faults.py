"""PostgreSQL fails over to its synchronous standby, or to an asynchronous one that lacks acknowledged rows.

The proxies lead to the new primary, as a virtual address does. No order that was acknowledged may be missing on a standby that
was synchronous. A process that has read a row that was visible and never confirmed may end with exit status 5, because it
cannot know that nobody was answered. Where PostgreSQL has lost acknowledged orders nothing can bring them back, and every
process remembers more than the database holds: each must end with exit status 5 and a sentence with the first lost seq, and no
order may be acknowledged after the failover.
"""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable
from functools import partial

from services.messaging.redis_stream.feed import SILENCE_S
from services.processes.exit_codes import ExitCode
from tests.faults.rig import TooLate, until
from tests.faults.stage import Wired

READ_S = SILENCE_S + 0.5
"""A standby reads the journal every 0.2 s, a gateway looks every 0.25 s, the projector when its stream is silent."""
SILENT_S = 6.0
"""A standby claims after 1.4 s, and ends the session that holds the writer row after 1 s more."""
PAUSED_S = 4.0
"""A sequencer cuts a link without an answer after 3 s."""
LOST = 20
"""At least so many acknowledged orders are lost."""
LOST_ROWS = 3
"""So many rows the primary shows after the end that it showed when the standby was dead: at least two are lost. The standby may
have one of them, since a primary sends a commit before it shows it. Of two that are lost, every reader knows that the first was
acknowledged; a single one that it has only read may never have been, and it says so, and not that commands are lost."""
_APPENDS, _BEATS = "INSERT INTO journal", "backend = pg_backend_pid()"
_WAITING = "FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND query LIKE '%{}%'"
"""The session that waits for the standby in a statement with these words: the writer's. Its number in `journal_writer` is old
where a writer has connected again without a beat, as a mutant does."""


async def _fail_over(before: Callable[[Wired], None], stage: Wired) -> None:
    stage.load.going.clear()
    await asyncio.to_thread(stage.have_read, stage.journaled())
    await asyncio.to_thread(stage.add_standby, synchronous=True)
    stage.load.going.set()
    await stage.load.acknowledgements(stage.random.randint(5, stage.pace.most))
    await asyncio.to_thread(before, stage)
    await asyncio.to_thread(stage.fail_over)
    stage.load.longest_s, stage.load.last_s = 0.0, time.monotonic()
    stage.report.broken += [f"{order} is not on the promoted standby" for order in _lost(stage)]


def _killed(_stage: Wired) -> None:
    """The primary dies, and the standby takes its place."""


def _behind(stage: Wired) -> None:
    """A row is committed on the primary alone, and visible there, before the standby takes its place: the standby is down when
    an append is committed, and the writer's session is terminated."""
    stage.standby.kill()
    try:
        until(lambda: _append_waits(stage) or _let_beat_pass(stage), "no append waits for the standby")
    except TooLate:
        stage.standby.start()
        raise
    before = stage.journaled()
    stage.query(f"SELECT pg_terminate_backend(pid) {_WAITING.format(_APPENDS)}")
    until(lambda: stage.journaled() > before, "the terminated append does not become visible")
    time.sleep(READ_S)


def _silent(stage: Wired) -> None:
    """The standby is away for so long that sequencers claim from each other and end each other's sessions."""
    stage.standby.kill()
    time.sleep(SILENT_S)


def _reopened(stage: Wired) -> None:
    """As `behind`; the gateways open their links again meanwhile and read the journal. The writer, which would append the same
    row again, dies with its server."""
    leader = stage.venue.leader()
    _behind(stage)
    gateways = [process for name, process in stage.venue.processes.items() if name.startswith("gateway")]
    for gateway in gateways:
        gateway.signal(signal.SIGSTOP)
    time.sleep(PAUSED_S)
    for gateway in gateways:
        gateway.signal(signal.SIGCONT)
    time.sleep(READ_S)
    stage.venue.processes[leader].signal(signal.SIGKILL)


FAILOVERS = {
    "killed": partial(_fail_over, _killed),
    "behind": partial(_fail_over, _behind),
    "silent": partial(_fail_over, _silent),
    "reopened": partial(_fail_over, _reopened),
}


def _append_waits(stage: Wired) -> bool:
    """Whether the writer waits for the standby in the statement that appends."""
    return stage.query(f"SELECT count(*) {_WAITING.format(_APPENDS)}") == "1"


def _let_beat_pass(stage: Wired) -> bool:
    """If the writer waits for the standby in a beat, no append follows: the standby is there for a moment. False."""
    if stage.query(f"SELECT count(*) {_WAITING.format(_BEATS)}") == "1":
        stage.standby.start()
        stage.standby.wait_until_attached("sync")
        stage.standby.kill()
    return False


def _lost(stage: Wired) -> list[str]:
    """The acknowledged orders that came after the end of the promoted standby's journal: an order's id is the seq of its
    command. Asked before an order can be acknowledged by the new primary."""
    orders = [order for trader in stage.traders for order in trader.ledger.owed.values()]
    late = [order for order in orders if int(order["order_id"]) > stage.promoted_seq]
    return [f"{order['client_order_id']}, acknowledged as order {order['order_id']}," for order in late]


async def _lose_rows(stage: Wired) -> None:
    """The processes of a kind that has a mutant are not waited for."""
    venue, load = stage.venue, stage.load
    await asyncio.to_thread(stage.add_standby, synchronous=False)
    await load.acknowledgements(stage.random.randint(5, stage.pace.most))
    await asyncio.to_thread(stage.standby.kill)
    end = await asyncio.to_thread(stage.journaled)
    await load.acknowledgements(LOST)
    while (
        int(await asyncio.to_thread(stage.query, f"SELECT count(*) FROM journal WHERE first_seq > {end}")) < LOST_ROWS
    ):
        await load.acknowledgements(1)
    load.going.clear()
    # A standby that has not read a row cannot know that it is missing.
    await asyncio.to_thread(stage.have_read, stage.journaled())
    await asyncio.to_thread(stage.fail_over)
    stage.report.add("acknowledged_orders_lost", len(_lost(stage)))
    acknowledged = load.acknowledged
    load.going.set()
    sound = {name for name in venue.processes if name.split()[0] not in venue.mutants}
    await asyncio.to_thread(
        until,
        lambda: (
            venue.ended().keys() >= sound or {one.status for one in venue.ended().values()} - {ExitCode.JOURNAL_DAMAGED}
        ),
        "not every process ends",
    )
    _judge(stage)
    if load.acknowledged > acknowledged:
        stage.report.broken.append(f"{load.acknowledged - acknowledged} orders were acknowledged after the failover")


LOSSES = {"lost rows": _lose_rows}


def _judge(stage: Wired) -> None:
    ended, report = stage.venue.ended(), stage.report
    sentence = f"lost commands from seq {stage.promoted_seq + 1} on"
    for name in stage.venue.processes:
        if name not in ended:
            report.broken.append(f"{name} goes on, though the database has {sentence}")
        elif ended[name].status != ExitCode.JOURNAL_DAMAGED or sentence not in ended[name].said:
            report.broken.append(f"{name} ended with status {ended[name].status}: {ended[name].said[-500:].strip()}")
        else:
            report.add(f"{name.split()[0]}s_stopped")
