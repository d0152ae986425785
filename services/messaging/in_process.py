"""Inbox and feed within one asyncio process (embedded mode). Only the journal survives the process."""

from __future__ import annotations

import asyncio
from collections import deque

from services.journal.batch import JournalBatch
from services.messaging import Gap, Submission
from services.messaging.admission import Admission
from services.messaging.fair_queue import FairQueue

ROUND_COMMANDS = 8
"""How many commands of one account are in one round; a submission that begins in it is whole in it. A new command waits for at
most so many of each other account, however many of them wait before it."""


class InProcessInbox:
    """A queue of submissions, bounded by `max_commands`. When it is full, `put` raises InboxFull and adds nothing.

    Accounts take turns, which are rounds of `FairQueue`. Submissions of account 0 (the operators) join the current round.
    """

    def __init__(self, max_commands: int = 65_536) -> None:
        self._bounds = Admission(max_commands)
        self._rounds: FairQueue[tuple[int, int, Submission]] = FairQueue(
            ROUND_COMMANDS
        )  # commands, bytes, the submission
        self._arrived = asyncio.Event()

    @property
    def depth(self) -> int:
        """The number of waiting commands."""
        return self._bounds.commands

    @property
    def largest_share(self) -> int:
        """The largest number of waiting commands that one account has; the operators (0) count as an account."""
        return self._bounds.largest_share

    async def put(self, submission: Submission) -> None:
        """Adds a submission. Raises InboxFull or ShareFull; ValueError if its bytes are not a whole number of commands,
        or none."""
        commands, attachments, account, only_cancels = submission
        count = self._bounds.add(commands, attachments, account, only_cancels)
        size = len(commands)
        if attachments:
            size += sum(map(len, attachments))
        if account:
            self._rounds.add(account, count, (count, size, submission))
        else:
            self._rounds.add_now((count, size, submission))
        if self._bounds.commands == count:  # `take` waits only while the inbox is empty.
            self._arrived.set()

    async def take(self, max_commands: int, max_bytes: int, enough: int = 0) -> list[Submission]:
        """Waits for a submission, then returns those of the current round, and of more rounds while there are fewer than
        `enough` commands; within both bounds, but at least one.

        If the caller is canceled during the wait, no submission is lost.
        """
        while not self._rounds.current:
            if self._rounds.more:
                self._rounds.end()
            else:
                self._arrived.clear()
                await self._arrived.wait()
        return self._take(max_commands, max_bytes, enough, at_least=1)

    def withdraw(self, _request_id: int) -> bool:
        """False: the sequencer of this process may still execute what it was given."""
        return False

    def take_late(self, max_commands: int, max_bytes: int, enough: int = 0) -> list[Submission]:
        """The submissions that arrived after `take` and joined its last round, and those of more rounds as in `take`. If no
        submission of the last round is left, the next round begins."""
        taken = self._take(max_commands, max_bytes, enough, at_least=0)
        if not self._rounds.current:
            self._rounds.end()
        return taken

    def _take(self, max_commands: int, max_bytes: int, enough: int, at_least: int) -> list[Submission]:
        rounds, taken, by_account = self._rounds, list[Submission](), self._bounds.by_account
        taken_commands = 0
        while rounds.current or (rounds.more and taken_commands < enough):
            waiting = rounds.current
            if not waiting:
                rounds.end()
                continue
            commands, size, submission = waiting[0]
            max_bytes -= size
            if len(taken) >= at_least and (taken_commands + commands > max_commands or max_bytes < 0):
                break
            taken.append(submission)
            waiting.popleft()
            by_account[submission.account] -= commands
            taken_commands += commands
        self._bounds.commands -= taken_commands
        return taken


class InProcessSubscription:
    """One reader's bounded queue. When the queue is full, it drops all its batches: after one dropped batch the reader must
    read the journal anyway."""

    def __init__(self, feed: InProcessFeed, max_batches: int) -> None:
        self._feed = feed
        self._max_batches = max_batches
        self._batches: deque[JournalBatch] = deque()
        self._gap = False
        self._arrived = asyncio.Event()

    def offer(self, batch: JournalBatch) -> None:
        """Adds a batch; if the queue is full, drops all batches in it first."""
        if len(self._batches) == self._max_batches:
            self.gap()
        self._batches.append(batch)
        self._arrived.set()

    def gap(self) -> None:
        """Drops all batches: the reader must read the journal."""
        self._batches.clear()
        self._gap = True
        self._arrived.set()

    async def next_batch(self) -> JournalBatch:
        """Waits for the next batch. Raises Gap, once, if batches before it were dropped."""
        while not (self._batches or self._gap):
            self._arrived.clear()
            await self._arrived.wait()
        if self._gap:
            self._gap = False
            raise Gap("batches were dropped")
        return self._batches.popleft()

    def close(self) -> None:
        """Ends the subscription: it receives no more batches."""
        self._feed.unsubscribe(self)


class InProcessFeed:
    """Adds each batch to every subscription at once; never waits for a reader."""

    def __init__(self, max_batches: int = 1_024) -> None:
        self._max_batches = max_batches
        self._subscriptions: list[InProcessSubscription] = []

    async def publish(self, batch: JournalBatch) -> None:
        """Adds the batch to every subscription."""
        for subscription in self._subscriptions:
            subscription.offer(batch)

    def gap(self) -> None:
        """Batches were published that this feed does not have: every reader must read the journal."""
        for subscription in self._subscriptions:
            subscription.gap()

    def subscribe(self, max_batches: int | None = None) -> InProcessSubscription:
        """A new subscription. It receives every batch published from now on; `max_batches`: a bound of its own."""
        subscription = InProcessSubscription(self, max_batches or self._max_batches)
        self._subscriptions.append(subscription)
        return subscription

    @property
    def readers(self) -> int:
        """The number of open subscriptions."""
        return len(self._subscriptions)

    def unsubscribe(self, subscription: InProcessSubscription) -> None:
        """Removes a subscription; does nothing if it was removed before."""
        if subscription in self._subscriptions:
            self._subscriptions.remove(subscription)
