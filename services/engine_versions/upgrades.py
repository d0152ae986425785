"""Where re-execution of a journal begins: at its start, or at a state that an upgrade sealed into it.

The first batch of every engine version but the journal's first is a marker (`attachments.Upgraded`): the batches before it were
made by an older version, and it says whether the newer version makes the same events of them. Where it does not, the marker
holds the state in which the newer version took over. The older batches stay unchanged in the same hash chain.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from hashlib import blake2b

from matching_engine import Engine
from matching_engine.snapshot.state import State, StateError, from_bytes, snapshot_bytes
from services.commands.attachments import Recorded, Upgraded, read_decision
from services.journal import Journal
from services.journal.batch import JournalBatch
from services.journal.errors import JournalCorrupt, JournalRefused


async def starting_engine(journal: Journal) -> Engine:
    """The engine that re-executes this journal, at the state where that begins: `last_seq` is 0 or the sealed state's.

    Raises JournalCorrupt for a marker that contradicts its batch, JournalRefused for a state of another format.
    """
    after_seq = await re_executed_after(journal)
    if not after_seq:
        return Engine()
    async for batch in journal.read(after_seq):
        return Engine.from_state(_sealed_state(batch))
    raise JournalCorrupt(f"the state at seq {after_seq} is missing: the journal ends there", after_seq + 1)


async def re_executed_after(journal: Journal) -> int:
    """The sequence number after which the journal's last engine version makes the journaled events; 0: from the start."""
    last = await journal.last_batch()
    marker = None if last is None else await journal.first_batch(last.engine_version)
    return 0 if marker is None or marker.first_seq == 1 else read_marker(marker).re_executed_after


def read_marker(batch: JournalBatch) -> Upgraded:
    """The marker in the first batch of an engine version; raises JournalCorrupt where the batch is no marker."""
    decision: Recorded | None = None
    try:
        decision = read_decision(batch.attachments[0]) if batch.first_seq == batch.last_seq else None
    except (IndexError, ValueError) as error:
        raise JournalCorrupt(_no_marker(batch), batch.first_seq) from error
    if (
        not isinstance(decision, Upgraded)
        or decision.to_version != batch.engine_version
        or (decision.last_seq, decision.last_hash) != (batch.first_seq - 1, batch.previous_hash.hex())
        or not 0 <= decision.re_executed_after < batch.first_seq
    ):
        raise JournalCorrupt(_no_marker(batch), batch.first_seq)
    return decision


def seal(text: Upgraded, state: State | None) -> Sequence[bytes]:
    """A marker's attachments: its text, then the compressed snapshot of a state to seal."""
    return (text.to_bytes(),) if state is None else (text.to_bytes(), zlib.compress(snapshot_bytes(state)))


def _sealed_state(batch: JournalBatch) -> State:
    text = read_marker(batch)
    try:
        data = zlib.decompress(batch.attachments[1])
        state = from_bytes(data)
    except StateError as error:
        raise JournalRefused(
            f"the state sealed at seq {batch.first_seq} cannot be used: {error}", batch.first_seq
        ) from error
    except (IndexError, zlib.error) as error:
        raise JournalCorrupt(
            f"the state sealed at seq {batch.first_seq} cannot be read: {error}", batch.first_seq
        ) from error
    # Of the bytes, not of the state: they may have an older format.
    if blake2b(data, digest_size=32).hexdigest() != text.state_hash or state.venue["last_seq"][0] != text.last_seq:
        raise JournalCorrupt(
            f"the state sealed at seq {batch.first_seq} is not the one that was verified", batch.first_seq
        )
    return state


def _no_marker(batch: JournalBatch) -> str:
    return (
        f"the row from seq {batch.first_seq} is the first of engine version {batch.engine_version}, and does not say what"
        " became of the rows before it"
    )
