"""When keys were last used, in a file of the data folder: an administrator sees it after a restart, too.

It is written once a minute if a key was used since, and at the end; a request costs no more for it. After a kill the uses of
the last minute are missing, and without the file all before the start: nothing else depends on it.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import Annotated

import structlog
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.files.data_folder import FILE_MODE
from services.gateway.limits.rate_limits import RateLimits

KEY_USES_FILE = "key-uses.json"
WRITE_EVERY_S = 60.0

log = structlog.get_logger("rex.venue")


class _Uses(BaseModel):
    model_config = ConfigDict(extra="forbid")

    journal_id: str
    used_ns: dict[int, Annotated[int, Field(ge=0, lt=2**63)]]
    """By key_id, by the wall clock."""


class KeyUses:
    """The file, which this process alone writes. `clock` is the venue's wall clock, in nanoseconds."""

    def __init__(self, path: Path, journal_id: bytes, limits: RateLimits, clock: Callable[[], int]) -> None:
        self._path, self._journal_id, self._limits, self._clock = path, journal_id.hex(), limits, clock
        self._written_ns = 0
        """The newest use that is in the file, by the clock of the limits."""
        self._lock = Lock()
        """A writing that was begun before the end may still be under way in its thread."""

    def read(self) -> None:
        """Tells the limits what is in the file. A file that cannot be read, or is of another journal, is passed over."""
        try:
            found = _Uses.model_validate_json(self._path.read_bytes())
        except FileNotFoundError:
            return
        except (OSError, ValidationError):
            log.warning("the uses of keys cannot be read", path=str(self._path))
            return
        if found.journal_id == self._journal_id:
            self._limits.used_before_ns = found.used_ns

    async def run(self) -> None:
        """Writes once a minute until it is canceled, and then once more."""
        try:
            while True:
                await asyncio.sleep(WRITE_EVERY_S)
                await self.write()
        finally:
            # Where the device has failed, the end says so once.
            with suppress(OSError):
                await asyncio.to_thread(self._replace, self._changed())

    async def write(self) -> None:
        """Writes the file, if a key was used since it was written. The venue goes on without it."""
        try:
            await asyncio.to_thread(self._replace, self._changed())
        except OSError as error:
            log.warning("the uses of keys cannot be written", path=str(self._path), reason=str(error))

    def _changed(self) -> tuple[int, bytes] | None:
        """The newest use, and what the file has to hold; None where no key was used since it was written."""
        newest_ns = self._limits.newest_use_ns
        if newest_ns == self._written_ns:
            return None
        uses = _Uses(journal_id=self._journal_id, used_ns=self._limits.uses_ns(self._clock()))
        return newest_ns, uses.model_dump_json().encode()

    def _replace(self, changed: tuple[int, bytes] | None) -> None:
        """Replaces the file atomically; only its owner can read it."""
        if changed is None:
            return
        newest_ns, text = changed
        draft = self._path.with_suffix(".new")
        with self._lock, open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, FILE_MODE), "wb") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
            draft.replace(self._path)
            self._written_ns = newest_ns
