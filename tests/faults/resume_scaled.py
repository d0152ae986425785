"""As resume.py, in the scaled mode: members follow through one gateway after the other while gateways and leaders are killed.

    python -m tests.faults resume_scaled --count 200 --seed 1

Two members trade through two gateways on PostgreSQL, and each follows its streams through a proxy that leads to one of them.
Every harm is drawn from the seed: the connections are reset; they are reset and lead to the other gateway, which may be behind;
the gateway that they lead to is killed and started again; the leading sequencer is killed, and a standby takes over.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Mapping
from random import Random

from load_tests.servers.postgres import PostgresServer
from load_tests.servers.server_process import ServerMissing
from services.scaled.launch import DidNotStart
from tests.faults.load import Load
from tests.faults.resume import follow_through
from tests.faults.resume_stage import bust_some
from tests.faults.rig import Advance, CannotRun, Report, Rig, TooLate
from tests.faults.scaled_venue import NO_MUTANTS, ScaledVenue, scaled_venue
from tests.faults.tcp_proxy import TcpProxy, server_of
from tests.faults.traders import Trader
from tests.faults.venue_process import Mutant

HARMS = ("cuts_of_sockets", "changes_of_gateway", "kills_of_gateway", "kills_of_leader")
PAUSE_S = 0.01
"""How long a lane of the load rests after each answer: the processes of a venue share few cores."""


class Gateways:
    """The venue's processes, and the gateway to which the proxy leads."""

    def __init__(self, venue: ScaledVenue, report: Report, random: Random, harms: list[str]) -> None:
        self.venue, self.random, self._report = venue, random, report
        self._harms = iter(harms)
        self._here = "gateway 1"
        self.proxy = TcpProxy(server_of(venue.processes[self._here].url))
        self.traders: list[Trader] = []
        self._load: Load | None = None

    async def trade(self, acknowledgements: int) -> None:
        """See Stage."""
        if self._load is None:
            self._load = Load(self.venue, self.traders, self._report, pause_s=PAUSE_S)
            await self._load.keys_known()
            await self._load.__aenter__()
        await self._load.acknowledgements(acknowledgements)

    async def stop_trading(self) -> None:
        """See Stage."""
        if self._load is not None:
            await self._load.__aexit__()
        await asyncio.to_thread(self.venue.wait_ready)

    async def harm(self) -> None:
        """See Stage."""
        await bust_some(self.venue, self.traders[0], self.random, self._report)
        kind = next(self._harms)
        if kind == "changes_of_gateway":
            (self._here,) = {"gateway 1", "gateway 2"} - {self._here}
            self.proxy.target = server_of(self.venue.processes[self._here].url)
        elif kind == "kills_of_gateway":
            await asyncio.to_thread(self._start_again, self._here)
        elif kind == "kills_of_leader":
            await asyncio.to_thread(self._depose)
        if kind != "kills_of_leader":  # the sockets live through a take-over
            await self.proxy.cut()
        self._report.add(kind)

    def _start_again(self, gateway: str) -> None:
        self.venue.processes[gateway].signal(signal.SIGKILL)
        self.venue.restart(gateway)
        self.venue.wait_ready()

    def _depose(self) -> None:
        leader = self.venue.leader()
        self.venue.processes[leader].signal(signal.SIGKILL)
        self.venue.restart(leader)
        self.venue.leader()


def run(harms: int, seed: int, advance: Advance, *, mutants: Mapping[str, Mutant] = NO_MUTANTS) -> Report:
    """Harms a venue `harms` times; each kind of harm about as often as the others."""
    report, random = Report("resume_scaled", dict.fromkeys(HARMS, 0)), Random(seed)
    drawn = [HARMS[number % len(HARMS)] for number in range(harms)]
    random.shuffle(drawn)
    try:
        with PostgresServer() as server, scaled_venue(server.create_database("rex"), mutants=mutants) as venue:
            asyncio.run(follow_through(Gateways(venue, report, random, drawn), harms, report, advance))
    except ServerMissing as missing:
        raise CannotRun(str(missing)) from missing
    except (DidNotStart, TooLate) as reason:
        report.broken.append(str(reason))
    return report


RIG = Rig("resume_scaled", run, "harms", short=12, long=200)
