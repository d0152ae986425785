"""Partitions the hosts of a scaled venue under load, and looks for every order.

    python -m tests.faults.namespaces --cuts 100 --seed 1

Each process is a host of its own, in a network namespace: two sequencers, two gateways, the projector, PostgreSQL and its
synchronous standby. Two members trade over WebSocket and REST, each through its own gateway. After a number of acknowledgements
drawn from the seed two hosts, or one and all others, are cut off from each other, in one direction or both: packets are
dropped, nothing is refused or reset. After a time drawn from the seed the network is healed, and orders must be acknowledged
again without anybody's help.

Whoever has no outcome asks afterwards, at both gateways; all answers must be of one order. At the end every acknowledged order
must be there, once, filled at least as far; an order that was refused must not be there; the journal, executed again, must have
the same events, the read database must equal a rebuilt one, and the synchronous standby must hold the whole journal.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from random import Random
from typing import NamedTuple

from rex_client import Unreachable

from load_tests.servers.postgres import PostgresServer
from load_tests.servers.server_process import ServerMissing
from load_tests.servers.standby import PostgresStandby
from services.scaled.launch import DidNotStart
from tests.faults.rig import Advance, CannotRun, Report, Rig, main
from tests.faults.scaled_venue import NO_MUTANTS, ScaledVenue, TooLate, scaled_venue
from tests.faults.settled import OpenGateway, acknowledged_again, ask, conclude, replace_ended
from tests.faults.switch import Switch, enter, entered
from tests.faults.take_over import Load
from tests.faults.traders import open_traders
from tests.faults.venue_process import Mutant

SEQUENCERS, GATEWAYS = ("sequencer 1", "sequencer 2"), ("gateway 1", "gateway 2")
POSTGRES, STANDBY, PROJECTOR = "postgres", "standby", "projector 1"
HOSTS = (POSTGRES, STANDBY, *SEQUENCERS, *GATEWAYS, PROJECTOR)
DATABASE = "rex"

FEWEST, MOST = 5, 100
"""The fewest and the most acknowledgements before the cut."""
AFTER = 30
"""So many acknowledgements of orders that were sent after the healing end a trial."""
LASTS_S = (0.2, 1.0, 2.5, 6.0, 12.0)
"""How long a cut may last: shorter and longer than a take-over takes, and longer than a request waits for its batch."""
TRIALS_A_VENUE = 25
PAUSE_S = 0.02

KINDS = (
    "leader and postgres", "leader and gateway", "gateway and postgres", "postgres and standby", "leader alone",
    "follower and postgres", "gateway alone", "projector and postgres", "postgres alone",
)  # fmt: skip


def run(
    cuts: int,
    seed: int,
    advance: Advance,
    *,
    mutants: Mapping[str, Mutant] = NO_MUTANTS,
    kinds: Sequence[str] = KINDS,
    lasts_s: Sequence[float] = LASTS_S,
) -> Report:
    """Runs `cuts` trials, TRIALS_A_VENUE in each venue; with mutants those of one venue at most. Raises CannotRun."""
    report, random = Report("namespaces"), Random(seed)
    for first in range(0, cuts, TRIALS_A_VENUE):
        try:
            with _venue(mutants) as (venue, switch, standby):
                count = min(TRIALS_A_VENUE, cuts - first)
                trials = Trials(count, random, kinds, lasts_s)
                asyncio.run(_one_venue(venue, switch, standby, trials, report, advance))
        except DidNotStart as reason:
            report.broken.append(str(reason))
        except ExceptionGroup as group:  # Of the load: a gateway is gone.
            report.broken.append(f"a member is not served any more: {group.exceptions[0]!r}")
        if report.broken or mutants:
            break
    return report


class Trials(NamedTuple):
    """What is tried in one venue."""

    cuts: int
    random: Random
    kinds: Sequence[str]
    lasts_s: Sequence[float]


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
def _venue(mutants: Mapping[str, Mutant]) -> Iterator[tuple[ScaledVenue, Switch, PostgresStandby]]:
    """Every process on a host of its own."""
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
        yield opened.enter_context(venue), switch, standby


def _enter_and(mutant: Mutant | None) -> None:
    enter()
    if mutant is not None:
        mutant()


def _cuts(kind: str, leader: str, random: Random) -> list[tuple[str, str]]:
    """The pairs of hosts that a cut of this kind separates."""
    follower = SEQUENCERS[SEQUENCERS[0] == leader]
    names = {"leader": leader, "follower": follower, "gateway": random.choice(GATEWAYS), "projector": PROJECTOR}
    one, _, other = kind.partition(" and ")
    one = one.removesuffix(" alone")
    first = names.get(one, one)
    if not other:
        return [(first, host) for host in HOSTS if host != first]
    return [(first, names.get(other, other))]


async def _one_venue(
    venue: ScaledVenue,
    switch: Switch,
    standby: PostgresStandby,
    trials: Trials,
    report: Report,
    advance: Advance,
) -> None:
    random = trials.random
    traders = await open_traders(OpenGateway(venue.gateways()[0], venue.operator_key))
    async with Load(venue, traders, report, pause_s=PAUSE_S) as load:
        kinds: list[str] = []
        for _ in range(trials.cuts):
            kinds = kinds or random.sample(trials.kinds, len(trials.kinds))
            kind = kinds.pop()
            try:
                await load.acknowledgements(random.randint(FEWEST, MOST))
                await _trial(venue, switch, kind, trials, load, report)
                await ask(venue, traders, load, report)
            except (TimeoutError, TooLate, Unreachable) as reason:
                report.broken.append(f"after a cut between {kind} no order was acknowledged again {reason}")
                break
            report.add(kind.replace(" ", "_"))
            advance()
    if not report.broken:
        await conclude(venue, traders, load, report)
        _compare(venue, standby, report)


async def _trial(venue: ScaledVenue, switch: Switch, kind: str, trials: Trials, load: Load, report: Report) -> None:
    random = trials.random
    leader = await asyncio.to_thread(venue.leader)
    pairs, both, lasts_s = _cuts(kind, leader, random), random.random() < 0.7, random.choice(trials.lasts_s)
    if random.random() < 0.5:
        pairs = [(other, one) for one, other in pairs]
    load.longest_s, load.last_s = 0.0, time.monotonic()
    for one, other in pairs:
        switch.cut(one, other, both=both)
    await asyncio.sleep(lasts_s)  # The cut's length, not a wait for something.
    switch.heal()
    healed_s = time.monotonic()
    await acknowledged_again(venue, load, AFTER, report)
    report.highest("longest_silence_ms", round(load.longest_s * 1000))
    report.highest("longest_recovery_ms", round((time.monotonic() - healed_s) * 1000))
    await asyncio.to_thread(replace_ended, venue, report)


def _compare(venue: ScaledVenue, standby: PostgresStandby, report: Report) -> None:
    """Every confirmed commit is on the standby, too: both end with the same row."""
    sql = "SELECT last_seq, encode(last_hash, 'hex') FROM journal_writer"
    venue.close()  # Nobody writes any more.
    found = standby.query(sql, DATABASE)
    report.add("standbys_compared")
    if found != (known := standby.primary.query(sql, DATABASE)):
        report.broken.append(f"the synchronous standby ends with {found}, the primary with {known}")


RIG = Rig("namespaces", run, "cuts", short=9, long=100)

if __name__ == "__main__":
    sys.exit(main(RIG, __doc__))
