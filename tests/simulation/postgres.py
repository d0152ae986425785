"""The simulated PostgreSQL: the writer row, the table `journal`, a log of commits, a synchronous standby. It answers the SQL of
services/journal/postgres/statements.py.

A write locks the row, compares, flushes its commit to the log, waits until the standby has it, becomes visible, and answers.
A session that is terminated while it waits for the standby, and a restart, make a commit visible that the standby lacks; a
failover takes it back. A crash during a flush leaves the commit whole, or torn: recovery then drops it.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple, SupportsIndex

import asyncpg

from services.journal.batch import NO_HASH, JournalBatch
from services.journal.chain import Record
from services.journal.postgres import statements
from services.journal.postgres.tables import FORMAT
from services.journal.postgres.writer_row import WriterRow
from tests.simulation.process import Process
from tests.simulation.promises import Promises
from tests.simulation.world import World

LOCK_TIMEOUT_S = 1.0
_COLUMNS = ("end_seq", "end_hash", "beat", "first_seq", "last_seq", "epoch", "data")


class Answer(tuple[Any, ...]):
    """A record of asyncpg: values by place, and by name where the product asks so."""

    def __getitem__(self, key: SupportsIndex | slice | str) -> Any:
        return super().__getitem__(_COLUMNS.index(key) - len(_COLUMNS) if isinstance(key, str) else key)


class Version(NamedTuple):
    """What one commit left."""

    row: WriterRow
    records: int
    """How many rows the table `journal` has."""


class Statement(NamedTuple):
    """A statement that writes: its WHERE, and the row that it leaves. `waits_s`: how long it waits for the lock of the row."""

    matches: Callable[[WriterRow, tuple[Any, ...]], bool]
    change: Callable[[WriterRow, tuple[Any, ...], int], WriterRow]
    returned: Callable[[WriterRow], tuple[Any, ...]]
    waits_s: float | None = None


class Peer:
    """The server's end of a connection. The client's end (database.py) says what happens to what is sent to it."""

    def __init__(self, number: int, process: Process) -> None:
        self.number = number
        self.process = process
        """The client's."""
        self.open = True
        self.stage = ""
        """What its transaction does: "lock", "hold", "flush", "replicate"; empty: there is none."""
        self.wake: asyncio.Future[str] | None = None
        """Ends its wait: with "" when what it waits for is there, else with "terminated" or "canceled"."""
        self.terminated = False
        self.on_lost: Callable[[], None] = _nothing
        """Tells the client that the connection is gone."""

    def interrupt(self, how: str) -> None:
        """Ends what the session waits for."""
        if self.wake is not None and not self.wake.done():
            self.wake.set_result(how)


def _nothing() -> None:
    """Nobody is told."""


class _Aborted(Exception):
    """The transaction is rolled back, and the client gets this error."""

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error


Reply = Callable[[list[Answer], str, Exception | None], None]
"""Called with the records, a warning, and the error, when the answer leaves the server."""


class PostgresServer:
    """A primary and its synchronous standby."""

    def __init__(
        self, world: World, promises: Promises, journal_id: bytes, clock: Callable[[], int] = lambda: 0
    ) -> None:
        self._world = world
        self._promises = promises
        self._chance = world.random("postgres")
        self.process = Process("postgres")
        first = WriterRow(journal_id, 0, 0, 0, NO_HASH, 0, "", 0)
        self.log = [Version(first, 0)]
        """Every commit that is on the primary's disk."""
        self.records: list[Record] = []
        self._firsts: list[int] = []
        self.visible = self.replicated = 0
        """Places in the log: the last commit that others see; the last one that the standby has on its disk."""
        self.up = self.standby_up = True
        self.is_full = False
        self.slow_s = self.hold_s = 0.0
        """What a flush takes longer; how long the next transaction holds the lock before it goes on."""
        self.peers: dict[int, Peer] = {}
        self._holder: Peer | None = None
        self._queue: deque[tuple[Peer, asyncio.Future[str]]] = deque()
        self._flushing: tuple[WriterRow, Record | None] | None = None
        self._numbers = 0
        self._reads: dict[str, Callable[..., list[Answer]]] = {
            statements.ROW: lambda: [Answer(self._row)],
            statements.LOOK: lambda: [Answer((*self._row, clock() // 1000))],
            statements.FORMAT: lambda: [Answer((FORMAT,))],
            statements.DURABILITY: list,
            statements.WATCHED: lambda: [Answer((self._row.last_seq, self.standby_up))],
            statements.AFTER: self._after,
            statements.LAST: self._last,
            statements.BEFORE: self._before,
        }
        self._writes = _writes()

    def found(self, record: Record, version: Version) -> None:
        """The journal as it is in the beginning."""
        self.records, self._firsts, self.log = [record], [record[0]], [version]

    @property
    def _row(self) -> WriterRow:
        return self.log[self.visible].row

    # ------------------------------------------------------------------ connections

    def connected(self, process: Process) -> Peer:
        """A new session."""
        self._numbers += 1
        peer = self.peers[self._numbers] = Peer(self._numbers, process)
        return peer

    def receive(self, peer: Peer, sql: str, arguments: tuple[Any, ...], reply: Reply) -> None:
        """A statement has arrived: it is carried out, whether or not its client still waits."""
        if not self.up or peer.number not in self.peers:
            reply([], "", asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation"))
        elif peer.terminated:
            reply([], "", asyncpg.AdminShutdownError("terminating connection due to administrator command"))
        elif sql == statements.TERMINATE_HOLDERS:
            if self._holder is not None and self._holder.stage in ("hold", "flush"):
                self.terminate(self._holder)
            reply([], "", None)
        elif (read := self._reads.get(sql)) is not None:
            reply(read(*arguments), "", None)
        else:
            work = self._write(peer, self._writes[sql], arguments, reply)
            self._world.loop.create_task(work, context=self.process.context)

    # ------------------------------------------------------------------ reading

    def _end(self) -> tuple[Any, ...]:
        return self._row.last_seq, self._row.last_hash, self._row.beat

    def _after(self, after_seq: int, most_bytes: int) -> list[Answer]:
        end, count, size = self._end(), self.log[self.visible].records, 0
        place = max(bisect_right(self._firsts, after_seq + 1, 0, count) - 1, 0)
        found: list[Answer] = []
        for record in self.records[place:count]:
            if record[1] <= after_seq:
                continue
            if size >= most_bytes:
                break
            found.append(Answer((*end, *record)))
            size += max(len(record[3]), 512 * (record[1] - record[0] + 1))
        return found or [Answer((*end, None, None, None, None))]

    def _last(self) -> list[Answer]:
        count = self.log[self.visible].records
        return [Answer((*self._end(), *(self.records[count - 1] if count else (None,) * 4)))]

    def _before(self, first_seq: int) -> list[Answer]:
        count = bisect_right(self._firsts, first_seq - 1, 0, self.log[self.visible].records)
        return [Answer(self.records[count - 1])] if count else []

    # ------------------------------------------------------------------ writing

    async def _write(self, peer: Peer, statement: Statement, arguments: tuple[Any, ...], reply: Reply) -> None:
        records: list[Answer] = []
        warning, error = "", None
        try:
            if statement.matches(self._row, arguments):
                await self._lock(peer, statement.waits_s)
                try:
                    records, warning = await self._locked(peer, statement, arguments)
                finally:
                    self._unlock(peer)
        except _Aborted as aborted:
            error = aborted.error
        if peer.terminated and error is None:
            records, error = [], asyncpg.AdminShutdownError("terminating connection due to administrator command")
        reply(records, warning, error)

    async def _lock(self, peer: Peer, waits_s: float | None) -> None:
        if self._holder is None:
            self._holder = peer
            return
        peer.stage = "lock"
        peer.wake = self._world.loop.create_future()
        self._queue.append((peer, peer.wake))
        try:
            async with asyncio.timeout(waits_s):
                how = await peer.wake
        except TimeoutError:
            how = "" if self._holder is peer else "timeout"  # It may come at the last moment.
        finally:
            peer.stage = ""
        if self._holder is peer:
            return
        self._queue = deque(one for one in self._queue if one[0] is not peer)
        if how == "timeout":
            raise _Aborted(asyncpg.LockNotAvailableError("canceling statement due to lock timeout"))
        if how:
            raise _Aborted(asyncpg.AdminShutdownError("terminating connection due to administrator command"))

    def _unlock(self, peer: Peer) -> None:
        peer.stage = ""
        if self._holder is not peer:
            return
        self._holder = None
        while self._queue:
            following, wake = self._queue.popleft()
            if not wake.done():
                self._holder = following
                wake.set_result("")
                return

    async def _locked(self, peer: Peer, statement: Statement, arguments: tuple[Any, ...]) -> tuple[list[Answer], str]:
        row = self._row
        if not statement.matches(row, arguments):
            return [], ""
        is_append = statement.returned is _one
        if is_append and self.is_full:
            raise _Aborted(asyncpg.DiskFullError("could not extend file: No space left on device"))
        if self.hold_s:
            await self._hold(peer)
        changed = statement.change(row, arguments, peer.number)
        record: Record | None = arguments[:4] if is_append else None
        self._flushing, peer.stage = (changed, record), "flush"
        await asyncio.sleep(self.slow_s + self._chance.expovariate(500))
        place = self._flush()
        warning = await self._replicated(peer, place)
        self.visible = max(self.visible, place)
        self._world.note(f"postgres commit {changed.last_seq} epoch {changed.epoch} beat {changed.beat} {warning}")
        if is_append and place <= self.replicated:
            self._promises.appended(JournalBatch.decode(arguments[3]))
        return [Answer(statement.returned(changed))], warning

    async def _hold(self, peer: Peer) -> None:
        hold_s, self.hold_s = self.hold_s, 0.0
        peer.stage, peer.wake = "hold", self._world.loop.create_future()
        try:
            async with asyncio.timeout(hold_s):
                await peer.wake
        except TimeoutError:
            return
        raise _Aborted(asyncpg.AdminShutdownError("terminating connection due to administrator command"))

    def _flush(self) -> int:
        """The commit is on the primary's disk. Returns its place in the log."""
        assert self._flushing is not None
        (row, record), self._flushing = self._flushing, None
        if record is not None:
            self._promises.written(self.log[-1].row, JournalBatch.decode(record[3]))
            self.records.append(record)
            self._firsts.append(record[0])
        self.log.append(Version(row, len(self.records)))
        place = len(self.log) - 1
        if self.standby_up:
            self._send_to_standby(place)
        return place

    def _send_to_standby(self, place: int) -> None:
        delay_s = self._chance.expovariate(1_000)
        self._world.loop.call_later(delay_s, self._on_standby, place, context=self.process.context)

    def _on_standby(self, place: int) -> None:
        if not (self.up and self.standby_up) or place >= len(self.log):
            return
        self.replicated = max(self.replicated, place)
        if self._holder is not None and self._holder.stage == "replicate" and self.replicated >= len(self.log) - 1:
            self._holder.interrupt("")

    async def _replicated(self, peer: Peer, place: int) -> str:
        """Waits until the standby has the commit. Returns a warning where the wait was canceled."""
        if self.replicated >= place or peer.terminated:
            return ""
        peer.stage, peer.wake = "replicate", self._world.loop.create_future()
        how = await peer.wake
        return "canceling wait for synchronous replication due to user request" if how == "canceled" else ""

    # ------------------------------------------------------------------ faults

    def terminate(self, peer: Peer) -> None:
        """pg_terminate_backend."""
        self._world.note(f"postgres terminates {peer.process.name} in {peer.stage or 'idle'}")
        peer.terminated = True
        peer.interrupt("terminated")

    def terminate_waiting(self) -> None:
        """Somebody ends the session that waits for the standby."""
        if self._holder is not None and self._holder.stage == "replicate":
            self.terminate(self._holder)

    def cancel_wait(self) -> None:
        """Somebody cancels the statement that waits for the standby (pg_cancel_backend)."""
        if self._holder is not None and self._holder.stage == "replicate":
            self._world.note(f"postgres cancels the wait of {self._holder.process.name}")
            self._holder.interrupt("canceled")

    def attach_standby(self) -> None:
        """The standby is back, and gets what it lacks."""
        self.standby_up = True
        self._send_to_standby(len(self.log) - 1)

    def crash(self) -> None:
        """The primary dies: every session ends without a word."""
        self._world.note("postgres dies")
        self.up = False
        if self._flushing is not None:
            if self._chance.random() < 0.5:
                self._flush()
            self._flushing = None
        self.process.alive = False
        for task in list(self.process.tasks.values()):
            task.cancel()
        for peer in self.peers.values():
            peer.on_lost()
        self.peers.clear()
        self._queue.clear()
        self._holder = None

    def start(self) -> None:
        """The primary starts again: what was on its disk is visible, also what the standby lacks."""
        self.visible = len(self.log) - 1
        self._world.note(f"postgres starts at {self._row.last_seq} epoch {self._row.epoch}")
        self._open()
        if self.standby_up:
            self._send_to_standby(self.visible)

    def promote(self) -> None:
        """The standby takes the place of the primary. What it lacks is gone. A new standby is there at once."""
        lost = len(self.log) - 1 - self.replicated
        self._world.count("commits lost by a failover", lost)
        del self.log[self.replicated + 1 :]
        del self.records[self.log[-1].records :]
        del self._firsts[self.log[-1].records :]
        self.visible = self.replicated
        self.standby_up = True
        self._world.note(f"postgres fails over, {lost} commits are gone, at {self._row.last_seq}")
        self._open()

    def _open(self) -> None:
        self.process = Process("postgres")
        self.is_full, self.up = False, True

    def keeps(self, batch: JournalBatch) -> bool:
        """Whether the batch survives a failover at this moment: the standby has it."""
        count = self.log[self.replicated].records
        place = bisect_right(self._firsts, batch.first_seq, 0, count) - 1
        return place >= 0 and self.records[place][3] == batch.encode()

    def keeps_hash(self, last_seq: int, row_hash: bytes) -> bool:
        """As `keeps`, of the row that ends at `last_seq` and has this hash."""
        if not last_seq:
            return True
        count = self.log[self.replicated].records
        place = bisect_right(self._firsts, last_seq, 0, count) - 1
        return place >= 0 and self.records[place][1] == last_seq and self.records[place][3][-36:-4] == row_hash

    def chain(self) -> list[JournalBatch]:
        """Every batch that is visible."""
        return [JournalBatch.decode(record[3]) for record in self.records[: self.log[self.visible].records]]


def _one(_row: WriterRow) -> tuple[Any, ...]:
    return (1,)


def _writes() -> dict[str, Statement]:
    """The statements as their text says. Rigs change the text of two of them (tests/faults/postgres_mutants.py)."""
    fences = "AND epoch = $3" in statements.APPEND
    compares = "AND epoch = $1 AND last_seq = $2 AND beat = $3" in statements.CLAIM
    assert "AND last_hash = $6" in statements.APPEND

    def append_matches(row: WriterRow, values: tuple[Any, ...]) -> bool:
        return row.last_hash == values[5] and (row.epoch == values[2] or not fences)

    def append(row: WriterRow, values: tuple[Any, ...], _backend: int) -> WriterRow:
        return row._replace(last_seq=values[1], last_hash=values[4], beat=row.beat + 1)

    def claim_matches(row: WriterRow, values: tuple[Any, ...]) -> bool:
        return (row.epoch, row.last_seq, row.beat) == values[:3] or not compares

    def claim(row: WriterRow, values: tuple[Any, ...], backend: int) -> WriterRow:
        return row._replace(epoch=row.epoch + 1, epoch_after=row.last_seq, url=values[3], backend=backend)

    def is_epoch(row: WriterRow, values: tuple[Any, ...]) -> bool:
        return bool(row.epoch == values[0])

    def beat(row: WriterRow, _values: tuple[Any, ...], backend: int) -> WriterRow:
        return row._replace(beat=row.beat + 1, backend=backend)

    def barrier(row: WriterRow, _values: tuple[Any, ...], backend: int) -> WriterRow:
        return row._replace(backend=backend)

    def hand_over(row: WriterRow, _values: tuple[Any, ...], _backend: int) -> WriterRow:
        return row._replace(url="", beat=row.beat + 1)

    return {
        statements.APPEND: Statement(append_matches, append, _one),
        statements.CLAIM: Statement(claim_matches, claim, tuple, LOCK_TIMEOUT_S),
        statements.BEAT: Statement(is_epoch, beat, lambda row: (row.last_seq, row.last_hash)),
        statements.BARRIER: Statement(is_epoch, barrier, lambda row: (row.last_seq, row.last_hash)),
        statements.HAND_OVER: Statement(is_epoch, hand_over, lambda _row: (True,)),
    }
