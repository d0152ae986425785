"""The work of `rex journal export`. Apart from the command, since it imports the engine's records and both kinds of journal."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from services.cli.terminal import drop_output, err, output_refused, progress
from services.files.data_folder import FILE_MODE
from services.journal.export import export
from services.values.decimals import counted
from services.venue.at_rest import at_rest

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""What only writing meets."""


async def export_journal(place: str | Path, first_seq: int, last_seq: int | None, output: Path | None) -> str:
    """Writes the lines to `output` or to standard output; returns what was written, as a sentence."""
    async with at_rest(place) as venue:
        journal = venue.journal
        last = await journal.last_batch()
        rows = commands = 0
        with (
            sink(output) as file,
            progress(err.is_terminal and (output is not None or not sys.stdout.isatty())) as bar,
        ):
            end = last.last_seq if last is not None else 0
            task = bar.add_task("exporting", total=min(end, last_seq or end) - first_seq + 1)
            async for lines in export(journal, first_seq, last_seq):
                file.write(lines)
                rows += 1
                commands += lines.count(b"\n") - 1
                bar.update(task, completed=commands)
    return f"exported {counted(commands, 'command')} in {counted(rows, 'row')}"


@contextmanager
def sink(output: Path | None) -> Iterator[BinaryIO]:
    """Where the rows are written: standard output, or a new file, which is removed again after an error."""
    if output is None:
        try:
            yield sys.stdout.buffer
            sys.stdout.buffer.flush()
        except BrokenPipeError:  # the reader has had enough
            drop_output()
        except OSError as error:
            if error.errno not in _FULL:
                raise
            drop_output()
            raise OSError(output_refused(error)) from error
        return
    try:
        descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE_MODE)
    except OSError as error:
        raise OSError(f"--output {output} cannot be made: {error.strerror}") from error
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
    except BaseException as error:
        output.unlink()
        if isinstance(error, OSError) and error.errno in _FULL:
            raise OSError(f"--output {output} cannot be written: {error.strerror}") from error
        raise
