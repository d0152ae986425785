"""The scaled venue that faults follow each other in: processes, servers, proxies between them, and two members who trade."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from random import Random
from typing import NamedTuple

from load_tests.servers.postgres import PostgresServer
from load_tests.servers.redis import ValkeyServer
from load_tests.servers.server_process import ServerMissing
from load_tests.servers.standby import PostgresStandby
from tests.faults.load import Load
from tests.faults.postgres_machine import PostgresMachine, postgres_machine
from tests.faults.proxies import Proxies
from tests.faults.rig import CannotRun, Report, until
from tests.faults.scaled_venue import NO_MUTANTS, ScaledVenue, read_health, scaled_venue
from tests.faults.traders import Trader
from tests.faults.venue_process import Mutant

DATABASE = "rex"


class Pace(NamedTuple):
    """How fast the members trade, and how long faults last."""

    pause_s: float = 0.02
    """How long a lane of the load rests after each answer."""
    most: int = 100
    """The most acknowledgements before a fault."""
    lasts_s: tuple[float, ...] = (0.2, 1.0, 2.5, 6.0, 12.0)
    """How long the network is damaged: shorter and longer than a take-over takes, and longer than a request waits for its
    batch."""
    pauses_s: tuple[float, float] = (4.0, 20.0)
    """How long PostgreSQL is stopped: shorter and longer than a gateway waits for a reply (10 s)."""
    away_s: float = 60.0
    orders_s: float = 10.0
    """In this time orders are acknowledged while Redis is away, even on a busy machine."""


class Stage:
    """A venue, what is counted, and who trades."""

    report: Report
    random: Random
    pace: Pace
    traders: list[Trader]
    load: Load

    def __init__(self, venue: ScaledVenue) -> None:
        self.venue = venue

    @property
    def database_url(self) -> str:
        """The venue's database, past the proxies."""
        return self.venue.database_url

    def compare_servers(self) -> None:
        """After the last fault, when nobody trades: compares what only this stage has."""


class Wired(Stage):
    """Every process reaches its servers and the leader through proxies."""

    def __init__(
        self,
        venue: ScaledVenue,
        primary: PostgresServer,
        valkey: ValkeyServer,
        proxies: Proxies,
        opened: ExitStack,
        machine: PostgresMachine | None,
    ) -> None:
        super().__init__(venue)
        self.primary, self.valkey, self.proxies = primary, valkey, proxies
        self._opened, self._machine = opened, machine
        self._generation = 0
        self.promoted_seq = 0
        """Where the journal ended when the standby was promoted."""

    @property
    def database_url(self) -> str:
        """See Stage: the server that is the primary now."""
        return self.primary.url(DATABASE)

    @property
    def machine(self) -> PostgresMachine:
        """PostgreSQL's own disk."""
        assert self._machine is not None
        return self._machine

    def query(self, sql: str) -> str:
        """One statement in the venue's database, past the proxies."""
        return self.primary.query(sql, DATABASE)

    def journaled(self) -> int:
        """The last seq that the primary shows."""
        return int(self.query("SELECT last_seq FROM journal_writer"))

    def have_read(self, seq: int) -> None:
        """Waits until every process but the gateways has read the journal up to seq. Raises TooLate."""
        for name, process in self.venue.processes.items():
            if not name.startswith("gateway"):
                until(partial(_has_read, process.url, seq), f"{name} has not read the journal up to seq {seq}")

    def add_standby(self, *, synchronous: bool) -> None:
        """Gives the primary a standby."""
        self._generation += 1
        self.standby = PostgresStandby(self.primary, f"standby_{self._generation}")
        self._opened.enter_context(self.standby)
        if synchronous:
            self.standby.make_synchronous()
        else:
            self.standby.wait_until_attached("async")

    def fail_over(self) -> None:
        """Ends the primary and promotes the standby; the proxies lead to it from now on."""
        if self.primary.running:
            self.primary.kill()
        if not self.standby.running:
            self.standby.start()
        self.standby.promote()
        self.primary = self.standby
        self.promoted_seq = self.journaled()
        self.proxies.retarget(self.standby.url())


def _has_read(url: str, seq: int) -> bool:
    return int(read_health(url).get("last_seq") or 0) >= seq


@contextmanager
def wired(mutants: Mapping[str, Mutant] = NO_MUTANTS, *, sequencers: int = 2, on_disk: bool = False) -> Iterator[Wired]:
    """A venue on new servers; PostgreSQL on a disk of its own or not. Raises CannotRun, DidNotStart and ServerFailed."""
    with ExitStack() as opened:
        try:
            machine = opened.enter_context(postgres_machine()) if on_disk else None
            server = opened.enter_context(PostgresServer()) if machine is None else machine.server
            valkey = opened.enter_context(ValkeyServer())
        except ServerMissing as missing:
            raise CannotRun(str(missing)) from missing
        url = server.create_database(DATABASE)
        proxies = opened.enter_context(Proxies(server, valkey, url).running())
        venue = scaled_venue(url, sequencers=sequencers, mutants=mutants, variables_of=proxies.variables_of)
        yield Wired(opened.enter_context(venue), server, valkey, proxies, opened, machine)
