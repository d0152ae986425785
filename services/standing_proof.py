"""Proves the year's turnover while the venue runs, on a schedule and when it is asked for: a health signal that can go red.

A process of its own, at a low priority (`niceness`), computes the figure from the files of the data folder or from the
database, so no order waits for it:

    python -m services.standing_proof NICENESS YEAR SEQ COUNTER_FEN [FOLDER]

prints the figure at SEQ as JSON, beside the counter that the venue's engine had there: `-` where no engine counts. Without
FOLDER the venue is in the database of REX_DATABASE_URL: a command line, which holds the password, is seen by every user.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Protocol

import structlog

from services.own_process import stand_back
from services.reporting.proof_route import Proven

if TYPE_CHECKING:
    from services.reporting.figure import Figure

FIRST_AFTER_S = 60.0
"""A start has compared everything already; a busy start is no time for more work."""
DATABASE_URL = "REX_DATABASE_URL"
_SAID = 600
"""So many characters of a failed process's standard error are kept."""

log = structlog.get_logger("rex.proof")


async def brought_up_to_date(_seq: int) -> None:
    """For a gateway of a venue in PostgreSQL, which knows journaled commands only: a proof waits for no projector, it brings
    its copy of the read database up to date."""


class Counter(Protocol):
    """What a proof needs of the venue's engine, or of a gateway's state."""

    @property
    def last_seq(self) -> int:
        """The last command."""

    @property
    def trading_date(self) -> int:
        """The current trading day, yyyymmdd; 0 before the first."""

    def turnover_fen(self, year: int, /) -> int | None:
        """The year's turnover after that command; None where no engine counts."""


class StandingProof:
    """The proofs of a venue in a data folder, or in the database of a URL. One runs at a time."""

    def __init__(
        self,
        place: Path | str,
        engine: Counter,
        projected: Callable[[int], Awaitable[None]],
        clock: Callable[[], int],
        every_s: float,
        niceness: int,
    ) -> None:
        """`projected` returns when the command of a seq can be proven: it is journaled and, in a folder, projected.

        `every_s`: seconds between two proofs on the schedule; 0: only those that are asked for."""
        self._place = place
        self._engine = engine
        self._projected = projected
        self._clock = clock
        self._every_s = every_s
        self._niceness = niceness
        self._lock = asyncio.Lock()
        self.latest: dict[int, Proven] = {}
        """By year."""

    async def run(self) -> None:
        """Proves what is due, again and again, until it is canceled."""
        wait_s = min(FIRST_AFTER_S, self._every_s)
        while self._every_s:
            await asyncio.sleep(wait_s)
            wait_s = self._every_s
            await self.prove_due()

    async def prove_due(self) -> None:
        """Proves the year of the current trading day, and again each year whose latest proof failed: its alarm could not end
        otherwise once the year is over."""
        years = {year for year, proven in self.latest.items() if not proven.agree}
        if self._engine.trading_date:
            years.add(self._engine.trading_date // 10_000)
        for year in sorted(years):
            await self.prove(year)

    def alarms(self) -> list[str]:
        """A sentence for each year whose latest proof failed."""
        return [proven.alarm for proven in self.latest.values() if proven.alarm is not None]

    @property
    def proven_seq(self) -> int | None:
        """The last command at which a proof agreed; None before the first."""
        return max((proven.seq for proven in self.latest.values() if proven.agree), default=None)

    async def prove(self, year: int) -> Proven:
        """Proves a year's turnover at the present command, which is journaled and, in a folder, projected first."""
        async with self._lock:
            # Between two batches: the counter is the one at this command.
            seq, counter_fen = self._engine.last_seq, self._engine.turnover_fen(year)
            await self._projected(seq)
            figure, trouble = await self._in_a_process(year, seq, counter_fen)
            if trouble is not None:
                log.warning("a proof could not be made", year=year, seq=seq, reason=trouble)
            proven = self.latest[year] = Proven(year, seq, self._clock(), figure, trouble)
            return proven

    async def _in_a_process(
        self, year: int, seq: int, counter_fen: int | None
    ) -> tuple[dict[str, Any] | None, str | None]:
        """The figure, or why there is none: whatever happens to the process, the venue goes on."""
        counter = "-" if counter_fen is None else str(counter_fen)
        try:
            # The process may be killed: what it leaves, a copy of the read database, is removed here.
            temporary = await asyncio.to_thread(TemporaryDirectory, prefix="rex-proof-")
            try:
                ended = await self._end_of_process(temporary.name, str(year), str(seq), counter)
            finally:
                await asyncio.to_thread(temporary.cleanup)
        except OSError as error:
            return None, f"its process cannot run: {error}"
        return _found(*ended)

    async def _end_of_process(self, temporary: str, *arguments: str) -> tuple[int, bytes, bytes]:
        """Status, standard output and standard error. Raises OSError if the process cannot be started."""
        in_folder = isinstance(self._place, Path)
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",  # the folder that the venue was started in is no place for modules
            "-m",
            "services.standing_proof",
            str(self._niceness),
            *arguments,
            *([str(self._place)] if in_folder else []),
            env=os.environ | {"TMPDIR": temporary} | ({} if in_folder else {DATABASE_URL: str(self._place)}),
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
        return process.returncode or 0, said, errors


def _found(status: int, said: bytes, errors: bytes) -> tuple[dict[str, Any] | None, str | None]:
    """The figure that a process said, or why there is none."""
    if status:
        last = errors.decode(errors="replace").strip()[-_SAID:].rpartition("\n")[2]
        return None, last or f"its process ended with status {status}"
    try:
        figure = json.loads(said)
    except ValueError:
        figure = None
    if not isinstance(figure, dict) or "agree" not in figure:
        return None, f"its process said {said[:_SAID].decode(errors='replace').strip()!r}, which is no figure"
    return figure, None


async def _figure(year: str, seq: str, counter_fen: str, folder: str = "") -> Figure:
    from services.reporting.proven_figure import figure_of_database, figure_of_folder

    at = int(year), int(seq), None if counter_fen == "-" else int(counter_fen)
    if folder:
        return await figure_of_folder(Path(folder), *at)
    return await figure_of_database(os.environ[DATABASE_URL], *at)


if __name__ == "__main__":
    stand_back(int(sys.argv[1]))
    sys.stdout.write(json.dumps(asyncio.run(_figure(*sys.argv[2:])).to_json()))
