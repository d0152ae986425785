"""The manifest of a backup: manifest.json, written last. A folder without one is no backup, or one that was not finished."""

from __future__ import annotations

from pathlib import Path

import msgspec

from services.backups.errors import BackupRefused
from services.backups.files import write_file
from services.files.new_folder import UNFINISHED
from services.journal.archives.day import HashedFile

NAME = "manifest.json"

FORMAT = 1
"""Version of the fields below. A backup of another one is refused by name."""


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What the backup holds."""

    format: int = FORMAT
    journal_id: str
    archived_seq: int = 0
    """The rows up to this command are in archives, which the backup does not hold; 0: it holds every row."""
    archived_day: str = ""
    """The last day of those archives, yyyy-mm-dd."""
    last_seq: int
    """The last command that the backup holds."""
    last_hash: str
    """Of the row that ends there."""
    last_time: str
    """The time of that command: RFC 3339, UTC; empty in an empty journal."""
    engine_version: int
    """Of the last row."""
    state_hash: str
    """Of the engine's state after last_seq, re-executed."""
    files: tuple[HashedFile, ...]

    def write(self, folder: Path) -> None:
        """Writes it into the folder, durably."""
        write_file(folder / NAME, msgspec.json.format(msgspec.json.encode(self), indent=1) + b"\n")


class _Format(msgspec.Struct):
    format: int


def read_manifest(folder: Path) -> Manifest:
    """The manifest of the backup in this folder. Raises BackupRefused."""
    path = folder / NAME
    if not folder.is_dir():
        raise BackupRefused(
            f"there is no backup in {folder}: {'that is a file' if folder.exists() else 'there is no such folder'}"
        )
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise BackupRefused(f"{folder} is no backup: {_without(folder)}") from error
    except OSError as error:
        raise BackupRefused(f"{path} cannot be read: {error.strerror}") from error
    try:
        found = msgspec.json.decode(data, type=_Format).format
        if found != FORMAT:
            raise BackupRefused(
                f"{path} has format {found}; this version of REX reads {FORMAT}: use the REX that made it, or a newer one"
            )
        return msgspec.json.decode(data, type=Manifest)
    except msgspec.MsgspecError as error:
        raise BackupRefused(f"{path} is damaged: {error}. Use another backup") from error


def _without(folder: Path) -> str:
    """Why there is no manifest."""
    if folder.absolute().name.endswith(UNFINISHED):
        return "it was not finished. The next `rex backup` to the same place removes it"
    return f"it holds no {NAME}. Name a folder that `rex backup` made"
