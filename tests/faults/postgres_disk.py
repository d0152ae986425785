"""PostgreSQL's disk is full, cannot write, or is read-only under the load of a scaled venue, which acknowledges nothing then.

    python -m tests.faults.postgres_disk --trials 40 --seed 1

PostgreSQL has its data on a disk of its own (`thin_disk.py`). Two members trade over WebSocket and REST, each through its own
gateway. In turn:

full       no room is left: the journal's table cannot grow
full log   no room is left when PostgreSQL begins the next file of its write-ahead log
io error   new blocks cannot be written: the fsync of a checkpoint fails, once
read only  ext4 meets an error and becomes read-only

The leading sequencer must say so in one sentence that names REX_DATABASE_URL, on /readyz. In every other trial it is killed
then: what it had acknowledged without a commit would be lost. After the disk is well again PostgreSQL starts, if it has ended,
and orders must be acknowledged again. Then the power is cut: data that only the memory has are lost. At the end of each disk
every order that was ever acknowledged must be there, the journal must prove, the read database must equal a rebuilt one.

After an error of the disk it is mounted again before PostgreSQL starts (`postgres_machine.OPTIONS` says why).
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from random import Random

from rex_client import Unreachable

from load_tests.servers.server_process import ServerFailed
from services.scaled.launch import DidNotStart
from tests.faults.postgres_machine import PostgresMachine, postgres_machine
from tests.faults.rig import Advance, Report, Rig, main
from tests.faults.scaled_venue import NO_MUTANTS, ScaledVenue, TooLate, read_health, scaled_venue
from tests.faults.settled import OpenGateway, acknowledged_again, ask, conclude, replace_ended
from tests.faults.take_over import Load
from tests.faults.traders import Trader, open_traders
from tests.faults.venue_process import Mutant
from tests.patience import PATIENCE_S

FEWEST, MOST = 5, 150
"""The fewest and the most acknowledgements before the harm."""
AFTER = 20
"""So many acknowledgements of orders that were sent after the disk is well again end a trial."""
TRIALS_A_DISK = 8
PAUSE_S = 0.02
MOST_SEGMENTS = 12
"""PostgreSQL keeps some files of its log for later: after so many no old one is left."""


def run(trials: int, seed: int, advance: Advance, *, mutants: Mapping[str, Mutant] = NO_MUTANTS) -> Report:
    """Runs `trials` trials, TRIALS_A_DISK on each disk. Raises CannotRun."""
    report, random = Report("postgres_disk"), Random(seed)
    for first in range(0, trials, TRIALS_A_DISK):
        with postgres_machine() as machine:
            try:
                with scaled_venue(machine.server.create_database("rex"), sequencers=1, mutants=mutants) as venue:
                    count = min(TRIALS_A_DISK, trials - first)
                    asyncio.run(_one_disk(machine, venue, count, random, report, advance))
            except (DidNotStart, ServerFailed) as reason:
                report.broken.append(str(reason))
    return report


async def _one_disk(
    machine: PostgresMachine, venue: ScaledVenue, trials: int, random: Random, report: Report, advance: Advance
) -> None:
    traders = await open_traders(OpenGateway(venue.gateways()[0], venue.operator_key))
    await run_trials(machine, venue, traders, trials, random, report, advance)


async def run_trials(
    machine: PostgresMachine,
    venue: ScaledVenue,
    traders: list[Trader],
    trials: int,
    random: Random,
    report: Report,
    advance: Advance,
    *,
    kinds: tuple[str, ...] | None = None,
    kills: bool | None = None,
    pause_s: float = PAUSE_S,
) -> None:
    """Each kind in turn; then looks for every order. At the end there is no projector."""
    kinds = kinds or tuple(_HARMS)
    async with Load(venue, traders, report, pause_s=pause_s) as load:
        for trial in range(trials):
            kind = kinds[trial % len(kinds)]
            try:
                await load.acknowledgements(random.randint(FEWEST, MOST))
                killing = trial % 2 == 1 if kills is None else kills
                await asyncio.to_thread(_trial, machine, venue, kind, killing, report)
                await acknowledged_again(venue, load, AFTER, report)
                await asyncio.to_thread(replace_ended, venue, report)
                await ask(venue, traders, load, report)
            except (TimeoutError, TooLate, Unreachable) as reason:
                report.broken.append(f"after {kind} no order was acknowledged again {reason}")
                break
            report.add(kind.replace(" ", "_"))
            advance()
    await conclude(venue, traders, load, report)


def _trial(machine: PostgresMachine, venue: ScaledVenue, kind: str, kills: bool, report: Report) -> None:
    """Harms the disk until the leader says so, kills the leader or not, makes the disk well again, and cuts the power."""
    harm, mend = _HARMS[kind]
    leader = venue.leader()
    harm(machine)
    _notices(venue, leader, kind, report)
    if kills:
        venue.processes[leader].process.kill()
    mend(machine)
    machine.until_it_answers()
    machine.cut_power()
    machine.server.start()
    if kills:
        venue.restart(leader)


def _notices(venue: ScaledVenue, leader: str, kind: str, report: Report) -> None:
    """Waits until the leader says on /readyz what it waits for."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        causes = " ".join(read_health(venue.processes[leader].url).get("causes", ()))
        if "REX_DATABASE_URL" in causes:
            report.add("said_why")
            return
        time.sleep(0.05)
    report.broken.append(f"{kind}: {leader} does not say what it waits for: {venue.processes[leader].said}")


def _fill_the_log(machine: PostgresMachine) -> None:
    machine.fill()
    with suppress(ServerFailed):
        for _ in range(MOST_SEGMENTS):
            machine.server.query("SELECT pg_switch_wal(); INSERT INTO filler VALUES (1)")


def _fail_a_checkpoint(machine: PostgresMachine) -> None:
    machine.disk.fill()
    deadline = time.monotonic() + PATIENCE_S
    with suppress(ServerFailed):
        while time.monotonic() < deadline:  # Until a new block was among those that it writes.
            machine.server.query("CHECKPOINT")


_HARMS: dict[str, tuple[Callable[[PostgresMachine], None], Callable[[PostgresMachine], None]]] = {
    "full": (PostgresMachine.fill, PostgresMachine.empty),
    "full log": (_fill_the_log, PostgresMachine.empty),
    "io error": (_fail_a_checkpoint, PostgresMachine.remount),
    "read only": (PostgresMachine.make_read_only, PostgresMachine.remount),
}

RIG = Rig("postgres_disk", run, "trials", short=4, long=40)

if __name__ == "__main__":
    sys.exit(main(RIG, __doc__))
