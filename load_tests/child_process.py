"""Starts programs as processes: servers, and what runs beside a measurement. Each prints one JSON line when it is ready."""

from __future__ import annotations

import asyncio
import json
import os
import select
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple

from services.files.data_folder import JOURNAL_FILE
from services.scaled.launch import REX, Launched, rex_arguments

ROOT = Path(__file__).parents[1]
NO_VARIABLES: Mapping[str, str] = {}
PATIENCE_S = 300
"""How long a start, and an end after SIGTERM, may take; then the server is killed."""


class RunningVenue(NamedTuple):
    """A venue that this process has started."""

    url: str
    operator_key: str
    pid: int


@contextmanager
def child(
    command: Sequence[str], variables: Mapping[str, str] = NO_VARIABLES, errors: IO[bytes] | None = None
) -> Iterator[dict[str, Any]]:
    """Runs a server while the block runs. Yields the JSON object it printed, with its `pid`. Raises DidNotStart.

    `variables` are added to the environment. `errors` gets its standard error, which is otherwise only in a DidNotStart.
    """
    with tempfile.TemporaryFile() as own:
        process = Launched(" ".join(command), command, errors or own, cwd=ROOT, env=os.environ | variables)
        try:
            if not select.select([process.out], [], [], PATIENCE_S)[0]:
                process.kill()
            yield {**process.wait_ready(), "pid": process.pid}
        finally:
            process.stop(within_s=PATIENCE_S)


@contextmanager
def venue(
    data_dir: Path, *more: str, variables: Mapping[str, str] = NO_VARIABLES, errors: IO[bytes] | None = None
) -> Iterator[RunningVenue]:
    """Runs a venue without simulated traders, open around the clock, on a free port; a new one in a folder without a journal.
    `more`: options of `rex serve`; the others are those of `child`. Raises DidNotStart."""
    new = () if (data_dir / JOURNAL_FILE).exists() else ("--new",)
    options = rex_arguments("serve", *new, "--data-dir", str(data_dir), "--schedule", "always", *more)
    with child([REX, *options], variables, errors) as ready:
        keys = json.loads(Path(ready["keys_file"]).read_text())
        yield RunningVenue(ready["url"], keys["operator"]["key"], ready["pid"])


@asynccontextmanager
async def beside(*program: str) -> AsyncIterator[dict[str, Any]]:
    """Runs `python -m PROGRAM`, a module and its arguments, while the block runs; its standard input ends with the block. After
    it, what is yielded holds the JSON object that the program printed last. Raises RuntimeError if it had an error."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", *program, stdin=pipe, stdout=pipe, cwd=ROOT)
    assert process.stdout is not None
    found: dict[str, Any] = {}
    try:
        if not await process.stdout.readline():
            raise RuntimeError(f"{program[0]} did not start")
        yield found
    finally:
        last, _ = await process.communicate(b"")
    if process.returncode:
        raise RuntimeError(f"{program[0]} had an error")
    found.update(json.loads(last))
