"""From where on a journal is re-executed: from its start, or from a state that an upgrade sealed into it.

The first row of an engine version that is not the journal's first is a marker (`attachments.Upgraded`): the rows before it
were made by an older version, and it says whether the newer rules make the same events of them. Where they don't, it holds the
state in which the newer version took over. The rows before stay as they were, links of the same chain.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence

from matching_engine import Engine
from matching_engine.snapshot.state import State, StateError, from_bytes, snapshot_bytes, state_hash
from services.commands.attachments import Recorded, Upgraded, read_decision
from services.journal import Journal
from services.journal.errors import JournalCorrupt, JournalRefused
from services.journal.row import Row


async def starting_engine(journal: Journal) -> Engine:
    """The engine to re-execute this journal's rows with, standing where that begins: `last_seq` is 0, or the sealed state's.

    Raises JournalCorrupt where a marker does not say what it must, JournalRefused for a state of another format.
    """
    after_seq = await re_executed_after(journal)
    if not after_seq:
        return Engine()
    async for row in journal.read(after_seq):
        return Engine.from_state(_sealed_state(row))
    raise JournalCorrupt(f"the state at seq {after_seq} is missing: the journal ends there", after_seq + 1)


async def re_executed_after(journal: Journal) -> int:
    """The sequence number after which the version of the last row makes the events that stand in the journal; 0: all."""
    last = await journal.last_row()
    marker = None if last is None else await journal.first_row(last.engine_version)
    return 0 if marker is None or marker.first_seq == 1 else read_marker(marker).re_executed_after


def read_marker(row: Row) -> Upgraded:
    """What the first row of a version says of those before it; raises JournalCorrupt where it isn't a marker."""
    decision: Recorded | None = None
    try:
        decision = read_decision(row.attachments[0]) if row.first_seq == row.last_seq else None
    except (IndexError, ValueError) as error:
        raise JournalCorrupt(_no_marker(row), row.first_seq) from error
    if (
        not isinstance(decision, Upgraded)
        or decision.to_version != row.engine_version
        or (decision.last_seq, decision.last_hash) != (row.first_seq - 1, row.previous_hash.hex())
        or not 0 <= decision.re_executed_after < row.first_seq
    ):
        raise JournalCorrupt(_no_marker(row), row.first_seq)
    return decision


def seal(text: Upgraded, state: State | None) -> Sequence[bytes]:
    """A marker's attachments."""
    return (text.to_bytes(),) if state is None else (text.to_bytes(), zlib.compress(snapshot_bytes(state)))


def _sealed_state(row: Row) -> State:
    text = read_marker(row)
    try:
        state = from_bytes(zlib.decompress(row.attachments[1]))
    except StateError as error:
        raise JournalRefused(
            f"the state sealed at seq {row.first_seq} cannot be used: {error}", row.first_seq
        ) from error
    except (IndexError, zlib.error) as error:
        raise JournalCorrupt(
            f"the state sealed at seq {row.first_seq} cannot be read: {error}", row.first_seq
        ) from error
    if state_hash(state) != text.state_hash or state.venue["last_seq"][0] != text.last_seq:
        raise JournalCorrupt(f"the state sealed at seq {row.first_seq} is not the one that was verified", row.first_seq)
    return state


def _no_marker(row: Row) -> str:
    return (
        f"the row from seq {row.first_seq} is the first of engine version {row.engine_version}, and does not say what became"
        " of the rows before it"
    )
