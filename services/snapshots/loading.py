"""The newest good snapshot of a journal. One that is not good is passed over with a sentence, and the next older one is tried.

A snapshot that is intact and of this journal is a witness, too: where the journal ends before it, or holds another row where it
stands, acknowledged commands were lost or changed, and nothing starts.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import structlog

from matching_engine import Engine
from services.journal import Journal, witness
from services.journal.chain import ChainEnd
from services.journal.errors import JournalDiffers
from services.journal.witness import Witness
from services.snapshots.errors import ForeignSnapshot, SnapshotFailed, SnapshotRefused
from services.snapshots.following import follow
from services.snapshots.record import Snapshot, SnapshotHeader
from services.snapshots.store import SnapshotStore

log = structlog.get_logger("rex.snapshots")

ADVICE = (
    "Remove nothing. If an older journal was put into this place on purpose, move the snapshots out of it (in PostgreSQL:"
    " DELETE FROM snapshots) and start again; otherwise restore a copy that reaches further (docs/durability.md)"
)
"""What to do where a snapshot contradicts the journal."""


@dataclass(frozen=True)
class Passed:
    """A snapshot that was passed over."""

    seq: int
    reason: str
    """A sentence."""
    is_useless: bool
    """Whether nobody can use it: it is damaged, of another engine version, or makes other events. One of another journal, or
    one that could not be read this time, may be of use."""


@dataclass(frozen=True)
class Loaded:
    """An engine that began with a snapshot and has executed every row after it."""

    engine: Engine
    end: ChainEnd
    """The journal's end, or the one that was asked for."""
    header: SnapshotHeader
    """Of the snapshot."""


async def checked(journal: Journal, store: SnapshotStore, seq: int) -> Snapshot:
    """A kept snapshot: intact, of this journal and engine version, at the end of the row that it names.

    Raises SnapshotRefused, SnapshotFailed; JournalLost where the journal ends before the snapshot, JournalCorrupt where it
    holds another row there, or the row is damaged.
    """
    data = await store.read(seq)
    if data is None:
        raise SnapshotRefused("is not there any more")
    snapshot = Snapshot.decode(data)
    header = snapshot.header
    if header.journal_id != journal.journal_id:
        raise ForeignSnapshot(
            f"is of journal {header.journal_id.hex()}, and this is journal {journal.journal_id.hex()}"
        )
    if header.seq != seq:
        raise SnapshotRefused(f"says seq {header.seq} inside")
    await witness.check(journal, Witness(header.seq, header.row_hash, store.name(seq), ADVICE))
    return snapshot


async def newest_checked(
    journal: Journal, store: SnapshotStore, *, on_passed: Callable[[Passed], None] | None = None
) -> AsyncIterator[Snapshot]:
    """The kept snapshots that `checked` lets pass, newest first. Logs each other one and calls on_passed with it.

    Raises JournalLost and JournalCorrupt as `checked` does.
    """
    try:
        kept = await store.kept()
    except SnapshotFailed as failure:
        log.warning("no snapshot can be read", reason=str(failure))
        return
    for one in kept:
        try:
            snapshot = await checked(journal, store, one.seq)
        except (SnapshotRefused, SnapshotFailed) as error:
            pass_over(store, one.seq, error, on_passed)
            continue
        yield snapshot


async def load(
    journal: Journal,
    store: SnapshotStore,
    *,
    to_seq: int | None = None,
    on_progress: Callable[[int], None] | None = None,
    on_passed: Callable[[Passed], None] | None = None,
) -> Loaded | None:
    """The engine of the newest good snapshot, brought to the journal's end or to the row that holds to_seq; None where no
    snapshot is good, and the journal must be executed from its start.

    Every row after the snapshot is re-executed and compared. A snapshot whose rows make other events than the journaled ones
    is passed over: if the journal is at fault, its re-execution from the start says so. Raises the journal's errors.
    """
    async for snapshot in newest_checked(journal, store, on_passed=on_passed):
        header = snapshot.header
        try:
            engine = snapshot.engine()
            end = await follow(engine, journal, header.end, to_seq=to_seq, on_progress=on_progress)
        except (SnapshotRefused, JournalDiffers) as error:
            pass_over(store, header.seq, error, on_passed)
            continue
        return Loaded(engine, end, header)
    return None


def pass_over(store: SnapshotStore, seq: int, error: Exception, on_passed: Callable[[Passed], None] | None) -> None:
    """Says why a snapshot is not used."""
    reason, is_useless = reason_of(store, seq, error), not isinstance(error, (ForeignSnapshot, SnapshotFailed))
    log.warning("a snapshot is passed over", seq=seq, reason=reason)
    if on_passed is not None:
        on_passed(Passed(seq, reason, is_useless))


def reason_of(store: SnapshotStore, seq: int, error: Exception) -> str:
    """Why a snapshot is not good, as a sentence with its name."""
    match error:
        case SnapshotRefused():
            return f"{store.name(seq)} {error}"
        case JournalDiffers():
            return f"{store.name(seq)} cannot be followed: {error}"
        case _:
            return str(error)
