"""A venue whose processes reach PostgreSQL through a proxy: the server can be taken away, and fail over to a standby."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager

from load_tests.servers.postgres import PostgresServer
from load_tests.servers.server_process import ServerMissing
from load_tests.servers.standby import PostgresStandby
from tests.faults.proxy_thread import ProxyThread, proxy_of, through
from tests.faults.rig import CannotRun
from tests.faults.scaled_venue import NO_MUTANTS, ScaledVenue, scaled_venue
from tests.faults.venue_process import Mutant

DATABASE = "rex"


class Pair:
    """A primary, the proxy that leads to it, and its standby once it has one."""

    def __init__(self, primary: PostgresServer, proxy: ProxyThread, opened: ExitStack) -> None:
        self.primary = primary
        self.proxy = proxy
        self._opened = opened
        self._generation = 0
        self.promoted_seq = 0
        """Where the journal ended when the standby was promoted."""

    def query(self, sql: str) -> str:
        """One statement in the venue's database, past the proxy."""
        return self.primary.query(sql, DATABASE)

    def journaled(self) -> int:
        """The last seq that the primary shows."""
        return int(self.query("SELECT last_seq FROM journal_writer"))

    def rows_after(self, seq: int) -> int:
        """How many rows the primary shows of commands after seq."""
        return int(self.query(f"SELECT count(*) FROM journal WHERE first_seq > {seq}"))

    def terminate_writer(self) -> None:
        """Ends the session of the writer."""
        self.query("SELECT pg_terminate_backend(backend) FROM journal_writer")

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
        """Promotes the standby; the proxy leads to it from now on."""
        self.standby.promote()
        self.primary = self.standby
        self.promoted_seq = self.journaled()
        self.proxy.retarget(self.standby.url())


@contextmanager
def stage(mutants: Mapping[str, Mutant] = NO_MUTANTS) -> Iterator[tuple[ScaledVenue, Pair]]:
    """A venue behind the proxy of a primary. Raises CannotRun, DidNotStart and ServerFailed."""
    with ExitStack() as opened:
        try:
            server = opened.enter_context(PostgresServer())
        except ServerMissing as missing:
            raise CannotRun(str(missing)) from missing
        proxy = opened.enter_context(proxy_of(server.url()))
        url = through(server.create_database(DATABASE), proxy.proxy.port)
        yield opened.enter_context(scaled_venue(url, mutants=mutants)), Pair(server, proxy, opened)
