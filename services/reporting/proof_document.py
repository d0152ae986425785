"""The figure of one proof, computed by a process of its own (`processes/child_process.py`), whose arguments are

    YEAR SEQ COUNTER_FEN COPY CALENDAR_FILE [FOLDER]

It prints the sequence numbers that it has reached, a line each, and at last the figure at SEQ as JSON, beside the counter that
the venue's engine had there: `-` where no engine counts. COPY is a copy of the read database (proof_copy.py), which it brings
up to SEQ; `-`: it reads the folder's own, which goes on. CALENDAR_FILE is `-` where no breakdown is asked for; otherwise it is
that of the settings, empty where they have none, and the figure's JSON has the `breakdown` if it agrees. Without FOLDER the
venue is in the database of REX_DATABASE_URL.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

from services.data.calendar import TradingCalendar
from services.data.instruments import DataFileError
from services.read_model.errors import ReadDatabaseFailed
from services.reporting.breakdown_as_of import breakdown_of_file
from services.reporting.proven import DATABASE_URL, NONE
from services.reporting.proven_figure import figure_at

STEPS = 200
"""A proof says so often, in equal parts of its commands, what it has reached."""


async def proof_document(
    year: str, seq: str, counter_fen: str, copy: str, calendar_file: str, folder: str = ""
) -> dict[str, Any]:
    """What the process of a proof answers, from its command line: the figure, and its breakdown or what it lacks."""
    at = int(year), int(seq), None if counter_fen == NONE else int(counter_fen)
    place = Path(folder) if folder else os.environ[DATABASE_URL]
    lacks = None
    try:
        figure = await figure_at(place, None if copy == NONE else Path(copy), *at, on_progress=_Lines())
    except ReadDatabaseFailed as error:
        if copy == NONE or not folder:
            raise
        # Such as no room for the copy to grow: no reason to doubt the figure.
        await asyncio.to_thread(Path(copy).unlink, missing_ok=True)
        lacks, figure = str(error), await figure_at(place, None, *at, on_progress=_Lines())
    found = figure.to_json()
    if calendar_file == NONE or not figure.agree:
        return found
    try:
        if lacks is None:
            calendar = TradingCalendar.load(Path(calendar_file) if calendar_file else None)
            found["breakdown"] = (await breakdown_of_file(Path(copy), at[0], calendar)).to_json()
    except (DataFileError, OSError, ReadDatabaseFailed) as error:
        lacks = str(error)
    return {**found, "lacks": lacks}


class _Lines:
    """Prints what is reached, at most STEPS lines."""

    def __init__(self) -> None:
        self._next_seq = 0

    def __call__(self, seq: int, last_seq: int) -> None:
        """The command `seq` of `last_seq` is reached."""
        if seq >= self._next_seq:
            self._next_seq = seq + last_seq // STEPS
            sys.stdout.write(f"{seq}\n")
            sys.stdout.flush()  # fails, and so ends this process, if the one that reads it is gone


def main() -> None:
    """Runs the process."""
    sys.stdout.write(json.dumps(asyncio.run(proof_document(*sys.argv[1:]))))
