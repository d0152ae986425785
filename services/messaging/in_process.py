"""Inbox and feed inside one asyncio process: embedded mode. Nothing here survives the process; the journal does."""

from __future__ import annotations

from asyncio import Event as Bell
from collections import deque

from matching_engine.records import COMMAND
from services.journal.row import Row
from services.messaging import Gap, InboxFull, Submission

_COMMAND_BYTES = COMMAND.itemsize


class InProcessInbox:
    """A bounded queue of submissions, counted in commands. Full: `put` raises InboxFull and takes nothing in."""

    def __init__(self, max_commands: int = 65_536) -> None:
        self._max_commands = max_commands
        self._waiting: deque[tuple[int, int, Submission]] = deque()  # commands, bytes, the submission
        self._commands = 0
        self._bell = Bell()

    @property
    def depth(self) -> int:
        """How many commands wait."""
        return self._commands

    async def put(self, submission: Submission) -> None:
        """Hands over a submission; raises InboxFull, and ValueError for bytes that are not whole commands."""
        commands, attachments = submission.commands, submission.attachments
        size = len(commands)
        count, rest = divmod(size, _COMMAND_BYTES)
        if rest or not count:
            raise ValueError(f"a submission holds whole commands, at least one; this has {size} bytes")
        if attachments:
            if len(attachments) > count:
                raise ValueError(f"{len(attachments)} attachments for {count} commands: each has one at most")
            size += sum(map(len, attachments))
        if self._commands + count > self._max_commands:
            raise InboxFull(f"{self._commands} commands are waiting, {self._max_commands} may")
        self._waiting.append((count, size, submission))
        self._commands += count
        self._bell.set()

    async def take(self, max_commands: int, max_bytes: int) -> list[Submission]:
        """Waits for a submission, then returns what waits, oldest first, within both bounds (but at least one).

        Canceled while it waits, it has taken nothing.
        """
        while not self._waiting:
            self._bell.clear()
            await self._bell.wait()
        waiting = self._waiting
        count, size, submission = waiting.popleft()
        taken = [submission]
        while waiting:
            more_commands, more_bytes, submission = waiting[0]
            count, size = count + more_commands, size + more_bytes
            if count > max_commands or size > max_bytes:
                count -= more_commands
                break
            taken.append(submission)
            waiting.popleft()
        self._commands -= count
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
