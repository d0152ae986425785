"""The two seams between processes: the inbox carries commands in, the feed carries batches out.

Both are bounded. A full inbox refuses (the gateway answers 503); a subscription that falls behind drops batches and says
so with `Gap`, and its reader re-reads the journal. `follow` does that for every reader.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

from services.journal.batch import JournalBatch


class InboxFull(Exception):
    """The inbox holds as many commands as it may; nothing was taken in. Try again later."""


class ShareFull(InboxFull):
    """The account of the submission has as many commands waiting as one account may. Others are not affected."""


class Gap(Exception):
    """The subscription was full and batches were dropped: read the journal from your own position."""


class Submission(NamedTuple):
    """Commands of one request, in order: they get consecutive sequence numbers and stand in one journal batch.

    `commands` are packed COMMAND records with seq and time_ns 0; a command's `attachment` counts from 1 within
    `attachments`.
    """

    commands: bytes
    attachments: tuple[bytes, ...] = ()
    account: int = 0
    """Whose share of the inbox it takes; 0: the venue's own and its operators', who have no share to keep to."""
    only_cancels: bool = False
    """Nothing but cancels: it may use the reserve that a full inbox keeps for them."""


class Inbox(Protocol):
    """Commands on their way to the one writer. Many put, one takes."""

    @property
    def depth(self) -> int:
        """How many commands wait, as far as this process knows."""

    @property
    def largest_share(self) -> int:
        """How many of them are of one account, of the one that has most."""

    async def put(self, submission: Submission) -> None:
        """Hands over a submission; raises InboxFull, or ShareFull where only its account has too many waiting."""

    async def take(self, max_commands: int, max_bytes: int) -> list[Submission]:
        """Waits for a submission, then returns what waits, within both bounds (but at least one).

        Oldest first; where accounts take turns, at most one turn of each, and the order of each account's own is kept.

        Canceled while it waits, it has taken nothing.
        """

    def take_late(self, max_commands: int, max_bytes: int) -> list[Submission]:
        """What has come since, within both bounds, of whose turn is not over; then it is everybody's next one."""


class Subscription(Protocol):
    """One reader's bounded queue of batches."""

    async def next_batch(self) -> JournalBatch:
        """Waits for the next batch; raises Gap, once, where batches were dropped before it."""

    def close(self) -> None:
        """Stops collecting."""


class Feed(Protocol):
    """Batches that are on the device, published in order by the one writer."""

    async def publish(self, batch: JournalBatch) -> None:
        """Hands the batch to every subscription; never waits for a slow one."""

    def subscribe(self) -> Subscription:
        """A new subscription: every batch published from now on."""
