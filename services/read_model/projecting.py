"""The process of an embedded venue's projector, from inside (projector_process.py forks it).

The first line that it reads says where journal and read database are. Then each line is two numbers: what it is told, and a
sequence number. It answers with a line after each transaction: the sequence number that the read database has reached; before
it ends because of an error, with that error. It ends with the socket, so a killed venue leaves none behind.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import pickle
import socket
import sys
import traceback
from dataclasses import asdict, dataclass
from enum import IntEnum
from pathlib import Path
from typing import NoReturn

import uvloop

from services.journal.batch import JournalBatch
from services.journal.sqlite import SqliteJournal
from services.messaging import Gap
from services.processes.log import log_to_standard_error
from services.processes.own_process import collect_garbage, share_interpreter
from services.read_model.projector import Projector
from services.read_model.seq_waiters import ProjectorStopped
from services.read_model.sqlite_writer import SqliteWriter
from services.read_model.write_lock import write_lock

FAULT = b"fault "
NOTE_CHARACTERS = 4_000
"""So much of the end of a traceback is told."""
MOST_BYTES = 2**24
"""Of a line."""


class Told(IntEnum):
    """What the venue tells."""

    JOURNAL_GOES_ON = 0
    SOMEBODY_WAITS = 1
    """For the sequence number: the next transaction does not wait for more batches."""


@dataclass(frozen=True)
class ProjectorPlace:
    """Where the files are."""

    journal: str
    read_database: str

    def line(self) -> bytes:
        """What the process reads first."""
        return json.dumps(asdict(self)).encode() + b"\n"


class ToldFeed:
    """A feed and its one subscription: it carries no batches, and says when the journal goes on."""

    def __init__(self) -> None:
        self.goes_on = asyncio.Event()

    def subscribe(self) -> ToldFeed:
        """The subscription."""
        return self

    async def next_batch(self) -> JournalBatch:
        """Waits until the journal goes on, then raises Gap: the reader reads the journal from its own position."""
        await self.goes_on.wait()
        self.goes_on.clear()
        raise Gap("the journal goes on")

    def close(self) -> None:
        """Nothing is open."""


async def next_line(from_other: asyncio.StreamReader) -> bytes:
    """The next line of the other side; none once it has ended, also where it has not read all that it was told."""
    try:
        return await from_other.readline()
    except ConnectionError:
        return b""


def project(connection: socket.socket) -> NoReturn:
    """Becomes the projector until the connection ends, then ends the process: without cleanup, it is another one's fork."""
    status = 1
    try:
        os.setsid()  # Ctrl-C is for the venue.
        os.dup2(2, 1)  # The venue's answers are on its standard output.
        log_to_standard_error()
        collect_garbage()
        share_interpreter()
        uvloop.run(talk(connection))
        status = 0
    except BaseException:  # Nothing may return into the code that forked.
        traceback.print_exc()
    finally:
        try:
            sys.stderr.flush()
        finally:
            os._exit(status)


async def talk(connection: socket.socket) -> None:
    """Projects until the venue closes the connection. Tells an error of its own, whatever fails, and then waits until the venue
    has heard it: what the venue writes meanwhile must not fail, or it would lose what it has not read yet."""
    from_venue, to_venue = await asyncio.open_connection(sock=connection)
    first = await next_line(from_venue)
    if first:  # Else the venue ended before it began.
        try:
            await _project(ProjectorPlace(**json.loads(first)), from_venue, to_venue)
        except Exception as error:
            to_venue.write(FAULT + pickled(error).hex().encode() + b"\n")
            while await next_line(from_venue):
                pass
    to_venue.close()
    with contextlib.suppress(ConnectionError):
        await to_venue.wait_closed()


async def _project(where: ProjectorPlace, from_venue: asyncio.StreamReader, to_venue: asyncio.StreamWriter) -> None:
    feed, path = ToldFeed(), Path(where.read_database)
    with write_lock(path):
        journal = await SqliteJournal.open(Path(where.journal), read_only=True)
        projector = Projector(SqliteWriter(path), journal, feed, on_reached=lambda seq: to_venue.write(b"%d\n" % seq))
        projecting = asyncio.create_task(projector.run())
        listening = asyncio.create_task(_listen(from_venue, feed, projector))
        try:
            await asyncio.wait((projecting, listening), return_when=asyncio.FIRST_COMPLETED)
            for ended in (projecting, listening):
                if ended.done():
                    ended.result()
        finally:
            for task in (projecting, listening):
                task.cancel()
            await asyncio.wait((projecting, listening))
            await journal.close()


async def _listen(from_venue: asyncio.StreamReader, feed: ToldFeed, projector: Projector) -> None:
    """Returns when the venue has closed the connection."""
    waits = set[asyncio.Task[None]]()
    while line := await next_line(from_venue):
        what, seq = map(int, line.split())
        if what == Told.SOMEBODY_WAITS:
            waits.add(wait := asyncio.create_task(_wait(projector, seq)))
            wait.add_done_callback(waits.discard)
        feed.goes_on.set()


async def _wait(projector: Projector, seq: int) -> None:
    with contextlib.suppress(ProjectorStopped):  # The venue is told why by another line.
        await projector.reached(seq)


def pickled(error: BaseException) -> bytes:
    """An error's class, arguments and attributes, as far as they can be pickled; its traceback becomes a note."""
    error.add_note("".join(traceback.format_exception(error))[-NOTE_CHARACTERS:])
    try:
        whole = pickle.dumps((type(error), error.args, vars(error)))
        rebuilt(whole)
    except Exception:
        return pickle.dumps((type(error), (str(error),), {"__notes__": error.__notes__}))
    return whole


def rebuilt(pickled_error: bytes) -> BaseException:
    """The error that `pickled` took apart: an exception's own way of pickling calls its class with the sentence."""
    kind, arguments, state = pickle.loads(pickled_error)
    error: BaseException = kind.__new__(kind, *arguments)
    vars(error).update(state)
    return error
