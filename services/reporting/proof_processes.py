"""Runs the parts of a proof at the same time: the re-execution here, the others (proof_parts.py) in processes of their own."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

from services.journal import Journal
from services.journal.errors import JournalCorrupt
from services.processes.child_process import LAST_BYTES, run_module
from services.reporting.audit import Audit
from services.reporting.proof_parts import DECODER, ORDERS, Found, Work
from services.reporting.re_execution import FigureUnavailable

COMMANDS_FOR_PROCESSES = 100_000
"""A shorter journal is proven in one process in less than three seconds: to start others takes one."""

OnProgress = Callable[[int, int], None]
"""Takes the sequence number that is reached, and the last one."""


def works_of(place: Path | str, read_database: Path, year: int, seq: int, *, every_order: bool) -> list[Work]:
    """What other processes do for the proof at seq: none for a short journal or with one core; one where there are two cores,
    which then reads the journal once for both parts; otherwise one for each part.

    `place` is the journal's SQLite file or the URL of its database.
    """
    cores = os.cpu_count() or 1
    if seq < COMMANDS_FOR_PROCESSES or cores < 2:
        return []
    parts = [DECODER, ORDERS] if every_order else [DECODER]
    of_each = [parts] if cores == 2 else [[part] for part in parts]
    is_file = isinstance(place, Path)
    return [Work(parts, str(place), is_file, str(read_database), year, seq) for parts in of_each]


async def found_by_process(work: Work, on_seq: Callable[[int], None]) -> Found:
    """Does this work in a process of its own, which is killed if this is canceled. Calls on_seq with what it has reached.

    Raises JournalCorrupt as the work itself does, FigureUnavailable for a process that ends without an outcome.
    """

    def on_line(line: bytes) -> None:
        if line.isdigit():
            on_seq(int(line))

    what = " and ".join(work.parts)
    ended = await run_module("services.reporting.proof_parts", given=json.dumps(work).encode(), on_line=on_line)
    if ended.failure is not None:
        raise FigureUnavailable(f"The figure cannot be proven: {what} failed ({ended.failure}).")
    try:
        found = _found_in(json.loads(ended.output.rstrip().rpartition(b"\n")[2]))
    except (TypeError, ValueError):
        said = ended.output[-LAST_BYTES:].decode(errors="replace").strip()
        raise FigureUnavailable(
            f"The figure cannot be proven: {what} ended without an outcome, with {said!r}."
        ) from None
    if found.damage is not None:
        raise JournalCorrupt(*found.damage)
    on_seq(work.seq)
    return found


def _found_in(document: dict[str, Any]) -> Found:
    """Raises TypeError and ValueError for another document than that of a `Found`."""
    found = Found(**document)
    if document["audit"] is not None:
        cash_fen = {int(account): amount_fen for account, amount_fen in document["audit"]["cash_fen"].items()}
        found.audit = Audit(**{**document["audit"], "cash_fen": cash_fen})
    return found


async def at_once(
    execution: Coroutine[Any, Any, int], others: list[Coroutine[Any, Any, Found]]
) -> tuple[int, list[Found]]:
    """Runs all at the same time and returns their outcomes. The first error, or a cancellation, ends all of them."""
    own, tasks = asyncio.ensure_future(execution), [asyncio.ensure_future(other) for other in others]
    try:
        await asyncio.gather(own, *tasks)
    finally:
        for task in (own, *tasks):
            if not task.cancelling():  # a second cancellation would end its wait for the end of its process
                task.cancel()
        await asyncio.gather(own, *tasks, return_exceptions=True)
    return own.result(), [task.result() for task in tasks]


async def check_same_journal(found: Sequence[Found], journal: Journal, seq: int, position: int) -> None:
    """Raises FigureUnavailable where a process has read another journal than this one, or an older read database than that of
    this position: somebody has replaced the files."""
    here = None
    async for batch in journal.read(seq - 1):
        here = seq, batch.hash.hex()
        break
    for part in found:
        if part.audit is not None and (part.audit.seq, part.audit.row_hash) != here:
            raise FigureUnavailable("The figure cannot be proven: the journal was replaced while it was read.")
        if part.seq is not None and part.seq < position and not part.differences:
            raise FigureUnavailable("The figure cannot be proven: the read database was replaced while it was read.")


class SlowestPart:
    """Reports how far the slowest of some parts is."""

    def __init__(self, parts: int, seq: int, on_progress: OnProgress) -> None:
        self._reached = [0] * parts
        self._seq = seq
        self._on_progress = on_progress

    def reached(self, part: int, seq: int) -> None:
        """The part with this number has reached seq."""
        self._reached[part] = seq
        self._on_progress(min(*self._reached, self._seq), self._seq)
