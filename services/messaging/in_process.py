"""Inbox and feed inside one asyncio process: embedded mode. Nothing here survives the process; the journal does."""

from __future__ import annotations

from asyncio import Event as Bell
from collections import deque

from matching_engine.records import COMMAND
from services.journal.row import Row
from services.messaging import Gap, InboxFull, Submission


class InProcessInbox:
    """A bounded queue of submissions, counted in commands. Full: `put` raises InboxFull and takes nothing in."""

    def __init__(self, max_commands: int = 65_536) -> None:
        self._max_commands = max_commands
        self._waiting: deque[Submission] = deque()
        self._commands = 0
        self._bell = Bell()

    @property
    def depth(self) -> int:
        """How many commands wait."""
        return self._commands

    async def put(self, submission: Submission) -> None:
        """Hands over a submission; raises InboxFull, and ValueError for bytes that are not whole commands."""
        count, rest = divmod(len(submission.commands), COMMAND.itemsize)
        if rest or not count:
            raise ValueError(
                f"a submission holds whole commands, at least one; this has {len(submission.commands)} bytes"
            )
        if len(submission.attachments) > count:
            raise ValueError(
                f"{len(submission.attachments)} attachments for {count} commands: each command has one at most"
            )
        if self._commands + count > self._max_commands:
            raise InboxFull(f"{self._commands} commands are waiting, {self._max_commands} may")
        self._waiting.append(submission)
        self._commands += count
        self._bell.set()

    async def take(self, max_commands: int, max_bytes: int) -> list[Submission]:
        """Waits for a submission, then returns what waits, oldest first, within both bounds (but at least one).

        Canceled while it waits, it has taken nothing.
        """
        while not self._waiting:
            self._bell.clear()
            await self._bell.wait()
        taken: list[Submission] = []
        commands = size = 0
        while self._waiting:
            next_commands = len(self._waiting[0].commands) // COMMAND.itemsize
            next_size = len(self._waiting[0].commands) + sum(map(len, self._waiting[0].attachments))
            if taken and (commands + next_commands > max_commands or size + next_size > max_bytes):
                break
            taken.append(self._waiting.popleft())
            commands += next_commands
            size += next_size
        self._commands -= commands
        return taken


class InProcessSubscription:
    """One reader's bounded queue. Full: everything in it is dropped, since its reader must read the journal anyway."""

    def __init__(self, feed: InProcessFeed, max_rows: int) -> None:
        self._feed = feed
        self._max_rows = max_rows
        self._rows: deque[Row] = deque()
        self._gap = False
        self._bell = Bell()

    def offer(self, row: Row) -> None:
        """Queues a row, or drops the whole queue where it is full."""
        if len(self._rows) == self._max_rows:
            self._rows.clear()
            self._gap = True
        self._rows.append(row)
        self._bell.set()

    async def next_row(self) -> Row:
        """Waits for the next row; raises Gap, once, where rows were dropped before it."""
        while not self._rows:
            self._bell.clear()
            await self._bell.wait()
        if self._gap:
            self._gap = False
            raise Gap(f"more than {self._max_rows} rows were waiting")
        return self._rows.popleft()

    def close(self) -> None:
        """Stops collecting."""
        self._feed.unsubscribe(self)


class InProcessFeed:
    """Hands each row to every subscription at once; never waits for a reader."""

    def __init__(self, max_rows: int = 1_024) -> None:
        self._max_rows = max_rows
        self._subscriptions: list[InProcessSubscription] = []

    async def publish(self, row: Row) -> None:
        """Hands the row to every subscription."""
        for subscription in self._subscriptions:
            subscription.offer(row)

    def subscribe(self) -> InProcessSubscription:
        """A new subscription: every row published from now on."""
        subscription = InProcessSubscription(self, self._max_rows)
        self._subscriptions.append(subscription)
        return subscription

    @property
    def readers(self) -> int:
        """How many subscriptions are open."""
        return len(self._subscriptions)

    def unsubscribe(self, subscription: InProcessSubscription) -> None:
        """Forgets a subscription; closing one twice is harmless."""
        if subscription in self._subscriptions:
            self._subscriptions.remove(subscription)
