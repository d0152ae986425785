"""`rex backup` and `rex restore`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from services.cli.options import AsJson, DataDir, settings_of
from services.cli.terminal import err, out, progress, run

if TYPE_CHECKING:
    from rich.progress import Progress

    from services.backups.manifest import Manifest


def backup(
    folder: Annotated[
        Path,
        typer.Argument(
            help="The folder to make. It must not exist, or be empty, and no mount point.",
            metavar="FOLDER",
            show_default=False,
        ),
    ],
    data_dir: DataDir = Path("rex-data"),
    prove: Annotated[
        bool,
        typer.Option("--prove", help="Re-execute every command, not only those after a snapshot.", metavar=""),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Makes a backup of a data folder: its journal, its snapshots and its keys. The venue may be running.

    It copies the journal as of one commit, then reads the copy back: it checks the hash, the CRC and the previous hash of every
    row, re-executes the commands after the newest good snapshot (without one, all) and compares their events. With `--prove` it
    re-executes every command, which takes some seconds for a million. It runs at a lower priority than the venue. It prints the
    last sequence number with its hash as `SEQ:HASH`: keep that line elsewhere, for `rex restore --expect`.

    The backup has a manifest: the journal's end, the hash of the engine's state there, and the SHA-256 of each file. The read
    database is not copied: a start makes it from the journal. Archived days (`rex archive`) are not copied either: keep a copy
    of that folder beside the backups. The backup appears when it is complete; until then it is FOLDER.unfinished, and after an
    error, a full disk or Ctrl-C nothing is left. Only its owner may read it: it holds the keys.

    A journal in PostgreSQL is backed up with the tools of PostgreSQL (docs/scaling.md).

    Example: `rex backup /backups/2026-11-27 --data-dir venue`.

    Exit status:

    - 0 the backup was made, and its copy of the journal is good
    - 1 the environment refused: folder, file, no journal in the data folder
    - 2 an option or a setting is invalid
    - 3 a venue was started on the data folder meanwhile, and the backup gave way to it: make it again
    - 4 the device of the backup failed, or is full
    - 5 the journal is damaged, has lost commands, or is of another version
    """
    settings_of(embedded=True, data_dir=data_dir)
    from services.backups.backup import backup as make_backup
    from services.processes.own_process import stand_back

    stand_back()
    with progress(not as_json and err.is_terminal) as bar:
        made = run(make_backup(data_dir, folder, _shown_by(bar), prove=prove))
    _say(made, as_json, f"backup of {data_dir} in {folder}, read back")


def restore(
    folder: Annotated[Path | None, typer.Argument(help="The backup.", metavar="BACKUP", show_default=False)] = None,
    data_dir: DataDir = Path("rex-data"),
    archives: Annotated[
        Path | None,
        typer.Option(help="The folder of the archived days.", metavar="FOLDER", show_default=False),
    ] = None,
    to: Annotated[
        str | None,
        typer.Option(
            help="Without BACKUP: the last archived day to restore, yyyy-mm-dd; default: the newest.",
            metavar="DAY",
            show_default=False,
        ),
    ] = None,
    expect: Annotated[
        list[str],
        typer.Option(metavar="SEQ:HASH", help="Require a row that ends at SEQ and has this hash. May be repeated."),
    ] = [],  # noqa: B006  (typer copies it)
    as_json: AsJson = False,
) -> None:
    """Restores a backup, or archived days, into a new data folder, and checks all of it first.

    - `rex restore BACKUP` compares each file with the manifest, checks the hash, the CRC and the previous hash of every row,
      re-executes every command, and compares events and state with those of the backup. Start a venue on the folder afterwards.
      If `rex archive` had moved days, `--archives` names the folder that holds them: they are copied and checked, too.
    - `rex restore --archives FOLDER --to DAY` makes a journal of the archived days alone, from the first one to the end of DAY,
      with the same checks: to report and prove a year that is long past. It has no keys.

    With `--expect` the journal must hold your rows, too: a whole backup that is not yours, or an older one, is found only so.

    The data folder must not exist, or be empty, and be no mount point; a folder within one will do (docs/runbook.md: Docker).
    It appears when everything is good; otherwise nothing is left of it. Backup and archives are never changed. The folder holds
    the commands up to the printed sequence number and none after: start only this venue or the old one, never both. The first
    start makes the read database.

    Examples: `rex restore /backups/2026-11-27 --data-dir venue --expect 4711:9f3c…`,
    `rex restore --archives /archives --to 2024-12-31 --data-dir year-2024`.

    Exit status:

    - 0 the data folder was made
    - 1 the environment refused: the data folder is not empty, or cannot be made
    - 2 an option or a setting is invalid
    - 4 the device of the data folder failed, or is full
    - 5 the backup is damaged, not finished or of a newer REX, or an archived day; or an expected row is not there
    """
    settings_of(embedded=True, data_dir=data_dir)
    if folder is None and archives is None:
        raise typer.BadParameter("name a backup, or the archived days with --archives FOLDER", param_hint="BACKUP")
    if folder is not None and to is not None:
        raise typer.BadParameter("a backup is restored up to its end", param_hint="--to")
    from services.backups.days import restore_days
    from services.backups.restore import restore as restore_backup
    from services.cli.verifying import witness_of
    from services.processes.own_process import stand_back

    witnesses = [witness_of(text) for text in expect]
    stand_back()
    with progress(not as_json and err.is_terminal) as bar:
        if folder is not None:
            restored = run(restore_backup(folder, data_dir, archives, witnesses, _shown_by(bar)))
        elif archives is not None:
            restored = run(restore_days(archives, data_dir, to, witnesses, _shown_by(bar)))
    if folder is not None and archives is not None and not restored.archived_seq:
        err.print(f"--archives was not used: {escape(str(folder))} holds every row", highlight=False, soft_wrap=True)
    _say(restored, as_json, f"restored {folder or archives} into {data_dir}, every row read and compared")


def _shown_by(bar: Progress) -> Callable[[str, int, int], None]:
    task = bar.add_task("reading", total=None)
    return lambda what, done, total: bar.update(task, description=what, completed=done, total=total)


def _say(manifest: Manifest, as_json: bool, done: str) -> None:
    if as_json:
        print(json.dumps(_document(manifest)))
        return
    for line in _lines(manifest, done):
        out.print(escape(line), highlight=False, soft_wrap=True)


def _document(manifest: Manifest) -> dict[str, Any]:
    import msgspec

    document: dict[str, Any] = msgspec.to_builtins(manifest)
    return document


def _lines(manifest: Manifest, done: str) -> Iterator[str]:
    yield f"last seq    {manifest.last_seq:,}" + (f" of {manifest.last_time}" if manifest.last_time else "")
    if manifest.last_seq:
        yield f"to keep     {manifest.last_seq}:{manifest.last_hash}"
    yield f"state hash  {manifest.state_hash}"
    if manifest.archived_seq:
        yield f"archived    the days up to {manifest.archived_day}, seq {manifest.archived_seq:,}: not in the backup"
    yield done
