"""The hash chain as it is read back from a backend: each stored record is decoded and must continue the one before it."""

from __future__ import annotations

from typing import NamedTuple

from services.journal.batch import NO_HASH, JournalBatch
from services.journal.compression import decompress
from services.journal.errors import JournalCorrupt

CHUNK_BYTES = 4 * 2**20
"""About how many bytes of batches a backend reads at once. A compressed row counts as the batch that it holds."""

Record = tuple[int, int, int, bytes]
"""The columns of a stored batch: first_seq, last_seq, epoch, and its row: the batch's bytes, or these compressed."""


class ChainEnd(NamedTuple):
    """The last batch of a part of the chain, which the next batch must continue: its last_seq and its hash."""

    last_seq: int
    hash: bytes

    @classmethod
    def after(cls, batch: JournalBatch | None) -> ChainEnd:
        """The end that this batch makes; None: the end of an empty journal."""
        return EMPTY if batch is None else cls(batch.last_seq, batch.hash)

    @classmethod
    def before(cls, batch: JournalBatch) -> ChainEnd:
        """The end that this batch continues."""
        return cls(batch.first_seq - 1, batch.previous_hash)


EMPTY = ChainEnd(0, NO_HASH)
"""The end of a journal without batches."""


def decode(record: Record) -> JournalBatch:
    """The stored batch. Raises JournalCorrupt, JournalRefused as `decompress` and `JournalBatch.decode` do, and JournalCorrupt
    if the columns beside the bytes differ from them."""
    first_seq, last_seq, epoch, data = record
    if not isinstance(data, bytes):  # The page may have been overwritten with other content.
        raise JournalCorrupt(f"the row stored for seq {first_seq} is damaged: it holds no bytes", first_seq)
    try:
        batch = JournalBatch.decode(decompress(data))
        vars(batch)["stored"] = data
    except JournalCorrupt as error:
        if error.seq is not None:
            raise
        raise JournalCorrupt(f"the row stored for seq {first_seq} is damaged: {error}", first_seq) from error
    if (batch.first_seq, batch.last_seq, batch.epoch) != (first_seq, last_seq, epoch):
        raise JournalCorrupt(f"the row stored for seq {first_seq} is the one from seq {batch.first_seq}", first_seq)
    return batch


def decode_next(record: Record, journal_id: bytes, end: ChainEnd) -> JournalBatch:
    """The stored batch, which must continue the chain of this journal at `end`. Raises as `decode`, and JournalCorrupt."""
    batch = decode(record)
    if (reason := batch.break_of_chain(journal_id, *end)) is not None:
        raise JournalCorrupt(reason, batch.first_seq)
    return batch
