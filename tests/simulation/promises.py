"""The promises that are watched at every step. `verdict.py` has those that need the end of a run."""

from __future__ import annotations

from typing import Protocol

from services.journal.batch import JournalBatch
from services.journal.postgres.writer_row import WriterRow
from tests.simulation.world import World


class Durable(Protocol):
    """A server."""

    def keeps(self, batch: JournalBatch) -> bool:
        """Whether the batch survives a failover at this moment."""


class Promises:
    """What may never happen, told by those who see it happen."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.server: Durable
        self._published: dict[int, bytes] = {}
        self._appended: dict[int, bytes] = {}
        self.published_seq = 0

    def written(self, row: WriterRow, batch: JournalBatch) -> None:
        """An append has reached the primary's disk; `row` is the writer row that it found."""
        if batch.epoch != row.epoch:
            self._world.broken(
                f"an append of epoch {batch.epoch} (seq {batch.first_seq}) was accepted in epoch {row.epoch}"
            )
        if (batch.first_seq, batch.previous_hash) != (row.last_seq + 1, row.last_hash):
            self._world.broken(f"the append from seq {batch.first_seq} does not continue the chain at {row.last_seq}")

    def appended(self, batch: JournalBatch) -> None:
        """The server has confirmed an append: it is on both disks."""
        if self._appended.setdefault(batch.first_seq, batch.hash) != batch.hash:
            self._world.broken(f"two appends from seq {batch.first_seq} were accepted")

    def published(self, name: str, batch: JournalBatch) -> None:
        """A leader publishes a batch: what follows is acknowledged."""
        self._world.note(f"{name} publishes {batch.first_seq}-{batch.last_seq} epoch {batch.epoch}")
        if self._published.setdefault(batch.first_seq, batch.hash) != batch.hash:
            self._world.broken(f"two batches from seq {batch.first_seq} were published")
        self._must_be_kept(name, batch, "published")
        self.published_seq = max(self.published_seq, batch.last_seq)

    def applied(self, name: str, batch: JournalBatch) -> None:
        """A gateway with a link applies a batch, and answers from it."""
        self._must_be_kept(name, batch, "answered from")

    def _must_be_kept(self, name: str, batch: JournalBatch, what: str) -> None:
        if not self.server.keeps(batch):
            self._world.broken(
                f"{name} has {what} the row from seq {batch.first_seq}, which a failover would take back"
            )
