"""Proves the year's turnover while the venue runs, on a schedule and when it is asked for: a health signal that can go red.

Processes of their own (`reporting/proof_copy.py`, `reporting/proof_document.py`), at a low priority (`niceness`), compute the
figure from the files of the data folder or from the database, so no order waits for it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Container
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import structlog

from services.files.proof_folder import ProofFolder, remove_abandoned
from services.processes.child_process import Ended, NoAnswer, run_module
from services.reporting.proof_turns import ProofTurns
from services.reporting.proven import DATABASE_URL, LATE_KEY, NONE, ProofAge, Proven

FIRST_AFTER_S = 60.0
"""A start has compared everything already; a busy start is no time for more work."""
UNRECORDED = 100
"""So many proofs that agreed wait to be recorded; of more, the oldest is forgotten. Without alerts nobody records them."""
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


class _Outcome(NamedTuple):
    """What the processes of a proof have found at the command `seq`."""

    seq: int
    figure: dict[str, Any] | None = None
    trouble: str | None = None
    breakdown: dict[str, Any] | None = None


class StandingProof:
    """The proofs of a venue in a data folder, or in the database of a URL. They have turns (proof_turns.py)."""

    def __init__(
        self,
        place: Path | str,
        calendar_file: Path | None,
        engine: Counter,
        projected: Callable[[int], Awaitable[None]],
        clock: Callable[[], int],
        every_s: float,
        niceness: int,
    ) -> None:
        """`projected` returns when the command of a seq can be proven: it is journaled and, in a folder, projected.

        `every_s`: seconds between two proofs on the schedule; 0: only those that are asked for."""
        self._place = place
        self._calendar_file = calendar_file
        self._engine = engine
        self._projected = projected
        self._clock = clock
        self._every_s = every_s
        self._niceness = niceness
        self._turns = ProofTurns(self._prove)
        self.latest: dict[int, Proven] = {}
        """By year."""
        self._agreed: Proven | None = None
        """The last one that agreed, of whichever year."""
        self.unrecorded: deque[Proven] = deque(maxlen=UNRECORDED)
        """Those that agreed and that the journal has not got, oldest first: who records one takes it out."""
        self._begun_ns = clock()
        self._under_way: tuple[int, int] | None = None
        """What the proof that runs has reached, and the command at which it proves."""

    async def run(self) -> None:
        """Removes what killed proofs have left; then proves what is due, again and again, until it is canceled."""
        await asyncio.to_thread(remove_abandoned)
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

    def alarms(self, open_alerts: Container[str] = ()) -> list[str]:
        """A sentence for each year whose latest proof failed, and one where the last proof that agreed is old, but for those of
        which an open alert with this key says so."""
        failed = [proven for proven in self.latest.values() if proven.alert_key not in open_alerts]
        age = None if LATE_KEY in open_alerts else self.age
        old = [age.sentence] if age is not None and age.is_old else []
        return [*(proven.alarm for proven in failed if proven.alarm is not None), *old]

    @property
    def age(self) -> ProofAge | None:
        """The age of the last proof that agreed; None where none is due: without a schedule, and before the first day."""
        if not self._every_s or not self._engine.trading_date:
            return None
        seq, since_ns = (None, self._begun_ns) if self._agreed is None else (self._agreed.seq, self._agreed.time_ns)
        return ProofAge(seq, since_ns, self._seconds_since(since_ns), self._every_s)

    def agreed(self) -> dict[str, int | float | None]:
        """What /healthz says of the last proof that agreed: its command, and its age. None: none agreed since the start."""
        if self._agreed is None:
            return {"proven_seq": None, "proven_age_s": None}
        return {"proven_seq": self._agreed.seq, "proven_age_s": self._seconds_since(self._agreed.time_ns)}

    def _seconds_since(self, time_ns: int) -> float:
        return round(max(0, self._clock() - time_ns) / 1e9, 3)

    def facts(self) -> dict[str, int | float | bool | None]:
        """What /healthz says of the latest proofs, one of each year: whether all agree, and how old the newest is. None: no
        proof was made since the start."""
        newest_ns = max((proven.time_ns for proven in self.latest.values()), default=None)
        return {
            **self.agreed(),
            "proof_agrees": all(proven.agree for proven in self.latest.values()) if self.latest else None,
            "proof_age_s": None if newest_ns is None else self._seconds_since(newest_ns),
            **self.progress(),
        }

    def progress(self) -> dict[str, int | None]:
        """What /healthz says of the proof that runs: the command that it has reached, and its last one. None: none runs."""
        reached_seq, to_seq = self._under_way or (None, None)
        return {"proof_reached_seq": reached_seq, "proof_to_seq": to_seq}

    async def prove(self, year: int, *, breakdown: bool = False) -> Proven:
        """Proves a year's turnover at the present command or, where others are before it, at a later one."""
        return await self._turns.take(year, breakdown)

    async def _prove(self, year: int, breakdown: bool) -> Proven:
        self._under_way = 0, self._engine.last_seq
        try:
            found = await self._in_processes(year, breakdown)
        finally:
            self._under_way = None
        if found.trouble is not None:
            log.warning("a proof could not be made", year=year, seq=found.seq, reason=found.trouble)
        proven = self.latest[year] = Proven(year, found.seq, self._clock(), found.figure, found.trouble)
        if proven.agree:
            self._agreed = proven
            self.unrecorded.append(proven)
        return replace(proven, breakdown=found.breakdown)

    async def _in_processes(self, year: int, breakdown: bool) -> _Outcome:
        """What is found, or why nothing is: whatever happens to the processes, the venue goes on."""
        try:
            # A process may be killed: what it leaves, a copy of the read database, is removed here. Where this process is
            # killed, the other one removes it, and where both are, the next start or proof.
            folder = await asyncio.to_thread(ProofFolder)
            try:
                return await self._in_folder(folder.path, year, breakdown)
            finally:
                await asyncio.to_thread(folder.remove)
        except OSError as error:
            return _Outcome(self._engine.last_seq, trouble=f"its process cannot run: {error}")

    async def _in_folder(self, temporary: Path, year: int, breakdown: bool) -> _Outcome:
        """Copies the read database first, where the venue is in PostgreSQL or the breakdown is asked for: only a copy stands at
        the command that is proven. Raises OSError if a process cannot be started."""
        is_folder, copy, copied_seq = isinstance(self._place, Path), NONE, 0
        if breakdown or not is_folder:
            file = str(temporary / "copy.sqlite")
            ended = await self._end_of_process(temporary, "services.reporting.proof_copy", file)
            try:
                copy, copied_seq = file, ended.answer("position", int)
            except NoAnswer as last_words:
                if not is_folder:
                    return _Outcome(self._engine.last_seq, trouble=str(last_words))
                reason = str(last_words)
                log.warning("a proof is made without the breakdown: the read database was not copied", reason=reason)
        # The counter is the one at this command, which may lie within a batch. Who is behind the copy has none: a gateway, or a
        # leader that another one has followed.
        seq, counter_fen = self._engine.last_seq, self._engine.turnover_fen(year)
        if copied_seq > seq:
            seq, counter_fen = copied_seq, None
        self._under_way = 0, seq
        await self._projected(seq)
        counter = NONE if counter_fen is None else str(counter_fen)
        calendar = str(self._calendar_file or "") if breakdown and copy != NONE else NONE
        arguments = (str(year), str(seq), counter, copy, calendar)
        ended = await self._end_of_process(temporary, "services.reporting.proof_document", *arguments)
        return _outcome(seq, ended)

    async def _end_of_process(self, temporary: Path, module: str, *arguments: str) -> Ended:
        """Raises OSError if the process cannot be started."""
        variables = {}
        if isinstance(self._place, Path):
            arguments = (*arguments, str(self._place))
        else:
            variables[DATABASE_URL] = self._place
        return await run_module(
            module,
            *arguments,
            environment=variables,
            on_line=self._on_line,
            niceness=self._niceness,
            temporary=str(temporary),
        )

    def _on_line(self, line: bytes) -> None:
        if line.isdigit() and self._under_way is not None:
            self._under_way = int(line), self._under_way[1]


def _outcome(seq: int, ended: Ended) -> _Outcome:
    """What a process said at its end, or why it said nothing."""
    try:
        figure = ended.answer("figure", lambda said: {**said, "agree": said["agree"]})
    except NoAnswer as last_words:
        return _Outcome(seq, trouble=str(last_words))
    breakdown, lacks = figure.pop("breakdown", None), figure.pop("lacks", None)
    if lacks is not None:
        log.warning("a proof was made without the breakdown", reason=lacks)
    return _Outcome(seq, figure, breakdown=breakdown)
