"""Changes that a rig's process makes to itself (`mutants.py`): defects of the journal in PostgreSQL, each of which a rig must
catch. `hurried_replies` and `hurried_stop` are none: they shorten a wait.

The product has no switch for any of them.
"""

from __future__ import annotations

from services.gateway.order_entry import request_tracker
from services.journal.batch import JournalBatch
from services.journal.chain import ChainEnd
from services.journal.postgres import statements
from services.journal.postgres.batch_writer import BatchWriter
from services.journal.postgres.seen import Seen
from services.journal.postgres.writer_row import WriterRow
from services.scaled import sequencer

HURRIED_S = 2.0


def hurried_replies() -> None:
    """A gateway answers `outcome_unknown` after two seconds instead of ten."""
    request_tracker.REPLY_SECONDS = HURRIED_S


def hurried_stop() -> None:
    """A sequencer that is to stop tries half a second to journal what it has taken in, and not five."""
    vars(sequencer)["STOP_S"] = 0.5


def assumed_commit() -> None:
    """Acknowledges an append whose connection was lost, without asking whether it was committed."""
    insert = BatchWriter._insert

    async def insert_hopefully(writer: BatchWriter, batch: JournalBatch, data: bytes) -> bool:
        try:
            return await insert(writer, batch, data)
        except Exception:
            writer.session.drop()
            return True

    BatchWriter._insert = insert_hopefully  # type: ignore[assignment, method-assign]


def read_back() -> None:
    """Reads the writer row after an append without an answer, instead of writing to it: no barrier."""

    async def look(writer: BatchWriter, _statement: str) -> ChainEnd:
        (record,) = await writer.session.fetch(statements.ROW)
        row = WriterRow(*record)
        if row.epoch != writer.epoch:
            await writer._raise_fenced(writer._seen.known)
        return ChainEnd(row.last_seq, row.last_hash)

    BatchWriter._write = look  # type: ignore[assignment, method-assign]


def unfenced_append() -> None:
    """The append checks the end of the chain, and not the epoch."""
    statements.APPEND = statements.APPEND.replace("AND epoch = $3", "AND $3::bigint IS NOT NULL")


def claim_without_a_look() -> None:
    """A claim does not compare what the standby has looked at."""
    statements.CLAIM = statements.CLAIM.replace(
        "AND epoch = $1 AND last_seq = $2 AND beat = $3", "AND num_nulls($1::bigint, $2::bigint, $3::bigint) = 0"
    )


def forgetful() -> None:
    """Does not remember the end of the chain that it has seen."""
    Seen.compare = lambda _seen, _end, _before: None  # type: ignore[assignment, method-assign]
