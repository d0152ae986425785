"""Kills the process that takes snapshots, damages the snapshots, and starts: every start must come to the journal's state.

    python -m tests.faults snapshots --count 500 --seed 1

A journal in a folder grows by a few rows of a real engine. Then a process takes a snapshot; in every second trial it is killed
at a moment by chance. Then, by chance, up to two of the kept snapshots are damaged, replaced by another one, or by one of
another journal. Then a start loads the newest good one. The promises:

* the start reaches the state of an engine that has executed every command, from the newest undamaged snapshot if there is one;
* the newest good snapshot outlives every kill, and what has a snapshot's name is whole;
* `rex snapshot verify` finds good exactly what is undamaged.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import time
import warnings
from hashlib import blake2b
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import structlog

from matching_engine import Engine
from services.files.data_folder import JOURNAL_FILE
from services.journal.batch import NO_HASH, JournalBatch
from services.journal.chain import ChainEnd
from services.journal.errors import JournalError
from services.journal.sqlite import SqliteJournal
from services.sequencer.recovery import recover, recover_from_snapshot
from services.snapshots.errors import SnapshotFailed
from services.snapshots.folder import FolderStore
from services.snapshots.record import HEADER, Snapshot
from services.snapshots.verifying import verify
from services.venue.standing_snapshots import take_at
from tests.faults.damage import damage
from tests.faults.rig import Advance, Report, Rig, scratch
from tests.patience import PATIENCE_S
from tests.property.engine_flow import array, flow

COMMANDS = 1_500
"""Of the flow of one folder."""
TRIALS_OF_A_FLOW = 12
"""Trials in one folder."""
FAILED = 7
"""The exit status of a process that could not take one."""
DAMAGED = (0, 0, 1, 1, 1, 2)
"""How many are damaged in a trial."""


def run(starts: int, seed: int, advance: Advance) -> Report:
    """Runs so many trials."""
    names = ("taken", "killed", "damaged", "from_the_newest", "from_an_older", "from_the_whole_journal")
    report = Report("snapshots", dict.fromkeys(names, 0))
    logging = structlog.get_config()
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())  # A start says of each damaged one that it is.
    try:
        for first in range(0, starts, TRIALS_OF_A_FLOW):
            with TemporaryDirectory(dir=scratch()) as folder:
                grown = _Grown(Path(folder), Random(f"{seed} {first}"))
                for _ in range(min(TRIALS_OF_A_FLOW, starts - first)):
                    asyncio.run(grown.trial(report))
                    advance()
    finally:
        structlog.configure(**logging)
    return report


class _Grown:
    """A journal that grows from trial to trial, and an engine that has executed all of it."""

    def __init__(self, folder: Path, random: Random) -> None:
        self._folder = folder
        self._random = random
        self._store = FolderStore.of(folder)
        self._engine = Engine()
        self._commands = array(flow(random.randrange(2**32), COMMANDS))
        self._took_s = 0.1
        self._bad: set[tuple[int, bytes]] = set()
        """What was damaged: seq, and digest of the file."""

    async def trial(self, report: Report) -> None:
        """Grows, takes, damages, starts."""
        await self._grow(self._random.randint(1, 8))
        before = self._undamaged()
        self._take(report, is_killed=self._random.random() < 0.5)
        if not set(before[-1:]) <= set(self._undamaged()):
            report.broken.append(f"the newest good snapshot, at seq {before[-1]}, is gone")
        if self._random.random() < 0.3:
            await self._grow(self._random.randint(1, 3))
        whole = self._undamaged()
        for seq in self._random.sample(whole, min(len(whole), self._random.choice(DAMAGED))):
            self._damage(seq)
            report.add("damaged")
        await self._start(report, self._undamaged())

    def _undamaged(self) -> list[int]:
        """The seqs of the files that have the name of a snapshot and were not damaged, oldest first."""
        paths = sorted((self._folder / "snapshots").glob("*.snapshot"))
        return [int(path.stem) for path in paths if (int(path.stem), _digest(path)) not in self._bad]

    async def _grow(self, rows: int) -> None:
        journal = await SqliteJournal.open(self._folder / JOURNAL_FILE)
        try:
            last = await journal.last_batch()
            for _ in range(rows):
                first = self._engine.last_seq
                part = self._commands[first : first + self._random.randint(1, 30)]
                if not len(part):
                    return
                events = self._engine.process(part).tobytes()
                last = JournalBatch(
                    journal_id=journal.journal_id,
                    epoch=journal.epoch,
                    first_seq=first + 1,
                    last_seq=self._engine.last_seq,
                    inbox_position=0,
                    previous_hash=NO_HASH if last is None else last.hash,
                    commands=part.tobytes(),
                    events=events,
                )
                await journal.append(last)
        finally:
            await journal.close()

    def _take(self, report: Report, is_killed: bool) -> None:
        """Takes a snapshot in a process."""
        began = time.perf_counter()
        process = multiprocessing.get_context("fork").Process(target=_take, args=(self._folder,))
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore", DeprecationWarning
            )  # Of a fork beside threads of pytest, which hold no lock of ours.
            process.start()
        process.join(self._random.uniform(0, 1.2 * self._took_s) if is_killed else PATIENCE_S)
        process.kill()
        process.join()
        if not is_killed:
            self._took_s = time.perf_counter() - began
        if process.exitcode == FAILED or (process.exitcode != 0 and not is_killed):
            report.broken.append("a snapshot could not be taken")
        else:
            report.add("taken" if process.exitcode == 0 else "killed")

    def _damage(self, seq: int) -> None:
        path = self._store.path(seq)
        others = [file for file in path.parent.glob("*.snapshot") if file != path and file.read_bytes()]
        kind = self._random.randrange(6)
        if kind == 0 and others:
            path.write_bytes(self._random.choice(others).read_bytes())
        elif kind == 1:
            end = ChainEnd(seq, self._random.randbytes(32))
            path.write_bytes(Snapshot.of_engine(self._engine, self._random.randbytes(16), end, 0).data)
        elif kind == 2:
            data = bytearray(path.read_bytes())
            data[self._random.randrange(HEADER.size)] ^= 1 << self._random.randrange(8)
            path.write_bytes(data)
        else:
            damage(path, self._random)
        if path.exists():
            self._bad.add((seq, _digest(path)))

    async def _start(self, report: Report, undamaged: list[int]) -> None:
        """Starts, compares, and lets `verify` say which ones are good."""
        journal = await SqliteJournal.open(self._folder / JOURNAL_FILE)
        try:
            found = await recover_from_snapshot(journal, self._store)
            engine = Engine() if found is None else found[0]
            if found is None:
                await recover(engine, journal)
            verified = await verify(journal, self._store)
        except (JournalError, SnapshotFailed) as error:
            report.broken.append(f"a start was refused: {error}")
            return
        finally:
            await journal.close()
        used, newest = 0 if found is None else found[1].snapshot_seq, max(undamaged, default=0)
        kept = [int(path.stem) for path in (self._folder / "snapshots").glob("*.snapshot")]
        report.add(
            "from_the_whole_journal" if not used else "from_the_newest" if used == max(kept) else "from_an_older"
        )
        if engine.state_hash() != self._engine.state_hash():
            report.broken.append(f"the start from the snapshot at seq {used} came to another state")
        if used != newest:
            report.broken.append(f"the start began at seq {used}, and undamaged are {undamaged}")
        good = [one.kept.seq for one in verified.snapshots if one.error is None]
        if good != undamaged:
            report.broken.append(f"verify finds {good} good, and undamaged are {undamaged}")


def _digest(path: Path) -> bytes:
    return blake2b(path.read_bytes()).digest()


def _take(folder: Path) -> None:
    try:
        asyncio.run(take_at(folder))
    except Exception:
        os._exit(FAILED)


RIG = Rig("snapshots", run, "starts", short=60, long=2_000)
