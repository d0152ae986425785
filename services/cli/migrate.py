"""`rex migrate`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.options import AsJson, DatabaseUrl, MaybeDataDir, chosen_of
from services.cli.terminal import err, out, progress, run, say
from services.processes.exit_codes import ExitCode

if TYPE_CHECKING:
    from services.migrations.outcome import Migrated


def migrate(
    context: typer.Context,
    database_url: DatabaseUrl = "",
    data_dir: MaybeDataDir = None,
    empty_read_database: Annotated[
        bool,
        typer.Option(
            "--empty-read-database",
            help="In PostgreSQL: drop the tables of the read database, of whatever REX they are, and make them anew, empty.",
            metavar="",
        ),
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Only show what would be done and write nothing.", metavar="")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Brings the tables of journal and read database to those that this REX uses. Stop the venue first.

    In PostgreSQL it makes the tables in an empty database. It changes the journal's tables of an older REX; their data stay. It
    drops the read database's tables of an older format and makes those of this REX; the projector fills them from the journal.
    It is one transaction: everything is done, or nothing. A second `rex migrate` waits for the first and finds nothing to do.
    Nothing is changed while a sequencer leads, or if tables are of a newer REX.

    In a data folder `rex serve` makes its files itself. There it shows their formats, and rebuilds a read database of an older
    format from the journal; the old file stays beside it as `read.sqlite.set-aside`.

    A read database that is ahead of the journal, or of another journal, may be the only evidence of a loss: it stays, and
    nothing is changed. `--empty-read-database` drops its tables whatever they are; the answer says where it stood, as SEQ:HASH.

    Examples: `REX_DATABASE_URL=postgresql://rex:…@db/rex rex migrate`, `rex migrate --data-dir venue --check`.

    Exit status:

    - 0 the tables are those of this REX, or with `--check`: the answer was printed
    - 1 the environment refused: server, password, database or its settings, tables of a newer REX, a read database of another
      journal, no journal in the folder
    - 2 an option or a setting is invalid
    - 3 a sequencer leads, or another process has the data folder
    - 4 the device of the data folder failed
    - 5 the journal is damaged, has lost commands, or in the folder is of a newer REX
    """
    place = chosen_of(context, database_url, data_dir)
    if place is None:
        say("name a database: --database-url (REX_DATABASE_URL) or --data-dir (REX_DATA_DIR)")
        raise typer.Exit(ExitCode.USAGE)
    if isinstance(place, Path) and empty_read_database:
        say(
            "--empty-read-database is for PostgreSQL: in a data folder a start rebuilds a read database that was moved away"
        )
        raise typer.Exit(ExitCode.USAGE)
    if isinstance(place, Path):
        done = run(_migrate_folder(place, check, show=not as_json and err.is_terminal))
    else:
        done = run(_migrate_postgres(place, empty_read_database, check))
    if as_json:
        print(json.dumps({"changed": not check and any(one.changed for one in done), "databases": [*map(_json, done)]}))
    else:
        for one in done:
            out.print(_sentence(one, check), highlight=False, soft_wrap=True)


async def _migrate_postgres(url: str, empty_read_database: bool, check: bool) -> list[Migrated]:
    from services.migrations.postgres import migrate_database

    return await migrate_database(url, empty_read_database=empty_read_database, check=check)


async def _migrate_folder(data_dir: Path, check: bool, show: bool) -> list[Migrated]:
    from services.files.data_folder import JOURNAL_FILE, READ_DATABASE_FILE
    from services.migrations.folder import migrate_folder

    journal, read_database = data_dir / JOURNAL_FILE, data_dir / READ_DATABASE_FILE
    with progress(show) as bar:
        task = bar.add_task("rebuilding", total=None)
        return await migrate_folder(
            journal, read_database, check=check, on_progress=lambda seq: bar.update(task, completed=seq)
        )


def _json(one: Migrated) -> dict[str, str]:
    stood_at = {} if one.stood_at is None else {"stood_at": one.stood_at}
    return {"database": one.database, "from": one.before, "to": one.after, **stood_at}


def _sentence(one: Migrated, check: bool) -> str:
    if not one.changed:
        return f"{one.database}: {one.after}, nothing to do"
    stood_at = "" if one.stood_at is None else f", dropped at {one.stood_at}"
    return f"{one.database}: {one.before} → {one.after}{stood_at}{' (not done: --check)' if check else ''}"
