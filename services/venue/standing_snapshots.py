"""Takes snapshots while the venue runs, by policy: after so many commands, or after so much time.

A process of its own (`main`), at the lowest priority, loads the last snapshot, follows the journal and writes the next one, so
neither the writer nor an order waits for it. It prints as JSON what it has done (`Taken`). Its argument is the data folder;
without it the venue is in the database of REX_DATABASE_URL: a command line, which holds the password, is seen by every user. An
embedded venue starts it; in the scaled mode a standby does, never the leader.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import NamedTuple

import structlog

from services.files.data_folder import JOURNAL_FILE
from services.journal.connections import log_of
from services.processes.child_process import NoAnswer, run_module
from services.snapshots.errors import SnapshotFailed
from services.snapshots.folder import FolderStore
from services.snapshots.postgres import PostgresStore
from services.snapshots.record import SnapshotHeader
from services.snapshots.store import SnapshotStore
from services.snapshots.taking import Taken, take
from services.venue.at_rest import at_rest

LOOK_EVERY_S = 30.0
"""Seconds between two looks whether a snapshot is due."""

FIRST_AFTER_S = 120.0
"""A venue takes none before: a busy start is no time for more work, and then it proves its figure first."""

LEAST_COMMANDS = 100_000
"""Fewer commands than these take a start a fraction of a second: for their sake alone no snapshot is taken by the time."""

RETRY_S = 900.0
"""How long after a failure the next try is made, seconds."""

DATABASE_URL = "REX_DATABASE_URL"
log = structlog.get_logger("rex.snapshots")


class Policy(NamedTuple):
    """When a snapshot is due."""

    every_commands: int
    """After so many commands; 0: not by their number."""
    every_s: float
    """After so many seconds with LEAST_COMMANDS at least; 0: not by the time."""

    def is_due(self, commands: int, age_s: float) -> bool:
        """Whether one is due, so many commands and seconds after the last one."""
        if self.every_commands and commands >= self.every_commands:
            return True
        return bool(self.every_s) and age_s >= self.every_s and commands >= LEAST_COMMANDS


def store_of(place: Path | str) -> SnapshotStore:
    """The snapshots of a data folder, or of the database at a URL."""
    return FolderStore.of(place) if isinstance(place, Path) else PostgresStore(place)


class StandingSnapshots:
    """The snapshots of a venue in a data folder, or in the database of a URL, while it runs."""

    def __init__(
        self,
        place: Path | str,
        journal_id: bytes,
        last_seq: Callable[[], int],
        clock: Callable[[], int],
        policy: Policy,
        niceness: int,
        *,
        start_snapshot_seq: int | None = None,
    ) -> None:
        """`last_seq` is the last command that is journaled, or about to be. `start_snapshot_seq` is where the snapshot stands
        that the start began with, 0: none was good. The newer ones were passed over and do not count. None: it tried none."""
        self._place = place
        self._journal_id = journal_id
        self._store = store_of(place)
        self._last_seq = last_seq
        self._clock = clock
        self._policy = policy
        self._niceness = niceness
        self._began_ns = clock()
        self._start_snapshot_seq = start_snapshot_seq
        self._passed_over: set[SnapshotHeader] | None = None
        """What the start passed over; None before the first look."""
        self._newest: SnapshotHeader | None = None
        self._failed_ns: int | None = None
        self._can_be_read = True

    async def run(self, first_after_s: float = 0) -> None:
        """Takes what is due, again and again, the first one not before so many seconds, until it is canceled; a snapshot that
        is under way then is not taken."""
        await self.look()
        await asyncio.sleep(first_after_s)
        while True:
            await self.take_due()
            await asyncio.sleep(LOOK_EVERY_S)

    async def watch(self) -> None:
        """Only looks, again and again, until it is canceled."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_EVERY_S)

    async def take_due(self) -> None:
        """Looks, and takes a snapshot if one is due. Whatever happens to its process, the venue goes on."""
        if not await self.look() or not self._is_due():
            return
        reason = await self._take()
        self._failed_ns = None if reason is None else self._clock()
        if reason is None:
            self._passed_over = set()  # The process has loaded the newest, or written over it.
        else:
            log.warning("a snapshot could not be taken", reason=reason)
        await self.look()

    async def look(self) -> bool:
        """Finds the newest snapshot that no start has passed over, by its name and header: whether it is good shows when it is
        loaded. Returns whether the store could be read."""
        try:
            kept = await self._store.kept()
        except SnapshotFailed as failure:
            if self._can_be_read:
                log.warning("the snapshots cannot be read", reason=str(failure))
            self._can_be_read = False
            return False
        self._can_be_read = True
        last_seq = self._last_seq()
        serving = [one.header for one in kept if one.header is not None and one.serves(self._journal_id, last_seq)]
        if self._passed_over is None:
            began_with = last_seq if self._start_snapshot_seq is None else self._start_snapshot_seq
            self._passed_over = {header for header in serving if header.seq > began_with}
        self._newest = next((header for header in serving if header not in self._passed_over), None)
        return True

    def facts(self) -> dict[str, int | float | bool | None]:
        """What /healthz says of the newest snapshot: its seq, and how old it is. None: there is none."""
        newest = self._newest
        age_s = None if newest is None else round(max(0, self._clock() - newest.taken_ns) / 1e9, 3)
        return {"snapshot_seq": None if newest is None else newest.seq, "snapshot_age_s": age_s}

    def warnings(self) -> list[str]:
        """A sentence if the last snapshot could not be taken."""
        if self._failed_ns is None:
            return []
        return [
            "The last snapshot could not be taken; the log says why. Orders do not need it, the next start is slower."
        ]

    def _is_due(self) -> bool:
        now_ns, newest = self._clock(), self._newest
        if self._failed_ns is not None and now_ns - self._failed_ns < RETRY_S * 1e9:
            return False
        seq, since_ns = (0, self._began_ns) if newest is None else (newest.seq, newest.taken_ns)
        return self._policy.is_due(self._last_seq() - seq, (now_ns - since_ns) / 1e9)

    async def _take(self) -> str | None:
        """Takes one in a process of its own; returns why it could not."""
        is_folder = isinstance(self._place, Path)
        try:
            ended = await run_module(
                "services.venue.standing_snapshots",
                *([str(self._place)] if is_folder else []),
                environment={} if is_folder else {DATABASE_URL: str(self._place)},
                niceness=self._niceness,
            )
            log.info("a snapshot was taken", **ended.answer("snapshot", dict))
        except OSError as error:
            return f"its process cannot run: {error}"
        except NoAnswer as last_words:
            return str(last_words)
        return None


async def take_at(place: Path | str, on_progress: Callable[[int], None] | None = None) -> Taken:
    """Takes a snapshot of the journal in a data folder or at a URL, beside a running or a stopped venue.

    Raises what `take` and the opening of the journal raise.
    """
    with ExitStack() as synced:
        before_writing = partial(_make_durable, place / JOURNAL_FILE, synced) if isinstance(place, Path) else _nothing
        async with at_rest(place) as venue:
            return await take(venue.journal, store_of(place), before_writing=before_writing, on_progress=on_progress)


def _nothing() -> None:
    """PostgreSQL commits a snapshot after the rows that it stands on."""


def _make_durable(journal: Path, synced: ExitStack) -> None:
    """Syncs the journal's files. A venue that was killed may have left a row that is only in memory: a power cut would take it,
    and the snapshot after it would then be a witness of a lost command.

    `synced` closes them, after the journal: a descriptor of the database that is closed before releases SQLite's locks on it.
    """
    for path in (journal, log_of(journal)):
        try:
            opened = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            continue
        synced.callback(os.close, opened)
        try:
            os.fsync(opened)
        except OSError as error:
            raise SnapshotFailed(f"{path} cannot be synced: {error}") from error


async def _main(*folder: str) -> int:
    from services.venue.fatal_errors import ENVIRONMENT, sentence_of

    try:
        taken = await take_at(Path(folder[0]) if folder else os.environ[DATABASE_URL])
    except ENVIRONMENT as error:
        sys.stderr.write(f"{sentence_of(error)}\n")
        return 1
    sys.stdout.write(json.dumps(taken.to_json()))
    return 0


def main() -> int:
    """Runs the process; returns its exit status."""
    return asyncio.run(_main(*sys.argv[1:]))
