"""`rex` as a child process that starts in a third of a second: a fork server has imported it, and has opened a venue once.

A rig starts hundreds of venues, and an import takes two seconds. The forked process runs the console script's own `main` with
its arguments, so it is a whole `rex serve` with its own process id, but that its password hashes are cheap: a real one takes
64 MiB and a fifth of a second of a processor, at the lowest priority. A rig that measures memory or time starts a separate
process instead (`load_tests.child_process.venue`).
"""

from __future__ import annotations

import gc
import json
import multiprocessing
import os
import select
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from services import cli
from services.files.data_folder import JOURNAL_FILE
from services.people import passwords
from services.scaled.launch import DidNotStart, ready_in, rex_arguments
from tests.patience import PATIENCE_S, impatience

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(
    [
        *(f"services.cli.{name}" for name in ("running", "scaled_running", "verifying")),
        *(f"services.scaled.{name}" for name in ("gateway", "init", "projector", "sequencer")),
        *("rex_client", "services.reporting.terminal", "uvloop"),
        *(__name__, "tests.faults.first_venue"),
    ]
)

NO_VARIABLES: Mapping[str, str] = {}

Mutant = Callable[[], None]
"""A change that the child makes to itself before it runs `rex` (`mutants.py`); a module's function, or a partial of one."""


class Finished(NamedTuple):
    """One `rex` command that ran to its end."""

    exit_status: int | None
    out: str
    err: str

    @property
    def is_traceback(self) -> bool:
        """Whether it ended with a traceback instead of a sentence."""
        return "Traceback (most recent call last)" in self.out + self.err


def told_operator(stderr: str) -> list[str]:
    """The lines that a venue wrote for its operator. On a busy machine a query of its simulated traders may have waited for its
    turn until it was refused: that is not of what a test provokes."""
    return [line for line in stderr.splitlines() if "a query had no answer in time" not in line]


@dataclass(eq=False)
class RexProcess:
    """A running process that says when it is ready."""

    process: ForkServerProcess
    ready: dict[str, Any]
    """The JSON line that it printed then."""
    errors: Path

    @property
    def pid(self) -> int:
        assert self.process.pid is not None
        return self.process.pid

    @property
    def url(self) -> str:
        """The address of its API or its health pages."""
        return str(self.ready["url"])

    @property
    def said(self) -> str:
        """The end of its standard error so far."""
        return self.errors.read_text(errors="replace").strip()[-600:]

    def signal(self, number: int) -> None:
        """Sends a signal."""
        os.kill(self.pid, number)

    def ended(self) -> int | None:
        """Waits until the process ends by itself. Its exit status; None if it has not ended in PATIENCE_S."""
        self.process.join(PATIENCE_S)
        return self.process.exitcode


@dataclass(eq=False)
class VenueProcess(RexProcess):
    """A running `rex serve`."""

    operator_key: str

    @property
    def said(self) -> str:
        """Its standard error so far."""
        return self.errors.read_text(errors="replace")

    def kill(self) -> None:
        """Sends SIGKILL and waits for the end, also of the processes that it started: those end by themselves."""
        _kill(self.process)

    def stop(self) -> int | None:
        """Sends SIGTERM, waits for the end and returns the exit status."""
        self.process.terminate()
        return self.ended()


@contextmanager
def serve(
    folder: Path, *options: str, mutant: Mutant | None = None, variables: Mapping[str, str] = NO_VARIABLES
) -> Iterator[VenueProcess]:
    """A venue with schedule `always` on a free port, a new one in a folder without a journal; killed at the end if it still
    runs. Raises DidNotStart."""
    new = () if (folder / JOURNAL_FILE).exists() else ("--new",)
    arguments = (*new, "--data-dir", str(folder), "--schedule", "always", *options)
    with launch("serve", *arguments, variables=variables, mutant=mutant) as process:
        keys = json.loads(Path(process.ready["keys_file"]).read_text())
        venue = VenueProcess(**vars(process), operator_key=keys["operator"]["key"])
        try:
            yield venue
        finally:
            venue.kill()


@contextmanager
def launch(
    kind: str, *options: str, variables: Mapping[str, str], mutant: Mutant | None = None
) -> Iterator[RexProcess]:
    """A process as `services.scaled.launch` starts it, but forked; killed at the end if it still runs. Raises DidNotStart."""
    with printing(*rex_arguments(kind, *options), variables=variables, mutant=mutant) as (process, out, errors):
        with impatience(process):
            ready = ready_in(line := out.readline())
            if ready is None:
                process.join()
        if ready is None:
            raise DidNotStart("the venue", process.exitcode, line + errors.read_text(errors="replace"))
        out.close()
        yield RexProcess(process, ready, errors)


@contextmanager
def printing(
    *arguments: str | Path, variables: Mapping[str, str] = NO_VARIABLES, mutant: Mutant | None = None
) -> Iterator[tuple[ForkServerProcess, Any, Path]]:
    """A `rex` process, its standard output to read from, the file of its standard error; killed at the end if it still runs."""
    with TemporaryDirectory() as work:
        errors = Path(work) / "stderr"
        process, out = _fork([str(argument) for argument in arguments], errors, mutant, variables)
        try:
            with out:
                yield process, out, errors
        finally:
            process.kill()
            process.join()


def rex(*arguments: str | Path, mutant: Mutant | None = None, variables: Mapping[str, str] = NO_VARIABLES) -> Finished:
    """Runs one command to its end."""
    with TemporaryDirectory() as work:
        errors = Path(work) / "stderr"
        process, out = _fork([str(argument) for argument in arguments], errors, mutant, variables)
        with out, impatience(process):
            said = out.read()
            process.join()
        return Finished(process.exitcode, said, errors.read_text(errors="replace"))


def _kill(process: ForkServerProcess) -> None:
    with ExitStack() as opened:
        children = list[int]()
        for listed in Path(f"/proc/{process.pid}/task").glob("*/children"):
            with suppress(OSError):  # It has just ended.
                children += (os.pidfd_open(int(child)) for child in listed.read_text().split())
        for child in children:
            opened.callback(os.close, child)
        process.kill()
        process.join()
        for child in children:  # Readable once the process has ended.
            select.select([child], [], [], PATIENCE_S)


def _fork(
    arguments: list[str], errors: Path, mutant: Mutant | None, variables: Mapping[str, str] = NO_VARIABLES
) -> tuple[ForkServerProcess, Any]:
    reading, writing = _FORKS.Pipe(duplex=False)
    args = (arguments, writing, str(errors), mutant, dict(variables))
    process = _FORKS.Process(target=_become_rex, args=args, daemon=True)
    process.start()
    writing.close()
    out = os.fdopen(os.dup(reading.fileno()), encoding="utf-8")
    reading.close()
    return process, out


def _become_rex(
    arguments: list[str], out: Connection, errors: str, mutant: Mutant | None, variables: dict[str, str]
) -> None:
    """In the child: redirects standard output and error to the parent, then runs `rex`."""
    # The resource tracker of the rig must not clean up what a venue shares with its own children.
    vars(resource_tracker._resource_tracker)["_fd"] = None
    gc.freeze()  # What was imported is the fork server's memory: a garbage collector that walks over it copies it.
    os.dup2(out.fileno(), 1)
    out.close()
    os.dup2(os.open(errors, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), 2)
    os.environ.update(variables)
    passwords.TIME_COST, passwords.MEMORY_KIB = 1, 8
    if mutant is not None:
        mutant()
    sys.argv = ["rex", *arguments]
    cli.main()
