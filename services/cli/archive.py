"""`rex archive`."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from services.cli.options import AsJson, DataDir, settings_of
from services.cli.terminal import err, out, progress, run
from services.values.decimals import counted

if TYPE_CHECKING:
    from services.backups.archive import Archived, Stays

_REASONS: dict[Stays, str] = {
    "rows_kept": "--keep-rows lets none leave",
    "last_commands": "its last 100,000 commands stay, and whole days with them",
    "no_snapshot": "no good snapshot comes after them (`rex snapshot` takes one)",
}
"""Why rows stay."""


def archive(
    data_dir: DataDir = Path("rex-data"),
    keep_rows: Annotated[
        bool,
        typer.Option(
            "--keep-rows",
            help="Write the archives only: no row leaves the journal. The venue may be running.",
            metavar="",
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Moves closed trading days from the journal's file into sealed archives. Stop the venue first, unless no row is to leave.

    For each day that has ended it writes a folder `archives/DATE` in the data folder: the day's rows, byte for byte, compressed
    with zstd; the day's trades as Parquet; a manifest with the first and the last sequence number, the hashes at both ends, and
    the SHA-256 of each file. When the folder is on the device and was read back, the rows leave the journal's file, which gets
    smaller. The open day stays, and so do the days with the last 100,000 commands. The rows that leave come before a good
    snapshot, which is taken if there is none: so a start needs no archive, unless it rebuilds the read database.

    Nothing else changes: the rows in the archives and those in the file are one hash chain for the venue, `rex journal verify`,
    reports and exports. A day that is missing or damaged is named, with its sequence numbers. `archives` may be a link to a
    folder on another device. Copy it elsewhere: `rex backup` does not contain it.

    To keep the stop short, archive with `--keep-rows` while the venue runs, then stop it and run `rex archive`: it writes only
    what is missing, reads the archives that are there, and the rows leave.

    Example: `rex archive --data-dir venue`.

    Exit status:

    - 0 every closed day is archived
    - 1 the environment refused: folder, read database, no journal in the data folder
    - 2 an option or a setting is invalid
    - 3 another process has the journal: a venue runs
    - 4 the device failed, or is full
    - 5 the journal is damaged, has lost commands, or is of another version; or an archive is damaged, missing or of other
      rows
    """
    settings_of(embedded=True, data_dir=data_dir)
    from services.backups.archive import archive as archive_days
    from services.processes.own_process import stand_back

    if keep_rows:
        stand_back()  # A venue may run beside it.
    with progress(not as_json and err.is_terminal) as bar:
        task = bar.add_task("reading", total=None)
        done = run(
            archive_days(
                data_dir,
                lambda what, seq, last: bar.update(task, description=what, completed=seq, total=last),
                keep_rows=keep_rows,
            )
        )
    if as_json:
        print(json.dumps(_document(done)))
        return
    for line in _lines(done):
        out.print(escape(line), highlight=False, soft_wrap=True)


def _document(done: Archived) -> dict[str, Any]:
    left = {day.day for day in done.left}
    return {
        "days": [
            {
                "day": day.day,
                "first_seq": day.first_seq,
                "last_seq": day.last_seq,
                "last_hash": day.last_hash,
                "rows": day.rows,
                "plain_bytes": day.plain_bytes,
                "files": {file.path: file.bytes for file in day.files},
                "new": day.day in done.new,
                "left": day.day in left,
                "stays_because": done.stays_because(day),
            }
            for day in done.days
        ],
        "snapshot_seq": done.snapshot_seq,
        "journal_bytes_before": done.bytes_before,
        "journal_bytes_after": done.bytes_after,
    }


def _lines(done: Archived) -> Iterator[str]:
    if not done.days:
        yield "No day has ended since the last archive: nothing to do."
        return
    rows = sum(day.rows for day in done.left)
    yield (
        f"{counted(len(done.new), 'day')} sealed now, {len(done.days) - len(done.new):,} sealed before;"
        f" {counted(rows, 'row')} of {counted(len(done.left), 'day')} left the journal."
    )
    for why, count in Counter(map(done.stays_because, done.days)).items():
        if why is not None:
            yield f"The rows of {counted(count, 'day')} stay in the journal, too: {_REASONS[why]}."
    for day in done.days:
        if day.day in done.new:
            size = sum(file.bytes for file in day.files)
            yield f"{day.day}  seq {day.first_seq:,} to {day.last_seq:,}  {day.rows:,} rows  {size:,} bytes"
    if done.left:
        yield (
            f"The journal begins after seq {done.left[-1].last_seq:,} now: {done.bytes_before:,} bytes before,"
            f" {done.bytes_after:,} after. A snapshot stands at seq {done.snapshot_seq:,}."
        )
