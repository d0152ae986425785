"""A scaled venue of real processes on a real PostgreSQL: sequencers, gateways, a projector, each to be killed and replaced."""

from __future__ import annotations

import json
import secrets
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from load_tests.servers.server_process import free_port
from services.scaled.launch import DidNotStart
from tests.faults.rig import until
from tests.faults.venue_process import Mutant, RexProcess, launch, rex

NO_MUTANTS: Mapping[str, Mutant] = {}


VariablesOf = Callable[[str], dict[str, str]]
"""The variables that only the process of this name gets."""


class Ended(NamedTuple):
    """How a process ended."""

    status: int
    said: str
    """Its standard error."""


class ScaledVenue:
    """The processes of one venue. `close` stops them all."""

    def __init__(
        self,
        database_url: str,
        operator_key: str,
        variables: dict[str, str],
        mutants: Mapping[str, Mutant],
        variables_of: VariablesOf = lambda _name: {},
    ) -> None:
        self.database_url = database_url
        self.operator_key = operator_key
        self._variables = variables
        self.mutants = mutants
        """Of the processes that are started from now on."""
        self._variables_of = variables_of
        self._running: dict[str, AbstractContextManager[RexProcess]] = {}
        self.processes: dict[str, RexProcess] = {}
        """By name: `sequencer 1`, `gateway 1`, `projector 1`."""

    def start(
        self,
        name: str,
        *options: str,
        variables: dict[str, str] | None = None,
        mutant: Mutant | None = None,
    ) -> RexProcess:
        """Starts `rex <first word of name>` on a free port, which stays its own: no outgoing connection takes it meanwhile."""
        kind = name.split()[0]
        more = ("--schedule", "always") if kind == "sequencer" else ()
        running = launch(
            kind,
            "--port",
            str(free_port()),
            *more,
            *options,
            variables={**self._variables, **self._variables_of(name), **(variables or {})},
            mutant=mutant or self.mutants.get(kind),
        )
        self.processes[name] = running.__enter__()
        self._running[name] = running
        return self.processes[name]

    def restart(self, name: str, *options: str, mutant: Mutant | None = None) -> RexProcess:
        """Replaces a process; a gateway keeps its address."""
        port = ("--port", self.processes[name].url.rpartition(":")[2]) if name.startswith("gateway") else ()
        self.end(name)
        return self.start(name, *port, *options, mutant=mutant)

    def end(self, name: str) -> None:
        """Kills a process, if it still runs, and forgets it."""
        self._running.pop(name).__exit__(None, None, None)
        del self.processes[name]

    def close(self) -> None:
        """Kills every process."""
        for name in [*self._running]:
            self.end(name)

    def ended(self) -> dict[str, Ended]:
        """The processes that have ended by themselves, by name."""
        return {
            name: Ended(process.process.exitcode, process.errors.read_text(errors="replace"))
            for name, process in self.processes.items()
            if process.process.exitcode is not None
        }

    def replace(self, name: str) -> None:
        """Starts a process again, as a supervisor does: on the port that it had."""
        port = urlsplit(self.processes[name].url).port
        self.end(name)
        self.start(name, "--port", str(port))

    def start_missing(self) -> None:
        """Starts each process again that has ended, and waits until every gateway is ready. Raises TooLate."""
        for name in self.ended():
            self.replace(name)
        self.wait_ready()

    @property
    def link_secret(self) -> str:
        """What a gateway shows the leader."""
        return self._variables["REX_LINK_SECRET"]

    @property
    def url(self) -> str:
        """The address of the first gateway."""
        return self.gateways()[0]

    def gateways(self) -> list[str]:
        """The addresses of the running gateways."""
        return [process.url for name, process in self.processes.items() if name.startswith("gateway")]

    def leader(self) -> str:
        """The name of the leading sequencer; waits for one. Raises TooLate."""
        return str(until(self._leading, "no sequencer leads"))

    def until_leads(self, name: str) -> None:
        """Waits until this sequencer leads. Raises TooLate."""
        process = self.processes[name]
        until(lambda: read_health(process.url).get("role") == "leader", f"{name} does not lead")

    def _leading(self) -> str | None:
        for name, process in self.processes.items():
            if name.startswith("sequencer") and read_health(process.url).get("role") == "leader":
                return name
        return None

    def wait_ready(self) -> None:
        """Waits until every gateway is ready. Raises TooLate."""
        for url in self.gateways():
            until(partial(_is_ready, url), f"{url} does not become ready")


def _is_ready(url: str) -> bool:
    return read_health(url).get("status") == "ready"


def read_health(url: str) -> dict[str, Any]:
    """What /readyz says; empty where nothing answers."""
    found: dict[str, Any] = {}
    with suppress(OSError):  # also after a second: a process may be stopped, and whoever waits asks again
        try:
            answer = urllib.request.urlopen(f"{url}/readyz", timeout=1)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            found = json.load(answer)
    return found


def answered_health(url: str) -> dict[str, Any]:
    """The same of a process that runs: asks until it answers. Raises TooLate."""
    found: dict[str, Any] = until(lambda: read_health(url), f"{url} does not answer")
    return found


@contextmanager
def scaled_venue(
    database_url: str,
    *,
    sequencers: int = 2,
    gateways: int = 2,
    redis_url: str = "",
    mutants: Mapping[str, Mutant] = NO_MUTANTS,
    variables_of: VariablesOf = lambda _name: {},
) -> Iterator[ScaledVenue]:
    """A migrated and initialised venue with its processes running. Raises DidNotStart.

    `mutants` changes the processes of a kind: `sequencer`, `gateway`, `projector`.
    """
    with TemporaryDirectory() as folder, ExitStack() as opened:
        variables = {
            "REX_DATABASE_URL": database_url,
            "REX_REDIS_URL": redis_url,
            "REX_LINK_SECRET": secrets.token_urlsafe(32),
            "REX_DATA_DIR": folder,
        }
        for command in (("migrate",), ("init",)):
            done = rex(*command, "--json", variables=variables)
            if done.exit_status != 0:
                raise DidNotStart("the venue", done.exit_status, done.out + done.err)
        keys = json.loads((Path(folder) / "keys.json").read_text())
        venue = ScaledVenue(database_url, keys["operator"]["key"], variables, mutants, variables_of)
        opened.callback(venue.close)
        for number in range(1, sequencers + 1):
            venue.start(f"sequencer {number}")
        venue.start("projector 1")
        for number in range(1, gateways + 1):
            venue.start(f"gateway {number}")
        venue.wait_ready()
        yield venue
