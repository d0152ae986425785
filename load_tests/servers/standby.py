"""A PostgreSQL standby: a copy of a primary that follows it, and takes over when it is promoted."""

from __future__ import annotations

import time
from collections.abc import Callable

from load_tests.servers.postgres import PostgresServer, run, write_password
from load_tests.servers.server_process import PATIENCE_S, POLL_S, ServerFailed


class PostgresStandby(PostgresServer):
    """Its first start copies the running primary; asynchronous until `make_synchronous`.

    The primary keeps the log that the standby has not yet received (a replication slot), so it may be down for a while.
    """

    def __init__(self, primary: PostgresServer, name: str = "standby") -> None:
        super().__init__(None, **primary.options)
        self.primary = primary
        """The server that it follows."""
        self.name = name

    def make_synchronous(self) -> None:
        """From here on a commit of the primary returns only when this standby has written it."""
        self.primary.query(f"ALTER SYSTEM SET synchronous_standby_names = '{self.name}'")
        self.primary.query("SELECT pg_reload_conf()")
        _wait_until(
            lambda: self.primary.query("SHOW synchronous_standby_names") == self.name, "the primary reads its settings"
        )
        # The checkpointer switches the waiting on. It has read the settings when it has answered.
        self.primary.query("CHECKPOINT")
        self.wait_until_attached("sync")

    def wait_until_attached(self, state: str) -> None:
        """Returns when the primary counts this standby as `sync` or `async`."""
        sql = (
            f"SELECT sync_state FROM pg_stat_replication WHERE application_name = '{self.name}' AND state = 'streaming'"
        )
        _wait_until(lambda: self.primary.query(sql) == state, f"the primary counts {self.name} as {state}")

    def promote(self) -> None:
        """Makes this standby a primary. The old one is not stopped by that: a test ends it first."""
        # Not waited for in the statement: its snapshot may hold up the very recovery that is to end, for half a minute.
        self.query("SELECT pg_promote(wait => false)")
        _wait_until(lambda: self.query("SELECT pg_is_in_recovery()") == "f", "the standby was not promoted")

    def _create_data(self) -> None:
        write_password(self.folder, self.primary.password, self._user)
        source = f"{self.primary.url()}?application_name={self.name}"
        options = ["--write-recovery-conf", "--checkpoint=fast", "--no-sync", "--create-slot", f"--slot={self.name}"]
        command = [str(self._bin / "pg_basebackup"), "-d", source, *options, "-D", str(self._data)]
        run(command, self.folder, self._user)


def _wait_until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > deadline:
            raise ServerFailed(f"not within {PATIENCE_S} s: {what}")
        time.sleep(POLL_S)
