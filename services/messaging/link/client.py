"""The gateway's end of the link: an inbox that reaches the active sequencer, and the feed of its batches.

The writer row of the journal names the active sequencer. In a new epoch, a submission that was sent before and is not in the
journal up to `epoch_after` was not and will not be executed: the link sends it again. After a link that broke within an epoch,
HELLO says how many submissions arrived. So a submission is executed exactly once, unless it was withdrawn.
"""

from __future__ import annotations

import asyncio
import secrets
import ssl as tls
from collections.abc import Iterator, Sequence
from http import HTTPStatus

import structlog
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import broadcast
from websockets.exceptions import InvalidStatus, WebSocketException

from services.journal import JournalCorrupt, JournalLost
from services.journal.batch import JournalBatch
from services.journal.postgres.writer_row import ClaimableJournal, WriterRow
from services.messaging import Submission
from services.messaging.in_process import InProcessFeed, InProcessSubscription
from services.messaging.link.abort import abort
from services.messaging.link.frames import (
    CLOSE_S,
    LINK_HEADER,
    MAX_DOWN_BYTES,
    MAX_SUBMISSION_BYTES,
    PING_S,
    PING_TIMEOUT_S,
    WINDOW_COMMANDS,
    Hello,
    LinkRefused,
    pack_submissions,
    unpack_hello,
)
from services.messaging.link.window import Window

LOOK_S = 0.25
"""Seconds between two looks at the writer row, and between two attempts to connect."""
OPEN_S = 2.0
"""How long connection, handshake and HELLO may take together."""
CHUNK_BYTES = 64 * 1024
"""Submissions that have waited are sent in messages of about this size."""

log = structlog.get_logger("rex.link")


class _Broken(Exception):
    """The link cannot go on: the writer row is looked at again."""


class Link:
    """The link of one gateway process. `run` must run; until it has a link, submissions wait."""

    def __init__(
        self,
        journal: ClaimableJournal,
        secret: str,
        *,
        ssl: tls.SSLContext | None = None,
        max_commands: int = WINDOW_COMMANDS,
    ) -> None:
        self._journal = journal
        self._ssl = ssl
        self._headers = {"Authorization": f"Bearer {secret}", LINK_HEADER: secrets.token_hex(16)}
        self._window = Window(max_commands)
        self._feed = InProcessFeed()
        self._connection: ClientConnection | None = None
        self._unflushed: list[Submission] = []
        self._seq = 0
        """Every batch up to here was compared with the window."""
        self._hash = b""
        """The hash of the batch that ends at `_seq`; empty if it is not known."""
        self._row: WriterRow | None = None
        """The writer row that the link follows."""
        self._task: asyncio.Task[None] | None = None
        """Holds the link, or tries to."""
        self._next_attempt_s = 0.0
        self._heard_s = 0.0
        self._loop = asyncio.get_running_loop()

    # ------------------------------------------------------------------ health

    @property
    def connected(self) -> bool:
        """Whether there is a link, and what is submitted is sent at once."""
        return self._connection is not None

    @property
    def epoch(self) -> int:
        """The epoch of the sequencer that the link follows; 0 before the first."""
        return 0 if self._row is None else self._row.epoch

    @property
    def url(self) -> str:
        """The address of that sequencer; empty if there is none."""
        return "" if self._row is None else self._row.url

    @property
    def age_s(self) -> float | None:
        """Seconds since the last message or pong of a sequencer; None before the first."""
        return self._loop.time() - self._heard_s if self._heard_s else None

    # ------------------------------------------------------------------ inbox

    @property
    def depth(self) -> int:
        """The number of commands without a batch."""
        return self._window.bounds.commands

    @property
    def largest_share(self) -> int:
        """The largest number of commands without a batch that one account has."""
        return self._window.bounds.largest_share

    async def put(self, submission: Submission) -> None:
        """Adds a submission, and sends it with the others of this turn of the event loop; without a link, it waits for one.

        Raises InboxFull or ShareFull at the bounds of the window, ValueError if it is no submission of this gateway.
        """
        if submission.attachments and _bytes_of(submission) > MAX_SUBMISSION_BYTES:
            raise ValueError(f"a submission of {_bytes_of(submission)} bytes; the link takes {MAX_SUBMISSION_BYTES}")
        connected = self._connection is not None
        self._window.add(submission, sent=connected)
        if connected:
            if not self._unflushed:
                self._loop.call_soon(self._flush)
            self._unflushed.append(submission)

    def withdraw(self, request_id: int) -> bool:
        """True if the submission was never sent, or was proven not to be executed: then it is removed."""
        return self._window.withdraw(request_id)

    def _flush(self) -> None:
        if self._connection is not None:
            for message in _messages(self._unflushed):
                broadcast([self._connection], message)
        self._unflushed.clear()

    # ------------------------------------------------------------------ feed

    def subscribe(self) -> InProcessSubscription:
        """A new subscription. It receives every batch from now on, and a Gap whenever a link begins."""
        return self._feed.subscribe()

    # ------------------------------------------------------------------ which sequencer

    async def run(self) -> None:
        """Keeps the link until it is canceled.

        Raises LinkRefused for a wrong secret or another version of the link, JournalLost if the journal lacks a batch that this
        gateway has received, and other errors of a damaged journal.
        """
        try:
            while True:
                try:
                    await self._look()
                except _Broken as error:
                    log.warning("no link", reason=str(error))
                if self._task is not None and self._task.done():
                    await self._end()
                if self._task is None and self.url and self._loop.time() >= self._next_attempt_s:
                    self._next_attempt_s = self._loop.time() + LOOK_S
                    self._task = asyncio.create_task(self._hold(), name="link")
                if self._task is None:
                    await asyncio.sleep(LOOK_S)
                else:
                    await asyncio.wait([self._task], timeout=LOOK_S)
        finally:
            await self._end()

    async def _look(self) -> None:
        """Looks at the writer row. Where it names another sequencer, ends the link; in a new epoch, reads what was executed."""
        seq, known_hash = self._seq, self._hash
        row = await self._journal.look()
        if row.last_seq < seq:
            raise JournalLost.after(
                row.last_seq, f"it ends there, and this gateway has received commands up to seq {seq}"
            )
        if row.last_seq == seq and known_hash and row.last_hash != known_hash:
            raise _replaced(seq)
        if self._row is not None and (row.epoch, row.url) == (self._row.epoch, self._row.url):
            return
        await self._end()
        if row.epoch != self.epoch:
            await self._read_to(row.epoch_after)
            self._window.not_taken(0)
        self._row = row
        self._next_attempt_s = 0.0

    async def _end(self) -> None:
        """Ends the link, if there is one. Raises the error that ended it before."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task])
            if not task.cancelled():
                task.result()

    # ------------------------------------------------------------------ a link

    async def _hold(self) -> None:
        """Opens a link and keeps it until it breaks."""
        assert self._row is not None
        connection: ClientConnection | None = None
        try:
            async with asyncio.timeout(OPEN_S):
                connection = await self._connect(self._row.url)
                hello = unpack_hello(await connection.recv(decode=False))
            await self._begin(connection, hello, self._row)
            await self._receive(connection)
        except (_Broken, WebSocketException, OSError) as error:
            log.warning("no link", url=self._row.url, epoch=self._row.epoch, reason=str(error) or type(error).__name__)
        finally:
            self._connection = None
            self._unflushed.clear()
            if connection is not None:
                abort(connection)

    async def _connect(self, url: str) -> ClientConnection:
        try:
            return await connect(
                url,
                additional_headers=self._headers,
                ssl=self._ssl if url.startswith("wss:") else None,
                compression=None,
                user_agent_header=None,
                proxy=None,
                open_timeout=None,
                ping_interval=None,  # `_ping` does it.
                close_timeout=CLOSE_S,
                max_size=MAX_DOWN_BYTES,
                write_limit=4 * MAX_SUBMISSION_BYTES,
            )
        except InvalidStatus as refused:
            if refused.response.status_code != HTTPStatus.UNAUTHORIZED:
                raise
            raise LinkRefused(
                f"the sequencer at {url} refused this gateway: give both the same REX_LINK_SECRET"
            ) from refused

    async def _begin(self, connection: ClientConnection, hello: Hello, row: WriterRow) -> None:
        """Brings the window up to date with what HELLO says, then sends what is not sent."""
        if (hello.journal_id, hello.epoch) != (row.journal_id, row.epoch):
            raise _Broken(f"a sequencer of epoch {hello.epoch} of journal {hello.journal_id.hex()} answers there")
        await self._read_to(hello.last_seq)
        self._window.not_taken(hello.taken)
        self._connection = connection
        self._feed.gap()
        for message in _messages(self._window.send()):
            broadcast([connection], message)
        log.info("link", url=row.url, epoch=row.epoch, waiting=self.depth)

    async def _receive(self, connection: ClientConnection) -> None:
        self._heard_s = self._loop.time()
        pinging = asyncio.create_task(self._ping(connection), name="link ping")
        try:
            while True:
                message = await connection.recv(decode=False)
                self._heard_s = self._loop.time()
                try:
                    batch = JournalBatch.decode(message)
                except JournalCorrupt as error:
                    raise _Broken(str(error)) from error
                if self._compare(batch):
                    await self._feed.publish(batch)
        finally:
            pinging.cancel()

    async def _ping(self, connection: ClientConnection) -> None:
        """Ends the connection if the sequencer does not answer."""
        try:
            while True:
                await asyncio.sleep(PING_S)
                async with asyncio.timeout(PING_TIMEOUT_S):
                    await (await connection.ping())
                self._heard_s = self._loop.time()
        except (OSError, WebSocketException):
            abort(connection)

    # ------------------------------------------------------------------ batches

    async def _read_to(self, seq: int) -> None:
        """Compares the journal with the window, at least up to seq. Skips it if this gateway has sent and received nothing."""
        if self._seq >= seq:
            return
        if not self._hash and not self._window.has_sent:
            self._seq = seq
            return
        async for batch in self._journal.read(self._seq):
            self._compare(batch)
        if self._seq < seq:
            raise _Broken(f"the journal was read up to seq {self._seq}, and the sequencer has seq {seq}")

    def _compare(self, batch: JournalBatch) -> bool:
        """Removes the batch's commands from the window. False if it did so before. Raises JournalLost if the batch does not
        continue what was received."""
        if batch.last_seq <= self._seq:
            return False
        if batch.first_seq > self._seq + 1:
            raise _Broken(f"the batch from seq {batch.first_seq} does not follow seq {self._seq}")
        if self._hash and batch.previous_hash != self._hash:
            raise _replaced(self._seq)
        self._window.answer(batch)
        self._seq, self._hash = batch.last_seq, batch.hash
        return True


def _replaced(seq: int) -> JournalLost:
    sentence = f"its row that ends at seq {seq} is another one than this gateway has received"
    return JournalLost.after(seq - 1, sentence)


def _bytes_of(submission: Submission) -> int:
    return len(submission.commands) + sum(map(len, submission.attachments))


def _messages(submissions: Sequence[Submission]) -> Iterator[bytes]:
    """Messages of about CHUNK_BYTES with these submissions."""
    chunk: list[Submission] = []
    size = 0
    for submission in submissions:
        chunk.append(submission)
        size += _bytes_of(submission)
        if size >= CHUNK_BYTES:
            yield pack_submissions(chunk)
            chunk, size = [], 0
    if chunk:
        yield pack_submissions(chunk)
