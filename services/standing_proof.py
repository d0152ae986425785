"""Proves the year's turnover while the venue runs, on a schedule and when it is asked for: a health signal that can go red.

A process of its own, at the lowest priority, computes the figure from the files of the data folder, so no order waits for it:

    python -m services.standing_proof FOLDER YEAR SEQ COUNTER_FEN

prints the figure at SEQ as JSON, beside the counter that the venue's engine had there.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Protocol

from services.reporting.proof_route import Proven
from services.reporting.report_database import figure_of_folder

FIRST_AFTER_S = 60.0
"""A start has compared everything already; a busy start is no time for more work."""
LOWEST_PRIORITY = 19
_SAID = 600
"""So many characters of a failed process's standard error are kept."""


class Counter(Protocol):
    """What a proof needs of the venue's engine."""

    @property
    def last_seq(self) -> int:
        """The last command."""

    @property
    def trading_date(self) -> int:
        """The current trading day, yyyymmdd; 0 before the first."""

    def turnover_fen(self, year: int, /) -> int:
        """The year's turnover after that command."""


class StandingProof:
    """The proofs of a venue in a data folder. One runs at a time."""

    def __init__(
        self,
        data_dir: Path,
        engine: Counter,
        projected: Callable[[int], Awaitable[None]],
        clock: Callable[[], int],
        every_s: float,
    ) -> None:
        """`every_s`: seconds between two proofs on the schedule; 0: only those that are asked for."""
        self._data_dir = data_dir
        self._engine = engine
        self._projected = projected
        self._clock = clock
        self._every_s = every_s
        self._lock = asyncio.Lock()
        self.latest: dict[int, Proven] = {}
        """By year."""

    async def run(self) -> None:
        """Proves the year of the current trading day, again and again, until it is canceled."""
        wait_s = min(FIRST_AFTER_S, self._every_s)
        while self._every_s:
            await asyncio.sleep(wait_s)
            wait_s = self._every_s
            if self._engine.trading_date:
                await self.prove(self._engine.trading_date // 10_000)

    def alarms(self) -> list[str]:
        """A sentence for each year whose latest proof failed."""
        return [proven.alarm for proven in self.latest.values() if proven.alarm is not None]

    async def prove(self, year: int) -> Proven:
        """Proves a year's turnover at the present command, which is projected first."""
        async with self._lock:
            # Between two batches: the counter is the one at this command.
            seq, counter_fen = self._engine.last_seq, self._engine.turnover_fen(year)
            await self._projected(seq)
            figure, trouble = await self._in_a_process(year, seq, counter_fen)
            proven = self.latest[year] = Proven(year, seq, self._clock(), figure, trouble)
            return proven

    async def _in_a_process(self, year: int, seq: int, counter_fen: int) -> tuple[dict[str, Any] | None, str | None]:
        arguments = [str(self._data_dir), str(year), str(seq), str(counter_fen)]
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",  # the folder that the venue was started in is no place for modules
            "-m",
            "services.standing_proof",
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            said, errors = await process.communicate()
        except asyncio.CancelledError:
            process.kill()
            await process.wait()
            raise
        if process.returncode:
            last = errors.decode(errors="replace").strip()[-_SAID:].rpartition("\n")[2]
            return None, last or f"its process ended with status {process.returncode}"
        return json.loads(said), None


if __name__ == "__main__":
    os.nice(LOWEST_PRIORITY)
    folder, *numbers = sys.argv[1:]
    found = asyncio.run(figure_of_folder(Path(folder), *map(int, numbers)))
    sys.stdout.write(json.dumps(found.to_json()))
