"""An archived day: its manifest."""

from __future__ import annotations

from hashlib import file_digest
from pathlib import Path
from typing import Annotated, NamedTuple

import msgspec

from services.journal.archives.blocks import MOST_BYTES
from services.journal.chain import EMPTY, ChainEnd
from services.journal.errors import JournalCorrupt

ARCHIVES_FOLDER = "archives"
"""The name of the folder within a data folder: a folder, or a link to one."""

MANIFEST, ROWS, TRADES = "manifest.json", "rows.zst", "trades.parquet"

FORMAT = 1
"""Version of the fields below. A day of another one is refused by name."""


class ArchiveUnusable(JournalCorrupt):
    """An archived day is missing, damaged, of another journal or of a newer REX. The sentence names the day."""

    advice = ""


class HashedFile(msgspec.Struct, frozen=True):
    """A file by its path within the folder, its size and its hash."""

    path: str
    bytes: int
    sha256: str


BlockBytes = Annotated[int, msgspec.Meta(ge=1, le=MOST_BYTES)]


class Block(msgspec.Struct, frozen=True, array_like=True):
    """Whole rows, compressed together."""

    first_seq: int
    last_seq: int
    bytes: BlockBytes
    plain_bytes: BlockBytes


class ArchivedEnd(NamedTuple):
    """Where the archived rows end: the first row of the journal's file continues it."""

    end: ChainEnd
    day: str
    """The last archived day."""


def hashed_file(path: Path, name: str) -> HashedFile:
    """What a manifest says of this file, `name` within its folder. Raises OSError."""
    with path.open("rb") as file:
        digest = file_digest(file, "sha256").hexdigest()
        return HashedFile(name, file.tell(), digest)


NOTHING_ARCHIVED = ArchivedEnd(EMPTY, "")


class ArchivedDay(msgspec.Struct, frozen=True, kw_only=True):
    """The manifest of a day."""

    format: int = FORMAT
    journal_id: str
    day: str
    """yyyy-mm-dd"""
    previous_day: str
    """The archived day before it; empty before the first one."""
    first_seq: int
    last_seq: int
    first_previous_hash: str
    last_hash: str
    rows: int
    plain_bytes: int
    blocks: tuple[Block, ...]
    files: tuple[HashedFile, ...]

    @property
    def is_consistent(self) -> bool:
        """Whether its blocks hold the commands from the first one to the last, and are the file of rows. Raises ValueError for
        a hash that is none."""
        if sum(block.bytes for block in self.blocks) != sum(file.bytes for file in self.files if file.path == ROWS):
            return False
        ends = [self.begin.last_seq, *(block.last_seq for block in self.blocks)]
        begins = [*(block.first_seq - 1 for block in self.blocks), self.end.last_seq]
        return ends == begins and len(ends) > 1

    @property
    def begin(self) -> ChainEnd:
        """The end that its first row continues."""
        return ChainEnd(self.first_seq - 1, bytes.fromhex(self.first_previous_hash))

    @property
    def end(self) -> ChainEnd:
        """Its last row."""
        return ChainEnd(self.last_seq, bytes.fromhex(self.last_hash))

    @property
    def name(self) -> str:
        """The day in sentences, with its article."""
        return f"the archive of {self.day} (seq {self.first_seq} to {self.last_seq})"

    def to_bytes(self) -> bytes:
        """The manifest's file: JSON."""
        return msgspec.json.format(msgspec.json.encode(self), indent=1) + b"\n"


class _Format(msgspec.Struct):
    format: int


def read_day(folder: Path) -> ArchivedDay:
    """The manifest of the day in this folder. Raises ArchiveUnusable."""
    path = folder / MANIFEST
    try:
        data = path.read_bytes()
        found = msgspec.json.decode(data, type=_Format).format
        if found == FORMAT:
            day = msgspec.json.decode(data, type=ArchivedDay)
            found_what = _contradiction(day, folder.name)
            if not found_what:
                return day
        else:
            found_what = f"it has format {found}, this version of REX reads {FORMAT}"
    except FileNotFoundError:
        found_what = "it is not there"
    except OSError as error:
        found_what = f"it cannot be read: {error.strerror}"
    except (msgspec.MsgspecError, ValueError) as error:
        found_what = f"it is damaged: {error}"
    raise ArchiveUnusable(
        f"the archive of {folder.name} cannot be used: {path}: {found_what}. {copy_advice(folder.parent)}"
    )


def _contradiction(day: ArchivedDay, name: str) -> str:
    """What a manifest in the folder `name` should not say; empty if there is nothing."""
    if day.day != name:
        return f"it says {day.day}, seq {day.first_seq} to {day.last_seq}"
    if sorted(file.path for file in day.files) != [ROWS, TRADES]:
        return f"it names other files than {ROWS} and {TRADES}"
    return "" if day.is_consistent else "its blocks are not the day's rows"


def copy_advice(archives: Path) -> str:
    """What to do about a missing or damaged day."""
    return f"Put good copies into {archives}; remove nothing"
