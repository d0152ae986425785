"""Takes Redis away from a whole scaled venue under load, and looks whether orders go on and the readers keep up.

    python -m tests.faults.redis_away --faults 100 --seed 1

Two members trade over WebSocket and REST, each through its own gateway. After a number of acknowledgements drawn from the seed
the server is harmed as in `redis_lost`. While the fault lasts, new orders must be acknowledged, the projector must reach what
the leader had committed, and the health pages of leader and projector must say that Redis is away; afterwards, that it is back.
At the end every acknowledged order must be there, once, and the journal must verify.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Mapping
from random import Random

from redis.asyncio import Redis

from load_tests.servers.postgres import PostgresServer
from load_tests.servers.redis import ValkeyServer
from load_tests.servers.server_process import ServerMissing
from services.scaled.launch import DidNotStart
from tests.faults.redis_lost import FAULTS, Fault, Scene
from tests.faults.rig import Advance, CannotRun, Report, Rig, main
from tests.faults.scaled_venue import (
    NO_MUTANTS,
    ScaledVenue,
    TooLate,
    answered_health,
    read_health,
    scaled_venue,
    until,
)
from tests.faults.take_over import AFTER, Load, check_orders, verify
from tests.faults.traders import open_traders
from tests.faults.venue_process import Mutant

FEWEST, MOST = 20, 200
"""The fewest and the most acknowledgements before a fault."""
ORDERS_S = 10
"""In this time AFTER new orders are acknowledged, even on a busy machine."""
TRIALS_A_VENUE = 25


def run(
    faults: int,
    seed: int,
    advance: Advance,
    *,
    mutants: Mapping[str, Mutant] = NO_MUTANTS,
    pause_s: float = 0.0,
    orders_s: float = ORDERS_S,
) -> Report:
    """Runs `faults` faults, TRIALS_A_VENUE in each venue, up to the first broken promise. `pause_s` is the load's; within
    `orders_s` new orders must be acknowledged."""
    report, random = Report("redis_away"), Random(seed)
    kinds = [fault for _ in range(0, faults, len(FAULTS)) for fault in random.sample(FAULTS, len(FAULTS))][:faults]
    try:
        with PostgresServer() as postgres, ValkeyServer() as valkey:
            for first in range(0, faults, TRIALS_A_VENUE):
                valkey.flush()
                url = postgres.create_database(f"rex_{first}")
                with scaled_venue(url, sequencers=1, redis_url=valkey.url(), mutants=mutants) as venue:
                    some = kinds[first : first + TRIALS_A_VENUE]
                    asyncio.run(_one_venue(venue, valkey, some, random, report, advance, pause_s, orders_s))
                if report.broken:
                    break
    except ServerMissing as missing:
        raise CannotRun(str(missing)) from missing
    except (DidNotStart, TooLate) as reason:
        report.broken.append(str(reason))
    return report


async def _one_venue(
    venue: ScaledVenue,
    valkey: ValkeyServer,
    faults: list[Fault],
    random: Random,
    report: Report,
    advance: Advance,
    pause_s: float,
    orders_s: float,
) -> None:
    traders = await open_traders(venue)
    scene = Scene(valkey, await _stream_key(valkey))
    async with Load(venue, traders, report, pause_s=pause_s) as load:
        for fault in faults:
            try:
                await load.acknowledgements(random.randint(FEWEST, MOST))
                await _one_fault(fault, scene, venue, load, report, orders_s)
            except (TimeoutError, TooLate) as reason:
                report.broken.append(f"{fault.name}: {str(reason) or 'no order was acknowledged'}")
                break
            finally:
                valkey.resume()
            report.add(fault.name)
            advance()
    await check_orders(venue, traders, load, report)
    verify(venue, report)


async def _stream_key(valkey: ValkeyServer) -> str:
    async with Redis.from_url(valkey.url(), decode_responses=True) as redis:
        # The gateways' rate limits are keys there, too, as soon as somebody has ordered.
        (key,) = [key async for key in redis.scan_iter("rex:*", _type="stream")]
    return str(key)


async def _one_fault(
    fault: Fault, scene: Scene, venue: ScaledVenue, load: Load, report: Report, orders_s: float
) -> None:
    load.longest_s, load.last_s = 0.0, time.monotonic()
    await fault.begin(scene)
    await _orders_go_on(load, orders_s)
    if fault.sentence:
        await asyncio.to_thread(
            until, lambda: not any(_redis_there(venue)), "health pages do not say that Redis is away"
        )
        await _orders_go_on(load, orders_s)
    report.highest("longest_silence_ms", round(load.longest_s * 1000))
    await _caught_up(venue)
    await fault.end(scene)
    await asyncio.to_thread(until, lambda: all(_redis_there(venue)), "health pages do not say that Redis is back")
    await _orders_go_on(load, orders_s)
    await _caught_up(venue)


async def _orders_go_on(load: Load, orders_s: float) -> None:
    async with asyncio.timeout(orders_s):
        await load.acknowledgements(AFTER)


def _redis_there(venue: ScaledVenue) -> list[bool]:
    return [bool(answered_health(venue.processes[name].url).get("redis")) for name in ("sequencer 1", "projector 1")]


async def _caught_up(venue: ScaledVenue) -> None:
    """Waits until the projector reaches what the leader has committed now."""
    leader, projector = (venue.processes[name].url for name in ("sequencer 1", "projector 1"))
    seq = await asyncio.to_thread(until, lambda: read_health(leader).get("last_seq", 0), "the leader does not answer")
    await asyncio.to_thread(
        until, lambda: read_health(projector).get("last_seq", 0) >= seq, "the projector does not catch up"
    )


RIG = Rig("redis_away", run, "faults", short=10, long=100)

if __name__ == "__main__":
    sys.exit(main(RIG, __doc__))
