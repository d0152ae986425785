"""The data folder in which faults of an embedded venue follow each other, and the two members who trade in it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from random import Random

from services.journal.errors import JournalError
from services.read_model.errors import ReadDatabaseRefused
from tests.faults.rebuilt import differences
from tests.faults.rig import Report
from tests.faults.thin_disk import ThinDisk
from tests.faults.traders import Trader, load_until
from tests.faults.venue_process import VenueProcess, rex


class Folder:
    """Its path, what is counted, and who trades."""

    report: Report
    random: Random
    traders: list[Trader]
    is_gone = False
    """Whether no other venue can start in it."""

    def __init__(self, path: Path, disk: ThinDisk | None = None) -> None:
        self.path, self._disk = path, disk

    @property
    def disk(self) -> ThinDisk:
        """The disk that it is on."""
        assert self._disk is not None
        return self._disk

    async def load_until(
        self, venue: VenueProcess, most: int, harm: Callable[[], None], *, fewest: int = 5, allowed_s: float = 0.0
    ) -> None:
        """See `traders.load_until`; so many acknowledgements before the harm."""
        await load_until(venue, self.traders, self.random.randint(fewest, most), harm, allowed_s=allowed_s)

    def owe_late_ones(self) -> None:
        """The process has sent every acknowledgement before it ended: all of them count."""
        for trader in self.traders:
            trader.ledger.owe_late_ones()

    async def prove(self, after: str) -> None:
        """The read database equals, row by row, one rebuilt from the journal, and `rex journal verify --prove` calls that
        good."""
        try:
            self.report.broken += [f"after {after} {fault}" for fault in await differences(self.path)]
            self.report.add("rebuilt_row_for_row")
        except (JournalError, ReadDatabaseRefused) as error:
            self.report.broken.append(f"after {after}: {error}")
        proof = rex("journal", "verify", "--data-dir", self.path, "--prove", "--json")
        if proof.exit_status != 0 or not json.loads(proof.out)["good"]:
            self.report.broken.append(f"after {after} verify says: {proof.out}{proof.err}")
