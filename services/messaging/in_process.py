"""Inbox and feed within one asyncio process (embedded mode). Only the journal survives the process."""

from __future__ import annotations

import asyncio
from collections import deque

from matching_engine.records import COMMAND
from services.journal.batch import JournalBatch
from services.messaging import Gap, InboxFull, ShareFull, Submission
from services.messaging.rounds import Rounds

_COMMAND_BYTES = COMMAND.itemsize
_SHARE = 8
"""One account may use 1/8 of the inbox. Its cancels may use a further 1/64 of the inbox."""
_RESERVE = 16
"""The last 1/16 of the inbox is reserved for cancels and operators; the last 1/64 of the inbox is for operators only."""
ROUND_COMMANDS = 4
"""How many commands of one account are in one round, and so in one journal batch. A new command waits for two batches, the one
being written and its own. So if another account floods the inbox, the new command waits for 8 commands of that account (for
more if the device is slow: `sequencer.TURN_S`)."""


class InProcessInbox:
    """A queue of submissions, bounded by `max_commands`. When it is full, `put` raises InboxFull and adds nothing.

    Accounts take turns (`Rounds`): one `take` and the `take_late` after it return one turn of each account.
    Submissions of account 0 (the operators) join the current round.
    """

    def __init__(self, max_commands: int = 65_536) -> None:
        reserve, share = max_commands // _RESERVE, max(max_commands // _SHARE, 1)
        self._max_commands = max_commands
        # Indexed by only_cancels: the bound for other submissions, and the bound for submissions of cancels only.
        self._max_of_members = max_commands - reserve, max_commands - reserve // 4
        self._max_of_account = share, share + share // 8
        self._rounds: Rounds[tuple[int, int, Submission]] = Rounds(ROUND_COMMANDS)  # commands, bytes, the submission
        self._commands = 0
        self._by_account: dict[int, int] = {}
        self._arrived = asyncio.Event()

    @property
    def depth(self) -> int:
        """The number of waiting commands."""
        return self._commands

    @property
    def largest_share(self) -> int:
        """The largest number of waiting commands that one account has; the operators (0) count as an account."""
        return max(self._by_account.values(), default=0)

    async def put(self, submission: Submission) -> None:
        """Adds a submission. Raises InboxFull or ShareFull; ValueError if its bytes are not a whole number of commands,
        or none."""
        commands, attachments, account, only_cancels = submission
        size = len(commands)
        count, rest = divmod(size, _COMMAND_BYTES)
        if rest or not count:
            raise ValueError(f"a submission of {size} bytes: not a whole number of commands, or none")
        if attachments:
            if len(attachments) > count:
                raise ValueError(f"{len(attachments)} attachments for {count} commands: a command has at most one")
            size += sum(map(len, attachments))
        own = self._by_account.get(account, 0) + count
        most = self._max_of_members[only_cancels] if account else self._max_commands
        if account and own > self._max_of_account[only_cancels]:
            share = self._max_of_account[only_cancels]
            raise ShareFull(f"{own - count} commands of account {account} are waiting; the limit is {share}")
        if self._commands + count > most:
            raise InboxFull(f"{self._commands} commands are waiting; the limit is {most}")
        self._by_account[account] = own
        self._commands += count
        if account:
            self._rounds.add(account, count, (count, size, submission))
        else:
            self._rounds.add_now((count, size, submission))
        self._arrived.set()

    async def take(self, max_commands: int, max_bytes: int) -> list[Submission]:
        """Waits for a submission, then returns submissions of the current round within both bounds, but at least one.

        If the caller is canceled during the wait, no submission is lost.
        """
        while not self._rounds.current:
            if self._rounds.more:
                self._rounds.end()
            else:
                self._arrived.clear()
                await self._arrived.wait()
        return self._take(max_commands, max_bytes, at_least=1)

    def withdraw(self, _request_id: int) -> bool:
        """False: the sequencer of this process may still execute what it was given."""
        return False

    def take_late(self, max_commands: int, max_bytes: int) -> list[Submission]:
        """The submissions that arrived after `take` and joined the same round, within both bounds. If no submission of the
        round is left, the next round begins."""
        taken = self._take(max_commands, max_bytes, at_least=0)
        if not self._rounds.current:
            self._rounds.end()
        return taken

    def _take(self, max_commands: int, max_bytes: int, at_least: int) -> list[Submission]:
        waiting, taken = self._rounds.current, list[Submission]()
        while waiting:
            commands, size, submission = waiting[0]
            max_commands, max_bytes = max_commands - commands, max_bytes - size
            if len(taken) >= at_least and (max_commands < 0 or max_bytes < 0):
                break
            taken.append(submission)
            waiting.popleft()
            self._by_account[submission.account] -= commands
            self._commands -= commands
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
            self._batches.clear()
            self._gap = True
        self._batches.append(batch)
        self._arrived.set()

    async def next_batch(self) -> JournalBatch:
        """Waits for the next batch. Raises Gap, once, if batches before it were dropped."""
        while not self._batches:
            self._arrived.clear()
            await self._arrived.wait()
        if self._gap:
            self._gap = False
            raise Gap(f"more than {self._max_batches} batches were waiting")
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

    def subscribe(self) -> InProcessSubscription:
        """A new subscription. It receives every batch published from now on."""
        subscription = InProcessSubscription(self, self._max_batches)
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
