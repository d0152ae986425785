"""Finds and reads archived rows by sequence number. One thread at a time may use an `Archives`."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from pathlib import Path

from services.journal.archives.blocks import records, unpack
from services.journal.archives.day import (
    NOTHING_ARCHIVED,
    ROWS,
    ArchivedDay,
    ArchivedEnd,
    ArchiveUnusable,
    Block,
    copy_advice,
    hashed_file,
    read_day,
)
from services.journal.chain import Record
from services.journal.errors import JournalError

_NAME = re.compile(r"\d{4}-\d\d-\d\d")


class Archives:
    """The archived days in a folder, up to the end that the journal's file continues."""

    def __init__(self, folder: Path, end: ArchivedEnd = NOTHING_ARCHIVED) -> None:
        self.folder = folder
        self.end = end
        self._names: list[str] | None = None
        self._days: dict[str, ArchivedDay] = {}
        self._read: tuple[Block, list[Record]] | None = None
        """The block that was read last."""

    def names(self) -> list[str]:
        """The days in the folder, oldest first."""
        if self._names is None:
            found = self.folder.iterdir() if self.folder.is_dir() else iter(())
            self._names = sorted(path.name for path in found if _NAME.fullmatch(path.name))
        return self._names

    def day(self, name: str) -> ArchivedDay:
        """Its manifest. Raises ArchiveUnusable."""
        if name not in self._days:
            self._days[name] = read_day(self.folder / name)
        return self._days[name]

    def days(self) -> Iterator[ArchivedDay]:
        """Every day up to the end, oldest first; each continues the one before. Raises ArchiveUnusable."""
        seq = 0
        while seq < self.end.end.last_seq:
            day = self.holding(seq + 1)
            yield day
            seq = day.last_seq

    def holding(self, seq: int) -> ArchivedDay:
        """The day that holds this command. Raises ArchiveUnusable, which names the missing days and commands, if there is
        none."""
        names = self.names()
        at = bisect_right(names, seq, key=lambda name: self.day(name).first_seq)
        if at and self.day(names[at - 1]).last_seq >= seq:
            return self.day(names[at - 1])
        raise self._missing(names, at)

    def _missing(self, names: list[str], at: int) -> ArchiveUnusable:
        """The error of the days that are missing before the one at `at`."""
        before = self.day(names[at - 1]) if at else None
        after = self.day(names[at]) if at < len(names) else None
        first = before.last_seq + 1 if before is not None else 1
        last = after.first_seq - 1 if after is not None else self.end.end.last_seq
        since = f"after {before.day} " if before is not None else ""
        last_day = after.previous_day if after is not None else self.end.day
        return ArchiveUnusable(
            f"no archive in {self.folder} holds seq {first} to {last}: the days {since}up to {last_day} are missing."
            f" {copy_advice(self.folder)}",
            first,
        )

    def check_files(self, day: ArchivedDay) -> None:
        """Compares each file of the day with its manifest. Raises ArchiveUnusable."""
        for file in day.files:
            path = self.folder / day.day / file.path
            try:
                found = hashed_file(path, file.path)
            except OSError as error:
                raise self.damaged(day, error.strerror or str(error), name=file.path) from error
            if found != file:
                raise self.damaged(day, "its bytes are not those of the manifest", name=file.path)

    def after(self, after_seq: int) -> list[Record]:
        """The rows of one block, from the row that holds after_seq + 1 on. Raises ArchiveUnusable."""
        day = self.holding(after_seq + 1)
        at = bisect_right(day.blocks, after_seq + 1, key=lambda block: block.first_seq) - 1
        rows = self._rows(day, max(at, 0))
        found = [record for record in rows if record[1] > after_seq]
        if not found:
            raise self.damaged(day, f"it holds no row with seq {after_seq + 1}", after_seq + 1)
        return found

    def holding_row(self, seq: int) -> Record:
        """The row that holds this command. Raises ArchiveUnusable."""
        return self.after(seq - 1)[0]

    def damaged(self, day: ArchivedDay, reason: str, seq: int | None = None, name: str = ROWS) -> ArchiveUnusable:
        """The error of a day whose file `name` cannot be used."""
        sentence = f"{day.name} is damaged: {self.folder / day.day / name}: {reason}. {copy_advice(self.folder)}"
        return ArchiveUnusable(sentence, day.first_seq if seq is None else seq)

    def naming_day(self, error: JournalError) -> JournalError:
        """Damage that was found in an archived row, as damage of its day. Any other error stays as it is."""
        seq = error.seq or 0
        if isinstance(error, ArchiveUnusable) or not 0 < seq <= self.end.end.last_seq:
            return error
        return self.damaged(self.holding(seq), str(error), seq)

    def _rows(self, day: ArchivedDay, at: int) -> list[Record]:
        block = day.blocks[at]
        if self._read is None or self._read[0] is not block:
            try:
                self._read = block, read_block(self.folder / day.day / ROWS, day, at)
            except OSError as error:
                raise self.damaged(day, error.strerror or str(error), block.first_seq) from error
            except ValueError as error:
                raise self.damaged(day, str(error), block.first_seq) from error
        return self._read[1]


def read_block(file: Path, day: ArchivedDay, at: int) -> list[Record]:
    """The rows of a block of the day in this file. Raises OSError, and ValueError if they are not those of the manifest."""
    block = day.blocks[at]
    with file.open("rb") as opened:
        opened.seek(sum(one.bytes for one in day.blocks[:at]))
        rows = list(records(unpack(opened.read(block.bytes), block.plain_bytes)))
    if (rows[0][0], rows[-1][1]) != (block.first_seq, block.last_seq):
        raise ValueError("it holds other rows than its manifest says")
    return rows
