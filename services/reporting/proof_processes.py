"""Runs the parts of a proof at the same time: re-execution and decoder here, the comparison with a rebuilt read database in a
process of its own (proof_part.py)."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from services.files.proof_folder import ProofFolder
from services.journal import Journal
from services.journal.errors import JournalCorrupt
from services.processes.child_process import LAST_BYTES, run_module
from services.reporting.proof_part import Found, Work
from services.reporting.re_execution import FigureUnavailable

COMMANDS_FOR_PROCESSES = 100_000
"""A shorter journal is proven in one process in about three seconds: to start another takes one."""

OnProgress = Callable[[int, int], None]
"""Takes the sequence number that is reached, and the last one."""


def work_of(place: Path | str, read_database: Path, seq: int) -> Work | None:
    """What another process does for the proof at seq: nothing for a short journal or with one core.

    `place` is the journal's SQLite file or the URL of its database.
    """
    if seq < COMMANDS_FOR_PROCESSES or (os.cpu_count() or 1) < 2:
        return None
    return Work(str(place), isinstance(place, Path), str(read_database), seq)


async def found_by_process(work: Work, on_seq: Callable[[int], None]) -> Found:
    """Does this work in a process of its own, which is killed if this is canceled. Calls on_seq with what it has reached.

    Raises JournalCorrupt as the work itself does, FigureUnavailable for a process that ends without an outcome, OSError where
    there is no folder for temporary files.
    """

    def on_line(line: bytes) -> None:
        if line.isdigit():
            on_seq(int(line))

    what = "the comparison with a rebuilt read database"
    folder = await asyncio.to_thread(ProofFolder)  # A process that is killed leaves its files.
    try:
        ended = await run_module(
            "services.reporting.proof_part",
            given=json.dumps(work).encode(),
            on_line=on_line,
            temporary=str(folder.path),
        )
    finally:
        await asyncio.to_thread(folder.remove)
    if ended.failure is not None:
        raise FigureUnavailable(f"The figure cannot be proven: {what} failed ({ended.failure}).")
    try:
        found = Found(**json.loads(ended.output.rstrip().rpartition(b"\n")[2]))
    except (TypeError, ValueError):
        said = ended.output[-LAST_BYTES:].decode(errors="replace").strip()
        raise FigureUnavailable(
            f"The figure cannot be proven: {what} ended without an outcome, with {said!r}."
        ) from None
    if found.damage is not None:
        raise JournalCorrupt(*found.damage)
    on_seq(work.seq)
    return found


async def at_once(
    execution: Coroutine[Any, Any, int], other: Coroutine[Any, Any, Found] | None
) -> tuple[int, Found | None]:
    """Runs both at the same time and returns their outcomes. The first error, or a cancellation, ends both."""
    if other is None:
        return await execution, None
    tasks = own, apart = asyncio.ensure_future(execution), asyncio.ensure_future(other)
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            if not task.cancelling():  # a second cancellation would end its wait for the end of its process
                task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return own.result(), apart.result()


async def check_same_files(found: Found, journal: Journal, seq: int, position: int) -> None:
    """Raises FigureUnavailable where the process has read another journal than this one, or an older read database than that of
    this position: somebody has replaced the files."""
    row_hash = None
    async for batch in journal.read(seq - 1):
        row_hash = batch.hash.hex()
        break
    if found.row_hash != row_hash:
        raise FigureUnavailable("The figure cannot be proven: the journal was replaced while it was read.")
    if found.seq < position and not found.differences:
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
