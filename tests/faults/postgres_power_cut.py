"""Cuts the power of PostgreSQL's disk under the load of a scaled venue, again and again, and looks for every order.

    python -m tests.faults.postgres_power_cut --cuts 50 --seed 1

The data folder of PostgreSQL is on a loop-mounted ext4 image (`thin_disk.py`). Two members trade over WebSocket and REST, each
through its own gateway. After a number of acknowledgements drawn from the seed the power is cut, the image is mounted again and
PostgreSQL starts. In every other cut the processes of the venue were on the same machine: they are killed and start again. In
the others they run on, and must recover by themselves. Each order that was ever acknowledged must be there: once, with its id,
filled at least as far; the journal, executed again, must have the same events; the read database must equal a rebuilt one.

The rig catches a server with fsync = off (the venue refuses to claim its journal; the mutant claims it all the same).
"""

from __future__ import annotations

import asyncio
import sys
from random import Random

from rex_client import Unreachable

from load_tests.servers.server_process import ServerFailed
from services.scaled.launch import DidNotStart
from tests.faults.postgres_machine import PostgresMachine, postgres_machine, restart_all
from tests.faults.rig import Advance, Report, Rig, main
from tests.faults.scaled_mutants import undurable_server
from tests.faults.scaled_venue import NO_MUTANTS, ScaledVenue, TooLate, scaled_venue
from tests.faults.settled import OpenGateway, acknowledged_again, ask, conclude, replace_ended
from tests.faults.take_over import Load
from tests.faults.traders import Trader, open_traders

FEWEST, MOST = 5, 150
"""The fewest and the most acknowledgements before a cut."""
AFTER = 20
"""So many acknowledgements of orders that were sent after the cut end a trial."""
CUTS_A_DISK = 10
PAUSE_S = 0.02
KINDS = ("database", "everything")
"""The machines that lose their power."""


def run(cuts: int, seed: int, advance: Advance, *, fsync: bool = True) -> Report:
    """Runs `cuts` cuts, CUTS_A_DISK on each disk; without fsync, those of one disk at most. Raises CannotRun."""
    report, random = Report("postgres_power_cut"), Random(seed)
    for first in range(0, cuts, CUTS_A_DISK):
        with postgres_machine() as machine:
            try:
                mutants = NO_MUTANTS if fsync else {"sequencer": undurable_server}
                with scaled_venue(machine.server.create_database("rex"), mutants=mutants) as venue:
                    if not fsync:
                        machine.without_syncs()
                    count = min(CUTS_A_DISK, cuts - first)
                    kinds = KINDS if fsync else KINDS[1:]
                    asyncio.run(_one_disk(machine, venue, count, random, report, advance, kinds))
            except (DidNotStart, ServerFailed) as reason:
                report.broken.append(str(reason))
        if not fsync:
            break
    return report


async def _one_disk(
    machine: PostgresMachine,
    venue: ScaledVenue,
    cuts: int,
    random: Random,
    report: Report,
    advance: Advance,
    kinds: tuple[str, ...],
) -> None:
    traders = await open_traders(OpenGateway(venue.gateways()[0], venue.operator_key))
    await run_cuts(machine, venue, traders, cuts, random, report, advance, kinds=kinds)


async def run_cuts(
    machine: PostgresMachine,
    venue: ScaledVenue,
    traders: list[Trader],
    cuts: int,
    random: Random,
    report: Report,
    advance: Advance,
    *,
    kinds: tuple[str, ...] = KINDS,
    pause_s: float = PAUSE_S,
) -> None:
    """Each kind in turn; then looks for every order. At the end there is no projector."""
    async with Load(venue, traders, report, pause_s=pause_s) as load:
        for cut in range(cuts):
            kind = kinds[cut % len(kinds)]
            try:
                await load.acknowledgements(random.randint(FEWEST, MOST))
                await asyncio.to_thread(_cut, machine, venue, kind)
                await acknowledged_again(venue, load, AFTER, report)
                await asyncio.to_thread(replace_ended, venue, report)
                await ask(venue, traders, load, report)
            except (TimeoutError, TooLate, Unreachable) as reason:
                report.broken.append(f"after a cut of {kind} no order was acknowledged again {reason}")
                break
            report.add(kind)
            advance()
    await conclude(venue, traders, load, report)


def _cut(machine: PostgresMachine, venue: ScaledVenue, kind: str) -> None:
    machine.cut_power()
    machine.server.start()
    if kind == "everything":
        restart_all(venue)


RIG = Rig("postgres_power_cut", run, "cuts", short=4, long=50)

if __name__ == "__main__":
    sys.exit(main(RIG, __doc__))
