"""The projector of an embedded venue in a process of its own, as the venue sees it: it takes no time from the orders.

The process is a fork of the one that becomes the venue, made before that has an event loop or a thread: it starts with
everything imported, and shares that memory. `projecting.py` is its inside; the two talk over a pair of sockets.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from services.journal.batch import JournalBatch
from services.messaging import Gap
from services.messaging.in_process import InProcessFeed
from services.read_model.errors import ReadDatabaseFailed
from services.read_model.projecting import FAULT, MOST_BYTES, ProjectorPlace, Told, next_line, project, rebuilt
from services.read_model.seq_waiters import SeqWaiters

PATIENCE_S = 4.0
"""How long the process may take to go on, or to end, when the venue ends: within the time of its watchdog
(services/processes/watchdog.py)."""

_FOR_THE_VENUE = (signal.SIGINT, signal.SIGTERM)

_PAUSE_S = 0.05
"""Between two messages that the journal goes on: many batches arrive meanwhile, and one message is enough for all of them."""


class ProjectorProcess:
    """Has the interface of a `Projector`. Made by `forked`."""

    def __init__(self, pid: int, connection: socket.socket) -> None:
        self.pid = pid
        self._connection = connection
        self._to_process: asyncio.StreamWriter | None = None
        self._waiters = SeqWaiters(self._wait_for)
        self._owed_seq = 0
        """The end of the newest row that it was told of."""
        self._went_on_s = 0.0
        """When it last told a position, or began to owe one."""
        self._ended = False

    @classmethod
    @contextmanager
    def forked(cls) -> Iterator[ProjectorProcess]:
        """Forks, before anything else is done: a fork copies no thread, and whatever another one has locked stays locked. When
        the block is left, the process has ended, whether it was run or not."""
        process = cls._fork()
        try:
            yield process
        finally:
            process._kill()
            process._wait()
            process._connection.close()

    @classmethod
    def _fork(cls) -> ProjectorProcess:
        if threading.active_count() != 1:
            raise RuntimeError("a projector's process is forked before any thread starts")
        gc.freeze()  # A collection in either process must not copy the memory that they share.
        _open_standard_streams()
        ours, its = socket.socketpair()
        # A supervisor, or Ctrl-C, may signal both processes; only the venue takes it, and then closes the connection.
        signal.pthread_sigmask(signal.SIG_BLOCK, _FOR_THE_VENUE)
        pid = os.fork()
        if pid == 0:
            ours.close()
            project(its)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _FOR_THE_VENUE)
        its.close()
        return cls(pid, ours)

    @property
    def seq(self) -> int:
        """Sequence number of the last command in the read database, as far as the process has told."""
        return self._waiters.seq

    @property
    def silent_s(self) -> float:
        """For how many seconds it has not told a position, while the journal has more."""
        return time.monotonic() - self._went_on_s if self._owed_seq > self.seq else 0.0

    async def reached(self, seq: int) -> None:
        """Waits until the read database holds all commands up to seq; raises ProjectorStopped if it never will."""
        await self._waiters.reached(seq)

    async def run(self, journal: Path, read_database: Path, feed: InProcessFeed) -> None:
        """Lets it project until this is canceled; then the process has ended. Raises what a `Projector` raises, and
        ReadDatabaseFailed if the process ends without a reason."""
        try:
            from_process, self._to_process = await asyncio.open_connection(sock=self._connection, limit=MOST_BYTES)
            self._to_process.write(ProjectorPlace(str(journal), str(read_database)).line())
            telling = asyncio.create_task(self._tell(feed))
            try:
                await self._listen(from_process, read_database)
            finally:
                telling.cancel()
        except Exception as error:
            self._waiters.stop(error)
            self._kill()  # It has told why, or has ended: nothing waits for how it ends.
            raise
        except BaseException as error:
            self._waiters.stop(error)
            raise
        finally:
            await self._end()

    async def _listen(self, from_process: asyncio.StreamReader, read_database: Path) -> None:
        while (line := await next_line(from_process)).endswith(b"\n"):
            if line.startswith(FAULT):
                raise rebuilt(bytes.fromhex(line.removeprefix(FAULT).decode()))
            self._went_on_s = time.monotonic()
            self._waiters.has_reached(int(line))
        raise ReadDatabaseFailed(read_database, f"its projector, process {self.pid}, has ended without a reason")

    async def _tell(self, feed: InProcessFeed) -> None:
        """Tells the process that the journal goes on. It reads the batches itself: here none is kept."""
        subscription = feed.subscribe(max_batches=1)
        try:
            while True:
                with contextlib.suppress(Gap):  # The newest batch follows it.
                    self._goes_on(await subscription.next_batch())
                    await asyncio.sleep(_PAUSE_S)
        finally:
            subscription.close()

    def _goes_on(self, batch: JournalBatch) -> None:
        if batch.last_seq <= self.seq:
            return  # It has read on for somebody who waited.
        if self._owed_seq <= self.seq:
            self._went_on_s = time.monotonic()
        self._owed_seq = batch.last_seq
        self._say(Told.JOURNAL_GOES_ON, 0)

    def _wait_for(self, seq: int) -> None:
        self._say(Told.SOMEBODY_WAITS, seq)

    def _say(self, what: Told, seq: int) -> None:
        if self._to_process is not None and not self._to_process.is_closing():
            self._to_process.write(b"%d %d\n" % (what, seq))

    async def _end(self) -> None:
        """The process ends with its connection, after the transaction that it writes; one that is stuck is killed."""
        with contextlib.suppress(OSError):  # It is closed already.
            self._connection.shutdown(socket.SHUT_RDWR)  # After a close alone, uvloop keeps a descriptor below 3 open.
        if self._to_process is not None:
            self._to_process.close()
        ending = asyncio.create_task(asyncio.to_thread(self._wait))
        await asyncio.wait([ending], timeout=PATIENCE_S if self.silent_s < PATIENCE_S else 0)
        self._kill()
        await asyncio.wait([ending])

    def _wait(self) -> None:
        if self._ended:
            return
        with contextlib.suppress(ChildProcessError):  # Whoever ignores SIGCHLD has it reaped by the kernel.
            os.waitpid(self.pid, 0)
        self._ended = True

    def _kill(self) -> None:
        if not self._ended:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)


def _open_standard_streams() -> None:
    """A closed one would give its number to the sockets."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # It gets the lowest free number, this one.
