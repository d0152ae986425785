"""A witness: a (seq, hash) known from outside the journal, compared with the journal.

A hash chain shows every changed and every missing batch within it, but not that batches are missing after its end. A witness
shows that. It is the read database, or a line of a report that was kept elsewhere.
"""

from __future__ import annotations

from typing import NamedTuple

from services.journal import Journal
from services.journal.batch import NO_HASH, JournalBatch
from services.journal.errors import JournalCorrupt, JournalError, JournalLost


class Witness(NamedTuple):
    """According to `name` (a noun with its article, for sentences), a batch ends at `seq` and has this hash."""

    seq: int
    hash: bytes
    name: str
    advice: str = (
        "One of the two was changed: remove nothing, and compare with a report kept elsewhere (rex journal verify --expect"
        " SEQ:HASH)"
    )
    """What to do if the journal holds another batch; ends the error's sentence."""

    def check_batch(self, batch: JournalBatch) -> None:
        """Raises JournalCorrupt unless `batch`, which holds the command `seq`, ends at `seq` and has the hash."""
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
        """The error of a journal that ends before `seq`: at last_seq, with last_hash."""
        if self.hash == last_hash:
            return JournalCorrupt(
                f"{self.name} says seq {self.seq} of the journal's last row, which ends at seq {last_seq}: it was changed",
                self.seq,
            )
        end = "the journal ends there" if last_seq else "there is no command in the journal"
        return JournalLost.after(last_seq, f"{end}, and {self.name} knows commands up to seq {self.seq}")


async def check(journal: Journal, witness: Witness) -> None:
    """Raises JournalLost if the journal ends before the witness's batch, JournalCorrupt if it holds another batch there."""
    last = await journal.last_batch()
    last_seq, last_hash = (0, NO_HASH) if last is None else (last.last_seq, last.hash)
    if witness.seq > last_seq:
        raise witness.beyond(last_seq, last_hash)
    if witness.seq:
        async for batch in journal.read(witness.seq - 1):
            witness.check_batch(batch)
            break
