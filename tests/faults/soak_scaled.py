"""All kinds of load at once on a scaled venue, over take-overs, restarts and trading days: no process may grow.

    python -m tests.faults soak_scaled --count 7200 --seed 1

The load of the rig `soak`, through two gateways. A trading day takes a minute. In the first third of the time, every
HARM_EVERY_S seconds, the leading sequencer gets SIGTERM, SIGKILL or SIGSTOP, or a gateway or the projector is ended and started
again. Then all clients leave, the processes' descriptors and sockets are read, and the load goes on without harm. The promises
are those of `soak`, of every process; after the harms a sequencer leads and orders are acknowledged. The load without harm goes
on until clients of every kind have come.
"""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from load_tests.servers.postgres import PostgresServer
from load_tests.servers.server_process import ServerMissing
from services.scaled.launch import DidNotStart
from tests.faults.process_figures import figures
from tests.faults.promises import start_again
from tests.faults.rig import Advance, CannotRun, Report, Rig, TooLate
from tests.faults.scaled_venue import ScaledVenue, scaled_venue
from tests.faults.soak_figures import Watch, left_behind, when_all_have_left
from tests.faults.soak_load import ClientFailed, SoakLoad
from tests.faults.soak_mutants import soaked
from tests.faults.traders import Trader, open_traders

HARMED = 1 / 3
HARM_EVERY_S = 20
REPLACED = ("gateway 1", "gateway 2", "projector 1")


def run(seconds: int, seed: int, advance: Advance) -> Report:
    """Runs the soak for `seconds`. Raises CannotRun."""
    report = Report("soak_scaled", {"orders": 0, "subscribers": 0, "deaf_clients": 0, "cancels": 0})
    with TemporaryDirectory() as work:
        temporary = Path(work) / "tmp"
        temporary.mkdir()
        mutant = partial(soaked, time.time_ns(), temporary)
        mutants = dict.fromkeys(("sequencer", "gateway", "projector"), mutant)
        try:
            with PostgresServer() as server:
                url = server.create_database("rex")
                with scaled_venue(url, mutants=mutants) as venue:
                    watch = asyncio.run(_soak(venue, seconds, Random(seed), report, advance))
                    sys.stderr.write(watch.table())
                    for name in venue.processes:
                        venue.processes[name].signal(signal.SIGTERM)
                    for name, process in venue.processes.items():
                        if (status := process.ended()) != 0:
                            report.broken.append(f"{name} ended with status {status}: {process.said}")
        except ServerMissing as missing:
            raise CannotRun(str(missing)) from missing
        except (ClientFailed, DidNotStart, TooLate) as reason:
            report.broken.append(str(reason))
        report.broken += [f"{name} is left in the folder for temporary files" for name in left_behind(temporary)]
    return report


async def _soak(venue: ScaledVenue, seconds: int, random: Random, report: Report, advance: Advance) -> Watch:
    traders = await open_traders(venue)
    harmed_s = int(seconds * HARMED)
    async with SoakLoad(venue.gateways(), traders, random, report, harmed=True) as load:
        for second in range(1, harmed_s + 1):
            await _second(load, advance)
            if second % HARM_EVERY_S == 0:
                await asyncio.to_thread(_harm, venue, random, report)
    report.counts["orders"] += load.orders
    await asyncio.to_thread(venue.leader)
    await asyncio.to_thread(start_again, venue, report)
    await asyncio.to_thread(venue.wait_ready)
    return await _steady(venue, traders, seconds - harmed_s, random, report, advance)


async def _steady(
    venue: ScaledVenue, traders: list[Trader], seconds: int, random: Random, report: Report, advance: Advance
) -> Watch:
    pids, watch = _pids(venue), Watch()
    before = {name: figures(pid) for name, pid in pids.items()}
    async with SoakLoad(venue.gateways(), traders, random, report) as load:
        for _ in load.seconds(seconds):
            await _second(load, advance)
            watch.look(pids)
    report.counts["orders"] += load.orders
    watch.judge(before, await when_all_have_left(pids, before), report)
    return watch


async def _second(load: SoakLoad, advance: Advance) -> None:
    await asyncio.sleep(1.0)
    load.check()
    advance()


def _harm(venue: ScaledVenue, random: Random, report: Report) -> None:
    """One harm, and the end of what it leaves."""
    if random.random() < 0.3:
        name = random.choice(REPLACED)
        venue.processes[name].signal(signal.SIGTERM)
        venue.processes[name].ended()
        venue.replace(name)
        report.add("restarts")
        return
    leader, harm = venue.leader(), random.choice((signal.SIGTERM, signal.SIGKILL, signal.SIGSTOP))
    process = venue.processes[leader]
    process.signal(harm)
    follower = next(name for name in venue.processes if name.startswith("sequencer") and name != leader)
    venue.until_leads(follower)
    if harm == signal.SIGSTOP:
        process.signal(signal.SIGCONT)
    process.ended()
    venue.replace(leader)
    report.add("take_overs")


def _pids(venue: ScaledVenue) -> Mapping[str, int]:
    return {name: process.process.pid or 0 for name, process in venue.processes.items()}


RIG = Rig("soak_scaled", run, "seconds", short=90, long=1_800)
