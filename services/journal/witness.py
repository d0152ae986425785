"""What somebody else remembers of the journal, against what it holds: that a batch ends at a seq, and the batch's hash.

A chain of hashes shows every change and every hole in it, but not that batches are missing after its end. A witness does: the
read database, or a line of a report that was kept elsewhere.
"""

from __future__ import annotations

from typing import NamedTuple

from services.journal import Journal
from services.journal.batch import NO_HASH, JournalBatch
from services.journal.errors import JournalCorrupt, JournalError, JournalLost


class Witness(NamedTuple):
    """A batch ends at `seq` and has this hash, says whoever `name` is (a noun with its article)."""

    seq: int
    hash: bytes
    name: str
    advice: str = (
        "One of the two was changed: remove nothing, and compare with a report kept elsewhere (rex journal verify --expect"
        " SEQ:HASH)"
    )
    """What to do where the journal holds another batch."""

    def check_batch(self, batch: JournalBatch) -> None:
        """Raises JournalCorrupt unless `batch`, which holds `seq`, is the one that is remembered."""
        if batch.last_seq != self.seq:
            found = f"the journal's row goes on to seq {batch.last_seq}"
        elif batch.hash != self.hash:
            found = f"the journal's row has hash {batch.hash.hex()}"
        else:
            return
        error = JournalCorrupt(
            f"{self.name} knows a row that ends at seq {self.seq} with hash {self.hash.hex()}; {found}. {self.advice}",
            self.seq,
        )
        error.advice = ""
        raise error

    def beyond(self, last_seq: int, last_hash: bytes) -> JournalError:
        """The error of a journal that ends before `seq`, with a batch of last_hash at last_seq."""
        if self.hash == last_hash:
            return JournalCorrupt(
                f"{self.name} says seq {self.seq} of the journal's last row, which ends at seq {last_seq}: it was changed",
                self.seq,
            )
        end = "the journal ends there" if last_seq else "there is no command in the journal"
        return JournalLost.after(last_seq, f"{end}, and {self.name} knows commands up to seq {self.seq}")


async def check(journal: Journal, witness: Witness) -> None:
    """Raises JournalLost where the journal ends before what is remembered, JournalCorrupt where it holds another batch."""
    last = await journal.last_batch()
    last_seq, last_hash = (0, NO_HASH) if last is None else (last.last_seq, last.hash)
    if witness.seq > last_seq:
        raise witness.beyond(last_seq, last_hash)
    if witness.seq:
        async for batch in journal.read(witness.seq - 1):
            witness.check_batch(batch)
            break
