"""Inbox and feed inside one asyncio process: embedded mode. Nothing here survives the process; the journal does."""

from __future__ import annotations

from asyncio import Event as Bell
from collections import deque

from matching_engine.records import COMMAND
from services.journal.batch import JournalBatch
from services.messaging import Gap, InboxFull, ShareFull, Submission
from services.messaging.rounds import Rounds

_COMMAND_BYTES = COMMAND.itemsize
_SHARE = 8
"""One account may fill an eighth of the inbox, and with cancels an eighth of that more."""
_RESERVE = 16
"""The last sixteenth of the inbox is for cancels and operators, the last quarter of that for operators alone."""
ROUND_COMMANDS = 4
"""Commands of one account in one round, and so in one journal batch. Whoever comes waits for the batch that is on its way to
the device and for his own: while one account floods, 8 of its commands (more where the device is slow:
`sequencer.TURN_S`)."""


class InProcessInbox:
    """A bounded queue of submissions, counted in commands. Full: `put` raises InboxFull and takes nothing in.

    Accounts take turns (`Rounds`): a `take` and the `take_late` behind it are one turn of each. Account 0, the operators, joins
    the current round.
    """

    def __init__(self, max_commands: int = 65_536) -> None:
        reserve, share = max_commands // _RESERVE, max(max_commands // _SHARE, 1)
        self._most = max_commands
        self._most_of_members = max_commands - reserve, max_commands - reserve // 4  # in all; with cancels
        self._share = share, share + share // 8  # of one account; with cancels
        self._rounds: Rounds[tuple[int, int, Submission]] = Rounds(ROUND_COMMANDS)  # commands, bytes, the submission
        self._commands = 0
        self._by_account: dict[int, int] = {}
        self._bell = Bell()

    @property
    def depth(self) -> int:
        """How many commands wait."""
        return self._commands

    @property
    def largest_share(self) -> int:
        """How many commands wait of the account that has most waiting, the operators' 0 included."""
        return max(self._by_account.values(), default=0)

    async def put(self, submission: Submission) -> None:
        """Hands over a submission; raises InboxFull, ShareFull, and ValueError for bytes that are not whole commands."""
        commands, attachments, account, only_cancels = submission
        size = len(commands)
        count, rest = divmod(size, _COMMAND_BYTES)
        if rest or not count:
            raise ValueError(f"a submission holds whole commands, at least one; this has {size} bytes")
        if attachments:
            if len(attachments) > count:
                raise ValueError(f"{len(attachments)} attachments for {count} commands: each has one at most")
            size += sum(map(len, attachments))
        own = self._by_account.get(account, 0) + count
        most = self._most_of_members[only_cancels] if account else self._most
        if account and own > self._share[only_cancels]:
            share = self._share[only_cancels]
            raise ShareFull(f"{own - count} commands of account {account} are waiting, {share} may")
        if self._commands + count > most:
            raise InboxFull(f"{self._commands} commands are waiting, {most} may")
        self._by_account[account] = own
        self._commands += count
        if account:
            self._rounds.add(account, count, (count, size, submission))
        else:
            self._rounds.add_now((count, size, submission))
        self._bell.set()

    async def take(self, max_commands: int, max_bytes: int) -> list[Submission]:
        """Waits for a submission, then returns what waits of the current round, within both bounds (but at least one).

        Canceled while it waits, it has taken nothing.
        """
        while not self._rounds.current:
            if self._rounds.more:
                self._rounds.end()
            else:
                self._bell.clear()
                await self._bell.wait()
        return self._take(max_commands, max_bytes, at_least=1)

    def take_late(self, max_commands: int, max_bytes: int) -> list[Submission]:
        """What has come for the same turns since `take`, within both bounds; then it is everybody's next turn."""
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
    """One reader's bounded queue. Full: everything in it is dropped, since its reader must read the journal anyway."""

    def __init__(self, feed: InProcessFeed, max_batches: int) -> None:
        self._feed = feed
        self._max_batches = max_batches
        self._batches: deque[JournalBatch] = deque()
        self._gap = False
        self._bell = Bell()

    def offer(self, batch: JournalBatch) -> None:
        """Queues a batch, or drops the whole queue where it is full."""
        if len(self._batches) == self._max_batches:
            self._batches.clear()
            self._gap = True
        self._batches.append(batch)
        self._bell.set()

    async def next_batch(self) -> JournalBatch:
        """Waits for the next batch; raises Gap, once, where batches were dropped before it."""
        while not self._batches:
            self._bell.clear()
            await self._bell.wait()
        if self._gap:
            self._gap = False
            raise Gap(f"more than {self._max_batches} rows were waiting")
        return self._batches.popleft()

    def close(self) -> None:
        """Stops collecting."""
        self._feed.unsubscribe(self)


class InProcessFeed:
    """Hands each batch to every subscription at once; never waits for a reader."""

    def __init__(self, max_batches: int = 1_024) -> None:
        self._max_batches = max_batches
        self._subscriptions: list[InProcessSubscription] = []

    async def publish(self, batch: JournalBatch) -> None:
        """Hands the batch to every subscription."""
        for subscription in self._subscriptions:
            subscription.offer(batch)

    def subscribe(self) -> InProcessSubscription:
        """A new subscription: every batch published from now on."""
        subscription = InProcessSubscription(self, self._max_batches)
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
