"""Damages the network between the processes of a scaled venue under load, and looks for every order.

    python -m tests.faults.network --faults 200 --seed 1

Two members trade over WebSocket and REST, each through its own gateway. A TCP proxy stands between gateway and sequencer,
between gateway, sequencer, projector and PostgreSQL, and between sequencer, projector and Redis. After a number of
acknowledgements drawn from the seed one of these pairs is harmed: its connections are cut, cut and refused, delayed, half
closed, passed in single bytes, or nothing passes at all, in one direction or both, for a time drawn from the seed. Then the
network is healed, and orders must be acknowledged again without anybody's help.

Every request must end in bounded time. Whoever has no outcome asks afterwards, at both gateways: by `client_order_id`, then by
sending the order again; all answers must be of one order. At the end of each venue every acknowledged order must be there,
once, with its id, filled at least as far; an order that was refused must not be there; the journal, executed again, must have
the same events; and the read database must equal a rebuilt one, row by row.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from random import Random

import httpx
from rex_client import Unreachable

from load_tests.servers.postgres import PostgresServer
from load_tests.servers.redis import ValkeyServer
from load_tests.servers.server_process import ServerMissing
from services.scaled.launch import DidNotStart
from tests.faults.proxies import FAULTS, PAIRS, Harm, Proxies, heal
from tests.faults.rig import Advance, CannotRun, Report, Rig, main
from tests.faults.scaled_venue import ScaledVenue, TooLate, scaled_venue
from tests.faults.settled import OpenGateway, acknowledged_again, ask, conclude, replace_ended
from tests.faults.take_over import Load
from tests.faults.traders import Trader, open_traders
from tests.faults.venue_process import Mutant
from tests.patience import AsyncHttpClient

FEWEST, MOST = 5, 100
"""The fewest and the most acknowledgements before the harm."""
AFTER = 30
"""So many acknowledgements of orders that were sent after the healing end a trial."""
LASTS_S = (0.2, 1.0, 2.5, 6.0, 12.0)
"""How long a harm may last: shorter and longer than a take-over takes, and longer than a request waits for its batch."""
TRIALS_A_VENUE = 30
READ_S = 20.0
"""No query may wait longer for its answer."""
PAUSE_S = 0.02


@contextmanager
def proxied_venue(server: PostgresServer, database: str) -> Iterator[tuple[ScaledVenue, Proxies]]:
    """A venue with Redis in which every pair of processes speaks through a proxy."""
    with ExitStack() as opened:
        valkey = opened.enter_context(ValkeyServer())
        url = server.create_database(database)
        proxies = opened.enter_context(Proxies(server, valkey, url).running())
        yield opened.enter_context(scaled_venue(url, variables_of=proxies.variables_of)), proxies


def run(faults: int, seed: int, advance: Advance, *, mutant: Mutant | None = None) -> Report:
    """Runs `faults` trials, TRIALS_A_VENUE in each venue. Raises CannotRun."""
    report, random = Report("network"), Random(seed)
    try:
        with PostgresServer() as server:
            for number, first in enumerate(range(0, faults, TRIALS_A_VENUE)):
                with proxied_venue(server, f"rex_{number}") as (venue, proxies):
                    count = min(TRIALS_A_VENUE, faults - first)
                    asyncio.run(one_venue(venue, proxies, count, random, report, advance))
    except ServerMissing as missing:
        raise CannotRun(str(missing)) from missing
    except DidNotStart as reason:
        report.broken.append(str(reason))
    return report


async def one_venue(
    venue: ScaledVenue, proxies: Proxies, trials: int, random: Random, report: Report, advance: Advance
) -> None:
    """Runs trials in a new venue."""
    traders = await open_traders(OpenGateway(venue.gateways()[0], venue.operator_key))
    await run_trials(venue, proxies, traders, trials, random, report, advance)


async def run_trials(
    venue: ScaledVenue,
    proxies: Proxies,
    traders: list[Trader],
    trials: int,
    random: Random,
    report: Report,
    advance: Advance,
    *,
    pairs: Sequence[str] = PAIRS,
    faults: Sequence[str] = FAULTS,
    lasts_s: Sequence[float] = LASTS_S,
    pause_s: float = PAUSE_S,
    most: int = MOST,
) -> None:
    """Each pair in turn, each fault in turn; then looks for every order. At the end there is no projector."""
    async with Load(venue, traders, report, pause_s=pause_s) as load, _queries(venue, traders, report):
        for trial in range(trials):
            pair = pairs[trial % len(pairs)]
            if trial % len(faults) == 0:
                faults = random.sample(faults, len(faults))
            harm = Harm.drawn(faults[trial % len(faults)], random)
            try:
                await load.acknowledgements(random.randint(FEWEST, most))
                await _trial(venue, proxies, pair, harm, random, load, report, random.choice(lasts_s))
                await ask(venue, traders, load, report)
            except (TimeoutError, TooLate, Unreachable) as reason:
                report.broken.append(f"after {harm.fault} of {pair} no order was acknowledged again {reason}")
                break
            report.add(harm.fault.replace(" ", "_"))
            advance()
    await conclude(venue, traders, load, report)


async def _trial(
    venue: ScaledVenue,
    proxies: Proxies,
    pair: str,
    harm: Harm,
    random: Random,
    load: Load,
    report: Report,
    lasts_s: float,
) -> None:
    leader = await asyncio.to_thread(venue.leader)
    harmed = proxies.between(pair, leader, random)
    load.longest_s, load.last_s = 0.0, time.monotonic()
    await asyncio.to_thread(proxies.call, harm.begin(harmed))
    await asyncio.sleep(lasts_s)  # The harm's length, not a wait for something.
    await asyncio.to_thread(proxies.call, heal(harmed))
    healed_s = time.monotonic()
    await acknowledged_again(venue, load, AFTER, report)
    report.highest("longest_silence_ms", round(load.longest_s * 1000))
    report.highest("longest_recovery_ms", round((time.monotonic() - healed_s) * 1000))
    await asyncio.to_thread(replace_ended, venue, report)


@asynccontextmanager
async def _queries(venue: ScaledVenue, traders: list[Trader], report: Report) -> AsyncIterator[None]:
    """Each member asks for its orders again and again at its gateway; each query must be answered, even if by a refusal."""
    stopping = asyncio.Event()

    async def query(trader: Trader, url: str) -> None:
        headers = {"authorization": f"Bearer {trader.key}"}
        async with AsyncHttpClient(base_url=url, headers=headers) as client:
            while not stopping.is_set():
                began_s = time.monotonic()
                try:
                    async with asyncio.timeout(READ_S):
                        answer = await client.get("/v1/orders", params={"limit": 1})
                except TimeoutError:
                    report.broken.append(f"a query had no answer in {READ_S:g} seconds")
                except httpx.TransportError as error:
                    report.broken.append(f"the gateway at {url} is gone: {error!r}")
                    return
                else:
                    report.add("queries" if answer.is_success else "queries_refused")
                    if not answer.is_success and answer.status_code != 503:
                        report.broken.append(f"a query was answered {answer.status_code}: {answer.text[:300]}")
                    report.highest("longest_query_ms", round((time.monotonic() - began_s) * 1000))
                await asyncio.sleep(0.1)

    async with asyncio.TaskGroup() as tasks:
        for trader, url in zip(traders, venue.gateways(), strict=True):
            tasks.create_task(query(trader, url))
        try:
            yield
        finally:
            stopping.set()


RIG = Rig("network", run, "faults", short=15, long=200)

if __name__ == "__main__":
    sys.exit(main(RIG, __doc__))
