"""A child process with its standard streams, started without a copy of this process.

uvloop's `create_subprocess_exec` forks: it copies the page tables, and an order process of 700 MB answers nobody for 35 ms.
`subprocess` uses vfork, which copies nothing: 0.5 ms.
"""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from socket import socket, socketpair
from threading import Thread

from services.processes.own_process import put_back

_Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class StartedProcess:
    """A child process. A thread waits for its end, so that it leaves no zombie behind."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._streams: list[_Stream] = []
        loop = asyncio.get_running_loop()
        self._status: asyncio.Future[int] = loop.create_future()
        Thread(target=self._await_end, args=(loop,), name="child process", daemon=True).start()

    def _await_end(self, loop: asyncio.AbstractEventLoop) -> None:
        status = self._process.wait()
        with suppress(RuntimeError):  # The loop has ended before it.
            loop.call_soon_threadsafe(self._status.set_result, status)

    @classmethod
    async def start(
        cls,
        command: Sequence[str],
        *,
        environment: Mapping[str, str] | None = None,
        keeps: Collection[int] = (),
        errors_apart: bool = False,
        own_session: bool = False,
        niceness: int = 0,
    ) -> StartedProcess:
        """Starts the command with `environment` (None: ours) and, beside its streams, those of our open files that it `keeps`.
        Without `errors_apart` its standard error is ours. `niceness` lowers its priority beside ours.

        Raises OSError if it cannot be started. Canceled, it leaves no process.
        """
        # Sockets, since asyncio has no public writer for a pipe; one for each stream, since one that is closed with unread data
        # fails on both sides.
        pairs = [socketpair() for _ in range(3 if errors_apart else 2)]
        ours = [one for one, _ in pairs]
        started = None
        try:
            started = cls(_started(command, [theirs for _, theirs in pairs], environment, keeps, own_session))
            # Not by itself: its imports alone would take a second from the orders.
            put_back(started.pid, niceness)
            while ours:
                started._streams.append(await asyncio.open_connection(sock=ours[0]))
                del ours[0]
            return started
        except BaseException:
            for one in ours:
                one.close()
            if started is not None:
                started.kill()
                await started.wait()
            raise
        finally:
            for _, theirs in pairs:
                theirs.close()

    @property
    def given(self) -> asyncio.StreamWriter:
        """Its standard input."""
        return self._streams[0][1]

    @property
    def output(self) -> asyncio.StreamReader:
        """Its standard output."""
        return self._streams[1][0]

    @property
    def errors(self) -> asyncio.StreamReader:
        """Its standard error, if it is apart from ours."""
        return self._streams[2][0]

    @property
    def pid(self) -> int:
        """Its number."""
        return self._process.pid

    @property
    def has_ended(self) -> bool:
        """Whether it has ended."""
        return self._status.done()

    def kill(self) -> None:
        """Kills it, if it has not ended."""
        self._process.kill()

    async def wait(self) -> int:
        """Waits for its end, and closes its streams. Its exit status, or minus the signal that ended it."""
        try:
            return await asyncio.shield(self._status)
        finally:
            for _, writer in self._streams:
                writer.transport.abort()


def _started(
    command: Sequence[str],
    streams: Sequence[socket],
    environment: Mapping[str, str] | None,
    keeps: Collection[int],
    own_session: bool,
) -> subprocess.Popen[bytes]:
    given, output, *errors = streams
    return subprocess.Popen(
        command,
        env=environment,
        stdin=given.fileno(),
        stdout=output.fileno(),
        stderr=errors[0].fileno() if errors else None,
        pass_fds=keeps,
        start_new_session=own_session,
    )
