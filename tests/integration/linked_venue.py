"""Sequencers with links and their gateways, on one SQLite journal: each sequencer opens it for writing, in a new epoch."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

from websockets.asyncio.client import ClientConnection

from matching_engine import Engine
from matching_engine.records import Command, CommandKind, pack_commands
from services.journal.batch import NO_HASH, JournalBatch
from services.journal.postgres.writer_row import ClaimableJournal, WriterRow
from services.journal.sqlite import SqliteJournal
from services.messaging import Submission
from services.messaging.in_process import InProcessFeed, InProcessInbox
from services.messaging.link.abort import abort
from services.messaging.link.client import Link
from services.messaging.link.confirmed import ConfirmedJournal
from services.messaging.link.frames import WINDOW_COMMANDS, Hello, unpack_hello
from services.messaging.link.server import Check, LinkServer, inbox_of_links, serve_links
from services.messaging.tail import tail
from services.sequencer.recovery import recover
from services.sequencer.sequencer import Sequencer
from tests.faults.tcp_proxy import TcpProxy
from tests.patience import PATIENCE_S, WebSocketClient
from tests.unit.sequencer.venue import Clock, Never

SECRET = "a secret of at least thirty-two characters"


async def until(condition: Callable[[], bool]) -> None:
    """Returns when the condition holds; fails if it never does."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110  the conditions are states of parts without an event
            await asyncio.sleep(0.002)


class Row:
    """The writer row without PostgreSQL: the venue sets epoch and url, the journal has the others."""

    def __init__(self, journal: SqliteJournal) -> None:
        self._journal = journal
        self.journal_id = journal.journal_id
        self.epoch, self.epoch_after, self.url = 0, 0, ""
        self.last: tuple[int, bytes] | None = None
        """Stands in for the journal's end."""

    async def look(self) -> WriterRow:
        epoch, epoch_after, url = self.epoch, self.epoch_after, self.url
        last = await self._journal.last_batch()
        seq, last_hash = self.last or ((0, NO_HASH) if last is None else (last.last_seq, last.hash))
        return WriterRow(self.journal_id, epoch, epoch_after, seq, last_hash, 0, url, 0)


class FollowedJournal(SqliteJournal):
    """The journal as a gateway has it: read-only, with the writer row."""

    row: Row

    async def look(self) -> WriterRow:
        return await self.row.look()

    @property
    def server_time_ns(self) -> int:
        raise AssertionError("a gateway compares no clock")

    async def claim(self, seen: WriterRow, url: str) -> WriterRow | None:
        raise AssertionError("a gateway claims nothing")

    async def beat(self) -> None:
        raise AssertionError("a gateway does not beat")

    async def hand_over(self) -> bool | None:
        raise AssertionError("a gateway hands nothing over")

    @property
    def is_replicated(self) -> bool | None:
        return None


class Leader:
    """A sequencer with links. `start` may be left out: then commands wait in its inbox."""

    links: LinkServer
    """Set by `accept`."""

    def __init__(self, venue: LinkedVenue, journal: SqliteJournal, engine: Engine) -> None:
        self.journal = journal
        self.inbox, self.feed = inbox_of_links(4), InProcessFeed()
        self.sequencer = Sequencer(engine, journal, self.inbox, self.feed, clock=Clock(), schedule=Never())
        self.port = 0
        self._listener: socket.socket | None = None
        self._running: asyncio.Task[None] | None = None
        self._ends = contextlib.AsyncExitStack()
        self._venue = venue

    def start(self) -> None:
        """Runs the sequencer."""
        self._running = asyncio.create_task(self.sequencer.run())

    async def accept(self, *, max_links: int = 4, inbox: InProcessInbox | None = None) -> None:
        """Accepts links, and writes its url, or that of the venue's proxy, into the writer row."""
        self._listener = listener = socket.create_server(("127.0.0.1", 0))
        self.port = listener.getsockname()[1]
        links = serve_links(
            listener,
            SECRET,
            inbox=inbox or self.inbox,
            feed=self.feed,
            journal_id=self.journal.journal_id,
            epoch=self.journal.epoch,
            last_seq=lambda: self.sequencer.last_seq,
            check=self._venue.check,
            max_links=max_links,
        )
        self.links = await self._ends.enter_async_context(links)
        self._venue.show(self.port)

    async def kill(self) -> None:
        """Ends it. What waits in its inbox is not executed."""
        listener, self._listener = self._listener, None
        if listener is not None:
            # asyncio leaks a connection that it has accepted and not yet given to its server when that closes.
            asyncio.get_running_loop().remove_reader(listener)
            await asyncio.sleep(0)
        await self._ends.aclose()
        if self._running is not None:
            self._running.cancel()
            await asyncio.wait([self._running])
        await self.journal.close()


class Gateway:
    """A link, and a reader that follows it."""

    def __init__(self, journal: ClaimableJournal, number: int, secret: str, max_commands: int) -> None:
        self._journal = journal
        self.link = Link(journal, secret, max_commands=max_commands)
        self.batches: list[JournalBatch] = []
        self.number = number
        self.request_id = 0
        self.running = asyncio.create_task(self.link.run())
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async for batch in tail(ConfirmedJournal(self._journal, self.link), self.link, 0):
            self.batches.append(batch)

    def submission(self, count: int = 1, *, attachments: tuple[bytes, ...] = (), account: int = 0) -> Submission:
        """RECORD commands of this gateway, each with the next request id."""
        commands = []
        for n in range(count):
            self.request_id += 1
            attachment = n + 1 if n < len(attachments) else 0
            commands.append(
                Command(
                    kind=CommandKind.RECORD,
                    gateway_id=self.number,
                    incarnation=77,
                    request_id=self.request_id,
                    attachment=attachment,
                )
            )
        return Submission(pack_commands(commands), attachments, account)

    async def put(self, count: int = 1) -> list[int]:
        """Submits `count` commands, one by one; returns their request ids."""
        first = self.request_id + 1
        for _ in range(count):
            await self.link.put(self.submission())
        return list(range(first, first + count))

    @property
    def executed(self) -> list[int]:
        """The request ids of this gateway's commands in the batches that it has read."""
        commands = [command for batch in self.batches for command in batch.command_list]
        return [command.request_id for command in commands if command.gateway_id == self.number]

    async def close(self) -> None:
        for task in (self.running, self._reading):
            task.cancel()
        await asyncio.wait([self.running, self._reading])


def anything(_submission: Submission) -> None:
    """Takes every submission."""


class LinkedVenue:
    """The journal, its writer row, the leaders and gateways, closed at the end."""

    def __init__(self, path: Path, followed: FollowedJournal) -> None:
        self._path = path
        self.followed = followed
        self.row = followed.row
        self.proxy: TcpProxy | None = None
        self.check: Check = anything
        """What its leaders ask of a submission: the records of these tests have no text."""
        self.leaders: list[Leader] = []
        self._ends: list[Callable[[], Awaitable[None]]] = []

    def show(self, port: int) -> None:
        """Writes the address of a leader into the writer row. With a proxy, links go through it."""
        if self.proxy is not None:
            self.proxy.target = ("127.0.0.1", port)
        self.row.url = f"ws://127.0.0.1:{self.proxy.port if self.proxy else port}"

    async def lead(self, *, start: bool = True, accept: bool = True) -> Leader:
        """A new leader, in a new epoch."""
        journal = await SqliteJournal.open(self._path)
        engine = Engine()
        await recover(engine, journal)
        leader = Leader(self, journal, engine)
        self.leaders.append(leader)
        self._ends.append(leader.kill)
        self.row.epoch, self.row.epoch_after, self.row.url = journal.epoch, engine.last_seq, ""
        if start:
            leader.start()
        if accept:
            await leader.accept()
        return leader

    async def gateway(
        self, number: int = 1, *, secret: str = SECRET, max_commands: int = WINDOW_COMMANDS, connected: bool = True
    ) -> Gateway:
        """A gateway; waits until it has its link."""
        gateway = Gateway(self.followed, number, secret, max_commands)
        self._ends.append(gateway.close)
        if connected:
            await until(lambda: gateway.link.connected)
        return gateway

    async def raw_link(
        self, leader: Leader, name: str = "00" * 16, secret: str = SECRET
    ) -> tuple[ClientConnection, Hello]:
        """A link without a gateway, for what no gateway sends."""
        headers = {"Authorization": f"Bearer {secret}", "X-Rex-Link": name}
        url = f"ws://127.0.0.1:{leader.port}"
        connection = await WebSocketClient(url, additional_headers=headers, compression=None)

        async def end() -> None:
            abort(connection)
            await connection.wait_closed()

        self._ends.append(end)
        return connection, unpack_hello(await connection.recv(decode=False))

    async def close(self) -> None:
        while self._ends:
            await self._ends.pop()()
        await self.followed.close()


@contextlib.asynccontextmanager
async def linked_venue(folder: Path) -> AsyncIterator[LinkedVenue]:
    """A venue without a leader."""
    path = folder / "journal"
    await (await SqliteJournal.open(path)).close()
    followed = await FollowedJournal.open(path, read_only=True)
    assert isinstance(followed, FollowedJournal)
    followed.row = Row(followed)
    venue = LinkedVenue(path, followed)
    try:
        yield venue
    finally:
        await venue.close()
