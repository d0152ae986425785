"""The kept snapshots beside a walk through the whole journal: each is a witness of its row, and of the state there."""

from __future__ import annotations

from services.journal.batch import JournalBatch
from services.journal.replay import StateMachine
from services.journal.witness import Witness
from services.snapshots.errors import SnapshotFailed, SnapshotRefused
from services.snapshots.loading import ADVICE
from services.snapshots.record import Snapshot, SnapshotHeader
from services.snapshots.store import SnapshotStore


class SnapshotProof:
    """Those that are intact, of this journal and of this engine version; made by `of`, before the walk begins."""

    def __init__(self, headers: dict[int, SnapshotHeader], names: dict[int, str]) -> None:
        self._headers = headers
        self._names = names
        self.differences: list[str] = []
        """The snapshots that hold another state than the journal makes, one sentence each."""

    @classmethod
    async def of(cls, store: SnapshotStore, journal_id: bytes) -> SnapshotProof:
        """Reads them. A store that cannot be read has none: `rex snapshot verify` says why."""
        headers: dict[int, SnapshotHeader] = {}
        try:
            for kept in await store.kept():
                header = _intact(await store.read(kept.seq))
                if header is not None and (header.seq, header.journal_id) == (kept.seq, journal_id):
                    headers[kept.seq] = header
        except SnapshotFailed:
            return cls({}, {})
        return cls(headers, {seq: store.name(seq) for seq in headers})

    @property
    def seqs(self) -> list[int]:
        """Where they stand, ascending."""
        return sorted(self._headers)

    @property
    def witnesses(self) -> list[Witness]:
        """What they know of the journal's rows."""
        return [Witness(seq, self._headers[seq].row_hash, self._names[seq], ADVICE) for seq in self.seqs]

    def take(self, batch: JournalBatch, engine: StateMachine) -> None:
        """Compares the state of an engine that has executed every command up to this batch."""
        header = self._headers.get(batch.last_seq)
        if header is not None and engine.last_seq == header.seq and engine.state_hash() != header.state_hash.hex():
            self.differences.append(f"{self._names[header.seq]} holds another state than the journal makes")


def _intact(data: bytes | None) -> SnapshotHeader | None:
    try:
        return None if data is None else Snapshot.decode(data).header
    except SnapshotRefused:
        return None
