"""Kills those who follow the journal of a scaled venue, projector and gateways, and rebuilds the read database, under load.

    python -m tests.faults.follower_kill --kills 300 --seed 1

Two members trade over WebSocket and REST, each through its own gateway. In turn:

statement   the projector kills itself (SIGKILL) at a statement drawn from the seed: before it, or when PostgreSQL has it
gateway     a gateway gets SIGKILL, and another one takes its address
projector   the projector gets SIGKILL
rebuild     the read database is emptied, and the projector writes it again, or kills itself at a statement of that first
both        a gateway starts while there is no projector

Before each rebuild, and at the end of each venue, the read database must equal, row by row in every table, one that was made
anew from the journal. Whoever has no outcome asks at both gateways by `client_order_id`: there is one order. Every acknowledged
order must be there, once; both gateways must answer the same book and the same balances; the journal, executed again, must have
the same events.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Sequence
from functools import partial
from random import Random

from rex_client import Unreachable

from load_tests.servers.postgres import PostgresServer
from load_tests.servers.server_process import ServerMissing
from services.read_model.tables import metadata
from services.scaled.launch import DidNotStart
from tests.faults.rig import Advance, CannotRun, Report, Rig, main
from tests.faults.scaled_mutants import killed_at_statement
from tests.faults.scaled_venue import ScaledVenue, TooLate, scaled_venue
from tests.faults.settled import OpenGateway, acknowledged_again, ask, check_stores, conclude, replace_ended
from tests.faults.take_over import Load
from tests.faults.traders import Trader, open_traders
from tests.faults.venue_process import Mutant
from tests.integration.postgres_journal import execute

KINDS = ("statement", "gateway", "projector", "rebuild", "both")
FEWEST, MOST = 5, 150
"""The fewest and the most acknowledgements before a kill."""
AFTER = 20
"""So many acknowledgements of orders that were sent after the kill end a trial."""
STATEMENTS = range(1, 41)
"""A projector's start takes seven statements, each of its transactions about ten."""
WITHIN = range(10, 11)
"""The third statement of the first transaction: the position is written, and most of the rows are not."""
TRIALS_A_VENUE = 30
PAUSE_S = 0.02
PROJECTOR = "projector 1"


def run(kills: int, seed: int, advance: Advance) -> Report:
    """Runs `kills` kills, TRIALS_A_VENUE in each venue. Raises CannotRun."""
    report, random = Report("follower_kill"), Random(seed)
    try:
        with PostgresServer() as server:
            for number, first in enumerate(range(0, kills, TRIALS_A_VENUE)):
                count = min(TRIALS_A_VENUE, kills - first)
                with scaled_venue(server.create_database(f"rex_{number}"), sequencers=1) as venue:
                    asyncio.run(_one_venue(venue, count, random, report, advance))
    except ServerMissing as missing:
        raise CannotRun(str(missing)) from missing
    except DidNotStart as reason:
        report.broken.append(str(reason))
    return report


async def _one_venue(venue: ScaledVenue, kills: int, random: Random, report: Report, advance: Advance) -> None:
    traders = await open_traders(OpenGateway(venue.gateways()[0], venue.operator_key))
    await run_trials(venue, traders, kills, random, report, advance)


async def run_trials(
    venue: ScaledVenue,
    traders: list[Trader],
    kills: int,
    random: Random,
    report: Report,
    advance: Advance,
    *,
    kinds: Sequence[str] = KINDS,
    pause_s: float = PAUSE_S,
    most: int = MOST,
    mutant: Mutant | None = None,
) -> None:
    """Each kind in turn; then looks for every order. `mutant` is the projector's. At the end there is no projector."""
    async with Load(venue, traders, report, pause_s=pause_s) as load:
        for trial in range(kills):
            kind = kinds[trial % len(kinds)]
            try:
                await load.acknowledgements(random.randint(FEWEST, most))
                await asyncio.sleep(random.uniform(0.0, 0.06))  # Anywhere within a transaction of the projector.
                await _KILLS[kind](venue, random, report, mutant)
                await acknowledged_again(venue, load, AFTER, report)
                await asyncio.to_thread(replace_ended, venue, report)
                await ask(venue, traders, load, report)
            except (TimeoutError, TooLate, Unreachable) as reason:
                report.broken.append(f"after {kind} no order was acknowledged again {reason}")
                break
            report.add(kind)
            advance()
    await conclude(venue, traders, load, report)


async def _kill_at_a_statement(venue: ScaledVenue, random: Random, report: Report, mutant: Mutant | None) -> None:
    """The projector that runs is killed too; the one that kills itself continues from its position."""
    dies = partial(killed_at_statement, random.choice(STATEMENTS), sent=random.random() < 0.5, mutant=mutant)
    try:
        process = await asyncio.to_thread(venue.restart, PROJECTOR, mutant=dies)
    except DidNotStart:  # It died before it could say that it was ready.
        await asyncio.to_thread(venue.start, PROJECTOR, mutant=mutant)
        return
    status = await asyncio.to_thread(process.ended)
    if status != -signal.SIGKILL:
        report.broken.append(f"a projector that was to kill itself ended with status {status}: {process.said}")
    await asyncio.to_thread(venue.restart, PROJECTOR, mutant=mutant)


async def _kill_gateway(venue: ScaledVenue, random: Random, _report: Report, _mutant: Mutant | None) -> None:
    await asyncio.to_thread(venue.restart, _a_gateway(venue, random))


async def _kill_projector(venue: ScaledVenue, _random: Random, _report: Report, mutant: Mutant | None) -> None:
    await asyncio.to_thread(venue.restart, PROJECTOR, mutant=mutant)


async def _rebuild(venue: ScaledVenue, random: Random, report: Report, mutant: Mutant | None) -> None:
    await check_stores(venue, report)
    await execute(venue.database_url, f"TRUNCATE {', '.join(metadata.tables)}")
    if random.random() < 0.5:
        await _kill_at_a_statement(venue, random, report, mutant)
    else:
        await asyncio.to_thread(venue.restart, PROJECTOR, mutant=mutant)


async def _kill_both(venue: ScaledVenue, random: Random, report: Report, mutant: Mutant | None) -> None:
    venue.processes[PROJECTOR].signal(signal.SIGKILL)
    await _kill_gateway(venue, random, report, mutant)
    await asyncio.to_thread(venue.restart, PROJECTOR, mutant=mutant)


def _a_gateway(venue: ScaledVenue, random: Random) -> str:
    return random.choice([name for name in venue.processes if name.startswith("gateway")])


_KILLS = {
    "statement": _kill_at_a_statement,
    "gateway": _kill_gateway,
    "projector": _kill_projector,
    "rebuild": _rebuild,
    "both": _kill_both,
}

RIG = Rig("follower_kill", run, "kills", short=15, long=300)

if __name__ == "__main__":
    sys.exit(main(RIG, __doc__))
