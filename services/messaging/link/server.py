"""The sequencer's end of the links: takes the submissions of authenticated gateways into the inbox, sends them each batch.

A gateway too slow to take batches is cut off: it reads the journal. Closing codes: 1008 for a gateway that breaks the protocol,
1013 for one that may come back at once.
"""

from __future__ import annotations

import asyncio
import hmac
import re
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus

import numpy as np
import structlog
from websockets.asyncio.server import ServerConnection, broadcast, serve
from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode
from websockets.http11 import Request, Response

from matching_engine.records import COMMAND
from services.journal.batch import JournalBatch
from services.messaging import Feed, Gap, Inbox, InboxFull, Submission, Subscription
from services.messaging.in_process import InProcessInbox
from services.messaging.link.abort import abort
from services.messaging.link.frames import (
    CLOSE_S,
    LINK_HEADER,
    MAX_DOWN_BYTES,
    MAX_UP_BYTES,
    PING_S,
    PING_TIMEOUT_S,
    WINDOW_COMMANDS,
    Hello,
    LinkRefused,
    pack_hello,
    sender_of,
    unpack_submissions,
)

MAX_LINKS = 64
"""The most gateways at a time."""
MAX_UNSENT_BYTES = 16 * 1024 * 1024
"""A gateway with more unsent bytes than this is cut off before the next batch."""
MAX_KNOWN = 65_536
"""The number of gateway processes whose submissions are counted. Beyond it, the one without a link for longest is forgotten:
longer, by far, than its requests wait."""
OPEN_S = 2.0
"""How long a handshake may take."""

Check = Callable[[Submission], None]
"""Raises ValueError for a submission that must not get a number."""

log = structlog.get_logger("rex.link")


def inbox_of_links(max_links: int = MAX_LINKS) -> InProcessInbox:
    """The inbox of a sequencer with links, which admits what the windows of max_links gateways admit.

    Each gateway refuses by its own window. The inbox is twice as large as all windows together: so all of them fit into its
    part for members, and an account's share is larger than what all windows admit of it. Accounts still take turns.
    """
    return InProcessInbox(2 * max_links * WINDOW_COMMANDS)


class _Gateway:
    """A gateway process: how many submissions were taken from it, and its newest link."""

    def __init__(self) -> None:
        self.taken = 0
        self.newest: ServerConnection | None = None
        self.serving = asyncio.Lock()
        """Held while submissions are taken: a newer link begins after the older one has ended."""
        self.incarnation = 0
        """The incarnation in its commands; 0 before the first."""


class _Link:
    """An open link."""

    def __init__(self, connection: ServerConnection, gateway: _Gateway) -> None:
        self.connection = connection
        self.gateway = gateway
        self.waiting = 0
        """How many commands of this link wait for their batch."""


class LinkServer:
    """The links of one sequencer; made by `serve_links`."""

    def __init__(
        self,
        secret: str,
        *,
        inbox: Inbox,
        feed: Feed,
        journal_id: bytes,
        epoch: int,
        last_seq: Callable[[], int],
        check: Check,
        max_links: int = MAX_LINKS,
    ) -> None:
        if not secret:
            raise ValueError("a link needs a secret (REX_LINK_SECRET)")
        self._authorization = f"Bearer {secret}".encode()
        self._inbox = inbox
        self._feed = feed
        self._journal_id = journal_id
        self._epoch = epoch
        self._last_seq = last_seq
        self._check = check
        self._max_links = max_links
        self._gateways: dict[str, _Gateway] = {}
        self._links: set[_Link] = set()
        self._closing: set[asyncio.Task[None]] = set()

    @property
    def links(self) -> int:
        """The number of gateways with a link."""
        return len(self._links)

    # ------------------------------------------------------------------ opening

    def check(self, connection: ServerConnection, request: Request) -> Response | None:
        """Answers a handshake without the secret, or beyond the number of links; None lets it in."""
        given = request.headers.get_all("Authorization")
        if len(given) != 1 or not hmac.compare_digest(given[0].encode(), self._authorization):
            return connection.respond(HTTPStatus.UNAUTHORIZED, "")
        names = request.headers.get_all(LINK_HEADER)
        if len(names) != 1 or not re.fullmatch("[0-9a-f]{32}", names[0]):
            return connection.respond(HTTPStatus.BAD_REQUEST, f"{LINK_HEADER}: 32 hexadecimal digits\n")
        known = self._gateways.get(names[0])
        if len(self._links) >= self._max_links and (known is None or known.newest is None):
            return connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, f"{self._max_links} gateways have a link\n")
        return None

    async def serve(self, connection: ServerConnection) -> None:
        """Serves one link until it is closed."""
        assert connection.request is not None
        gateway = self._gateway(connection.request.headers[LINK_HEADER])
        if gateway.newest is not None:
            abort(gateway.newest)
        gateway.newest = connection
        async with gateway.serving:
            if gateway.newest is not connection:
                return
            link = self._begin(connection, gateway)
            try:
                await self._receive(link)
            finally:
                self._links.discard(link)
                if gateway.newest is connection:
                    gateway.newest = None

    def _gateway(self, name: str) -> _Gateway:
        gateway = self._gateways.pop(name, None) or _Gateway()
        self._gateways[name] = gateway  # at the end: the newest
        if len(self._gateways) > MAX_KNOWN:
            del self._gateways[next(known for known, one in self._gateways.items() if one.newest is None)]
        return gateway

    def _begin(self, connection: ServerConnection, gateway: _Gateway) -> _Link:
        """Sends HELLO. No batch after its last_seq is missed: there is no await between the two."""
        hello = Hello(self._journal_id, self._epoch, self._last_seq(), gateway.taken)
        broadcast([connection], pack_hello(hello))
        link = _Link(connection, gateway)
        self._links.add(link)
        return link

    # ------------------------------------------------------------------ up

    async def _receive(self, link: _Link) -> None:
        try:
            async for message in link.connection:
                await self._take(link, message)
        except (LinkRefused, ValueError) as error:
            log.warning("a gateway broke the protocol of the link", reason=str(error))
            await link.connection.close(CloseCode.POLICY_VIOLATION, str(error)[:120])
        except InboxFull as error:
            log.warning("the inbox refused a gateway", reason=str(error))
            await link.connection.close(CloseCode.TRY_AGAIN_LATER, "the inbox is full")
        except ConnectionClosed:
            pass

    async def _take(self, link: _Link, message: bytes | str) -> None:
        if isinstance(message, str):
            raise LinkRefused("a text message")
        gateway = link.gateway
        for submission in unpack_submissions(message):
            waiting = link.waiting + len(submission.commands) // COMMAND.itemsize
            if waiting > WINDOW_COMMANDS:
                raise LinkRefused(f"more than {WINDOW_COMMANDS} commands wait for their batch")
            self._check(submission)
            await self._inbox.put(submission)
            link.waiting = waiting
            gateway.taken += 1
            if not gateway.incarnation:
                _, gateway.incarnation, _ = sender_of(submission.commands)

    # ------------------------------------------------------------------ down

    async def publish(self, subscription: Subscription) -> None:
        """Sends the batches of the subscription to every link. Never waits for a gateway. Runs until canceled."""
        while True:
            try:
                self._send(await subscription.next_batch())
            except Gap:
                for link in [*self._links]:
                    self._cut_off(link, "batches were dropped: read the journal")

    def _send(self, batch: JournalBatch) -> None:
        data = batch.encode()
        for link in [*self._links]:
            if len(data) > MAX_DOWN_BYTES:
                self._cut_off(link, "a batch is too large for the link: read the journal")
            elif link.connection.transport.get_write_buffer_size() > MAX_UNSENT_BYTES:
                self._cut_off(link, "too slow to take batches: read the journal")
        if not self._links:
            return
        broadcast([link.connection for link in self._links], data)
        incarnations = np.frombuffer(batch.commands, COMMAND)["incarnation"]
        for link in self._links:
            if link.waiting:
                link.waiting -= min(link.waiting, int(np.count_nonzero(incarnations == link.gateway.incarnation)))

    def _cut_off(self, link: _Link, reason: str) -> None:
        log.warning("a gateway was cut off", reason=reason)
        self._links.discard(link)
        closing = asyncio.create_task(link.connection.close(CloseCode.TRY_AGAIN_LATER, reason))
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)


@asynccontextmanager
async def serve_links(
    listener: socket.socket,
    secret: str,
    *,
    inbox: Inbox,
    feed: Feed,
    journal_id: bytes,
    epoch: int,
    last_seq: Callable[[], int],
    check: Check,
    max_links: int = MAX_LINKS,
) -> AsyncIterator[LinkServer]:
    """Accepts links on `listener`, which it closes at the end with all links. Raises ValueError for an empty secret.

    `last_seq` returns the last command whose batch is durable and published (`Sequencer.last_seq`). `check` raises ValueError
    for a submission that must not get a number; the link that brought it is closed (1008).
    """
    server = LinkServer(
        secret,
        inbox=inbox,
        feed=feed,
        journal_id=journal_id,
        epoch=epoch,
        last_seq=last_seq,
        check=check,
        max_links=max_links,
    )
    subscription = feed.subscribe()
    async with asyncio.TaskGroup() as tasks:
        publishing = tasks.create_task(server.publish(subscription), name="links")
        try:
            async with serve(
                server.serve,
                sock=listener,
                process_request=server.check,
                compression=None,
                server_header=None,
                open_timeout=OPEN_S,
                ping_interval=PING_S,
                ping_timeout=PING_TIMEOUT_S,
                close_timeout=CLOSE_S,
                max_size=MAX_UP_BYTES,
                write_limit=2 * MAX_DOWN_BYTES,  # `broadcast` does not wait; a ping must not wait either.
            ):
                yield server
        finally:
            publishing.cancel()
            subscription.close()
