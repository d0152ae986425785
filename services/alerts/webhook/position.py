"""The last message that the receiver has taken, in a file of the data folder: a restart sends what came after it."""

from __future__ import annotations

import os
from pathlib import Path

import structlog
from pydantic import BaseModel, ConfigDict, ValidationError

POSITION_FILE = "webhook.json"

log = structlog.get_logger("rex.alerts")


class _Position(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    journal_id: str
    seq: int


class PositionFile:
    """The file. One process writes it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self, journal_id: bytes, last_seq: int) -> int | None:
        """The seq in the file. None without a file, and for one that cannot be read, is of another journal, or is ahead of this
        one: then a receiver begins anew, and may get a message twice."""
        try:
            found = _Position.model_validate_json(self._path.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValidationError):
            log.warning("the position of the webhook cannot be read", path=str(self._path))
            return None
        if found.journal_id != journal_id.hex() or not 0 <= found.seq <= last_seq:
            log.warning("the position of the webhook is of another journal", path=str(self._path))
            return None
        return found.seq

    def write(self, journal_id: bytes, seq: int) -> None:
        """Replaces the file atomically; only its owner can read it. Waits for the device: for a thread. Raises OSError."""
        draft = self._path.with_suffix(".new")
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(_Position(journal_id=journal_id.hex(), seq=seq).model_dump_json().encode())
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._path)
