"""The gateway's end of the link: an inbox that reaches the active sequencer, and the feed of its batches.

The writer row of the journal names the active sequencer. Its HELLO proves that its claim is confirmed, and says how many
submissions it has taken in its epoch. One that it has not taken, and that is not in the journal up to HELLO's seq, was not and
will not be executed: the link sends it again. So a submission is executed exactly once, unless it was withdrawn.
"""

from __future__ import annotations

import asyncio
import secrets
from http import HTTPStatus

import structlog
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import broadcast
from websockets.exceptions import InvalidStatus, WebSocketException

from services.journal import JournalCorrupt
from services.journal.batch import JournalBatch
from services.journal.postgres.writer_row import Beats, ClaimableJournal, WriterRow
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
    pack_messages,
    unpack_hello,
)
from services.messaging.link.position import Broken, LinkPosition
from services.messaging.link.window import LinkWindow

LOOK_S = 0.25
"""Seconds between two looks at the writer row, and between two attempts to connect."""
OPEN_S = 2.0
"""How long connection, handshake and HELLO may take together."""

log = structlog.get_logger("rex.link")


class Link:
    """The link of one gateway process. `run` must run; until it has a link, submissions wait."""

    def __init__(self, journal: ClaimableJournal, secret: str, *, max_commands: int = WINDOW_COMMANDS) -> None:
        self._journal = journal
        self._headers = {"Authorization": f"Bearer {secret}", LINK_HEADER: secrets.token_hex(16)}
        self._window = LinkWindow(max_commands)
        self._position = LinkPosition(journal, self._window)
        self._feed = InProcessFeed()
        self._connection: ClientConnection | None = None
        self._unflushed: list[Submission] = []
        self._row: WriterRow | None = None
        """The writer row that the link follows."""
        self.confirmed_seq: int | None = None
        """Up to here a sequencer has published its batches: they are durable, and on the synchronous standby if there is one.
        The journal may show one more that is not. None before the first link, unless the last writer has handed over."""
        self._task: asyncio.Task[None] | None = None
        """Holds the link, or tries to."""
        self._next_attempt_s = 0.0
        self.trouble = ""
        """Why the last attempt did not lead to a link, or why the last link broke; empty while there is a link."""
        self._heard_s = 0.0
        self._loop = asyncio.get_running_loop()
        self._began_s = self._loop.time()
        self.beats = Beats(self._loop.time)
        """Whether a sequencer leads, linked or not."""

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

    @property
    def silent_s(self) -> float:
        """Seconds for which nothing has come from a sequencer, since the start if nothing ever has. While there is a link,
        pongs keep it short, also when nobody trades."""
        return self._loop.time() - (self._heard_s or self._began_s)

    # ------------------------------------------------------------------ inbox

    @property
    def oldest_age_s(self) -> float:
        """How long the oldest submission has waited for its batch, seconds; 0 if none waits."""
        oldest_s = self._window.oldest_s
        return 0.0 if oldest_s is None else self._loop.time() - oldest_s

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
        if submission.attachments:
            size = len(submission.commands) + sum(map(len, submission.attachments))
            if size > MAX_SUBMISSION_BYTES:
                raise ValueError(f"a submission of {size} bytes; the link takes {MAX_SUBMISSION_BYTES}")
        connected = self._connection is not None
        self._window.add(submission, sent=connected, now_s=self._loop.time())
        if connected:
            if not self._unflushed:
                self._loop.call_soon(self._flush)
            self._unflushed.append(submission)

    def withdraw(self, request_id: int) -> bool:
        """True if the submission was never sent, or was proven not to be executed: then it is removed."""
        return self._window.withdraw(request_id)

    def _flush(self) -> None:
        if self._connection is not None:
            for message in pack_messages(self._unflushed):
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
                await self._look()
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
        """Looks at the writer row. Where it names another sequencer, ends the link. That proves nothing of what was sent: the
        claim may be visible and not confirmed, and a failover take it back."""
        seq, known_hash = self._position.seq, self._position.hash
        row = await self._journal.look()
        self._position.check(row, seq, known_hash)
        self.beats.see(row)
        if self.confirmed_seq is None and not row.url:  # The writer has handed over: everything was confirmed before.
            self.confirmed_seq = row.last_seq
            self._feed.gap()
        if self._row is not None and (row.epoch, row.url) == (self._row.epoch, self._row.url):
            return
        await self._end()
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
        except (Broken, WebSocketException, OSError) as error:
            self._no_link(error)
        finally:
            self._connection = None
            self._unflushed.clear()
            if connection is not None:
                abort(connection)

    def _no_link(self, error: Exception) -> None:
        trouble = str(error) or type(error).__name__
        if trouble != self.trouble:
            log.warning("no link", url=self.url, epoch=self.epoch, reason=trouble)
        self.trouble = trouble

    async def _connect(self, url: str) -> ClientConnection:
        try:
            return await connect(
                url,
                additional_headers=self._headers,
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
            raise Broken(f"a sequencer of epoch {hello.epoch} of journal {hello.journal_id.hex()} answers there")
        await self._position.read_to(hello.last_seq)
        self.confirmed_seq = hello.last_seq
        self._window.not_taken(hello.taken)
        self._connection, self.trouble = connection, ""
        self._feed.gap()
        for message in pack_messages(self._window.send()):
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
                    raise Broken(str(error)) from error
                self._position.take(batch)
                if self.confirmed_seq is None or batch.last_seq > self.confirmed_seq:
                    self.confirmed_seq = batch.last_seq
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
