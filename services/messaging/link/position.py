"""How far a gateway has compared the journal with its window, from its batches on the link and in the database."""

from __future__ import annotations

from services.journal import Journal, JournalLost
from services.journal.batch import JournalBatch
from services.journal.postgres.writer_row import WriterRow
from services.messaging.link.window import LinkWindow


class Broken(Exception):
    """The link cannot go on: the writer row is looked at again."""


class LinkPosition:
    """Every batch up to `seq` was compared with the window."""

    def __init__(self, journal: Journal, window: LinkWindow) -> None:
        self._journal = journal
        self._window = window
        self.seq = 0
        self.hash = b""
        """The hash of the batch that ends at `seq`; empty if it is not known."""

    def take(self, batch: JournalBatch) -> bool:
        """Removes the batch's commands from the window. False if it did so before.

        Raises Broken if batches before it are missing, JournalLost if it does not continue the batches that were received.
        """
        if batch.last_seq <= self.seq:
            return False
        if batch.first_seq > self.seq + 1:
            raise Broken(f"the batch from seq {batch.first_seq} does not follow seq {self.seq}")
        if self.hash and batch.previous_hash != self.hash:
            raise _replaced(self.seq)
        self._window.answer(batch)
        self.seq, self.hash = batch.last_seq, batch.hash
        return True

    async def read_to(self, seq: int) -> None:
        """Compares the journal up to seq, the end of a batch. Reads nothing if this gateway has sent and received nothing."""
        if self.seq >= seq:
            return
        if not self.hash and not self._window.has_sent:
            self.seq = seq
            return
        async for batch in self._journal.read(self.seq):
            if batch.last_seq > seq:
                break  # It may be visible and not confirmed: it comes on the link once it is.
            self.take(batch)
        if self.seq < seq:
            raise Broken(f"the journal was read up to seq {self.seq}, and the sequencer has seq {seq}")

    @staticmethod
    def check(row: WriterRow, seq: int, known_hash: bytes) -> None:
        """Raises JournalLost if the row lacks the batch that ends at seq, which was received before the row was looked at."""
        if row.last_seq < seq:
            received = f"this gateway has received commands up to seq {seq}"
            raise JournalLost.after(row.last_seq, f"it ends there, and {received}")
        if row.last_seq == seq and known_hash and row.last_hash != known_hash:
            raise _replaced(seq)


def _replaced(seq: int) -> JournalLost:
    sentence = f"its row that ends at seq {seq} is another one than this gateway has received"
    return JournalLost.after(seq - 1, sentence)
