"""The interfaces to the sequencer: the inbox carries commands in, the feed carries journal batches out.

Both are bounded. A full inbox refuses (the gateway answers 503). A full subscription drops its batches and raises `Gap`; its
reader then reads the journal again, which `tail` does for every reader.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

from services.journal.batch import JournalBatch


class InboxFull(Exception):
    """The inbox is at its limit. The submission was not accepted; the sender may try again later."""


class ShareFull(InboxFull):
    """The submission's account has reached its own share of the inbox. Other accounts are not affected."""


class Gap(Exception):
    """The subscription was full and dropped batches: the reader must read the journal from its own position."""


class Submission(NamedTuple):
    """The commands of one request, in order. They get consecutive sequence numbers in one journal batch.

    `commands` are packed COMMAND records with seq and time_ns 0. A command's `attachment` is an index into `attachments`,
    from 1; 0: none.
    """

    commands: bytes
    attachments: tuple[bytes, ...] = ()
    account: int = 0
    """The account whose share of the inbox it uses. 0: the venue itself and its operators, who have no limit but the
    inbox's."""
    only_cancels: bool = False
    """Whether it contains only cancels: then it may use the part of the inbox that is reserved for them."""


class Inbox(Protocol):
    """The queue of submissions to the sequencer, as those see it that submit. Many tasks put."""

    @property
    def depth(self) -> int:
        """The number of waiting commands, as far as this process knows."""

    @property
    def largest_share(self) -> int:
        """The largest number of waiting commands that one account has."""

    async def put(self, submission: Submission) -> None:
        """Adds a submission. Raises InboxFull, or ShareFull if only the account's share is full."""

    def withdraw(self, request_id: int) -> bool:
        """Takes back the submission that has a command with this request id. True if none of its commands was or will be
        executed; False if that is not certain, and then nothing changes. Asked again about a submission that was taken back, it
        answers True."""


class SequencerInbox(Inbox, Protocol):
    """The inbox as its sequencer sees it."""

    async def take(self, max_commands: int, max_bytes: int, enough: int = 0) -> list[Submission]:
        """Waits for a submission, then returns the waiting ones within both bounds, but at least one.

        Oldest first. If accounts take turns: one turn of each account, and more turns while these have fewer than `enough`
        commands. Each account's own order is kept.

        If it is canceled while it waits, no submission is lost.
        """

    def take_late(self, max_commands: int, max_bytes: int, enough: int = 0) -> list[Submission]:
        """The submissions that arrived after `take` and still belong to the same turns, and those of more turns while there are
        fewer than `enough` commands, within both bounds. If none of the last turn is left, the next turn begins."""


class Subscription(Protocol):
    """One reader's bounded queue of batches."""

    async def next_batch(self) -> JournalBatch:
        """Waits for the next batch. Raises Gap, once, if batches before it were dropped."""

    def close(self) -> None:
        """Ends the subscription: it receives no more batches."""


class Feed(Protocol):
    """Durable batches, in order, for any number of readers."""

    def subscribe(self) -> Subscription:
        """A new subscription. It receives every batch published from now on."""


class PublishingFeed(Feed, Protocol):
    """The sequencer's end of a feed in its process."""

    async def publish(self, batch: JournalBatch) -> None:
        """Adds the batch to every subscription. Never waits for a slow reader."""
