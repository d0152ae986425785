"""Two hosts, or one and all others, are cut off from each other: packets are dropped, nothing is refused or reset.

Each process has a host of its own, in a network namespace: two sequencers, two gateways, the projector, PostgreSQL and its
synchronous standby. The cut is in one direction or both, for a time drawn from the seed; then the network is healed. At the end
the standby must hold the whole journal, too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial

from load_tests.servers.postgres import PostgresServer
from load_tests.servers.server_process import ServerMissing
from load_tests.servers.standby import PostgresStandby
from tests.faults.rig import CannotRun
from tests.faults.scaled_venue import ScaledVenue, scaled_venue
from tests.faults.stage import DATABASE, Stage
from tests.faults.switch import Switch, enter, entered
from tests.faults.venue_process import Mutant

SEQUENCERS, GATEWAYS = ("sequencer 1", "sequencer 2"), ("gateway 1", "gateway 2")
POSTGRES, STANDBY, PROJECTOR = "postgres", "standby", "projector 1"
HOSTS = (POSTGRES, STANDBY, *SEQUENCERS, *GATEWAYS, PROJECTOR)
KINDS = (
    "leader and postgres", "leader and gateway", "gateway and postgres", "postgres and standby", "leader alone",
    "follower and postgres", "gateway alone", "projector and postgres", "postgres alone",
)  # fmt: skip


class Hosts(Stage):
    """A venue whose processes and servers have hosts of their own."""

    def __init__(self, venue: ScaledVenue, switch: Switch, standby: PostgresStandby) -> None:
        super().__init__(venue)
        self.switch, self._standby = switch, standby

    def compare_servers(self) -> None:
        """Every confirmed commit is on the standby, too: both end with the same row."""
        sql = "SELECT last_seq, encode(last_hash, 'hex') FROM journal_writer"
        self.venue.close()  # Nobody writes any more.
        found = self._standby.query(sql, DATABASE)
        self.report.add("standbys_compared")
        if found != (known := self._standby.primary.query(sql, DATABASE)):
            self.report.broken.append(f"the synchronous standby ends with {found}, the primary with {known}")


async def _cut(kind: str, stage: Hosts) -> None:
    random, switch = stage.random, stage.switch
    leader = await asyncio.to_thread(stage.venue.leader)
    names = {
        "leader": leader,
        "follower": SEQUENCERS[SEQUENCERS[0] == leader],
        "gateway": random.choice(GATEWAYS),
        "projector": PROJECTOR,
    }
    one, _, other = kind.removesuffix(" alone").partition(" and ")
    first = names.get(one, one)
    others = [names.get(other, other)] if other else [host for host in HOSTS if host != first]
    both, backwards = random.random() < 0.7, random.random() < 0.5
    for host in others:
        switch.cut(*((host, first) if backwards else (first, host)), both=both)
    await asyncio.sleep(random.choice(stage.pace.lasts_s))  # The cut's length, not a wait for something.
    switch.heal()


CUTS = {kind: partial(_cut, kind) for kind in KINDS}


class _Elsewhere(PostgresServer):
    """A server in a namespace, which other hosts reach."""

    def __init__(self, switch: Switch, host: str) -> None:
        super().__init__()
        self.host = switch.address(host)
        self._namespace = switch.namespace(host)

    def start(self) -> None:
        with entered(self._namespace):
            super().start()

    def _create_data(self) -> None:
        super()._create_data()
        with (self._data / "pg_hba.conf").open("a") as file:
            file.write("host all all samenet scram-sha-256\nhost replication all samenet scram-sha-256\n")


class _StandbyElsewhere(PostgresStandby):
    """A standby in a namespace."""

    def __init__(self, switch: Switch, primary: PostgresServer) -> None:
        super().__init__(primary)
        self.host = switch.address(STANDBY)
        self._namespace = switch.namespace(STANDBY)

    def start(self) -> None:
        with entered(self._namespace):
            super().start()


@contextmanager
def hosts(mutants: Mapping[str, Mutant]) -> Iterator[Hosts]:
    """Every process on a host of its own. Raises CannotRun."""
    with ExitStack() as opened:
        switch = opened.enter_context(Switch(HOSTS))
        try:
            primary = opened.enter_context(_Elsewhere(switch, POSTGRES))
        except ServerMissing as missing:
            raise CannotRun(str(missing)) from missing
        standby = _StandbyElsewhere(switch, primary)
        opened.enter_context(standby)
        standby.make_synchronous()
        inside = {kind: partial(_enter_and, mutants.get(kind)) for kind in ("sequencer", "gateway", "projector")}
        url = primary.create_database(DATABASE)
        venue = scaled_venue(url, mutants=inside, variables_of=lambda name: dict(switch.variables_of(name)))
        yield Hosts(opened.enter_context(venue), switch, standby)


def _enter_and(mutant: Mutant | None) -> None:
    enter()
    if mutant is not None:
        mutant()
