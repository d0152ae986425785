"""The hash chain as it is read back from a backend: each stored record is decoded and must continue the one before it."""

from __future__ import annotations

from typing import NamedTuple

from matching_engine import ENGINE_VERSION
from services.journal.batch import NO_HASH, JournalBatch
from services.journal.compression import decompress
from services.journal.errors import JournalCorrupt, JournalRefused

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


def check_not_older(last: JournalBatch | None, name: str, remedy: str) -> None:
    """Raises JournalRefused if the journal `name` ends with a batch of an older engine version. A journal is continued by the
    engine version that made its last batch; after older batches, `rex upgrade` must first append its marker
    (services/engine_versions/upgrades.py)."""
    if last is not None and last.engine_version < ENGINE_VERSION:
        raise JournalRefused(
            f"{name} was made by engine version {last.engine_version}; this REX runs version {ENGINE_VERSION}: {remedy}",
            last.last_seq + 1,
        )


class VersionSearch:
    """Finds the oldest batch made by an engine version or a newer one.

    Versions only rise along the chain, so a binary search finds it and reads a few dozen batches. The search begins with the
    first batch: in a journal of one version that is the result. While `seq` is not None, `take` wants the batch that holds it.
    """

    def __init__(self, engine_version: int, last_first_seq: int) -> None:
        self._engine_version = engine_version
        self._low, self._high = 1, last_first_seq
        self.seq = 1 if last_first_seq else None
        self.found: JournalBatch | None = None

    def take(self, record: Record | None) -> None:
        """Looks at the record of the batch that holds `seq`. Raises JournalCorrupt if there is none."""
        if record is None:
            raise JournalCorrupt(f"no row holds seq {self.seq}", self.seq)
        batch = decode(record)
        if batch.engine_version >= self._engine_version:
            self.found, self._high = batch, batch.first_seq - 1
        else:
            self._low = batch.last_seq + 1
        self.seq = (self._low + self._high) // 2 if self._low <= self._high else None
