"""`rex migrate`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.options import AsJson, DatabaseUrl, MaybeDataDir, chosen_of
from services.cli.terminal import err, out, progress, run, say
from services.exit_codes import ExitCode

if TYPE_CHECKING:
    from services.migrations.outcome import Migrated


def migrate(
    context: typer.Context,
    database_url: DatabaseUrl = "",
    data_dir: MaybeDataDir = None,
    down_to: Annotated[
        str,
        typer.Option(
            metavar="DATABASE:REVISION",
            help="Go back to an older revision of one PostgreSQL database: `journal:0001`, `read:base`. `base` drops "
            "its tables.",
        ),
    ] = "",
    check: Annotated[
        bool, typer.Option("--check", help="Only show what would be done and write nothing.", metavar="")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Brings the tables of journal and read database to the revisions that this REX uses. Stop the venue first.

    In PostgreSQL it makes the tables in an empty database, and changes those of an older REX; data stay. It is one transaction:
    everything is done, or nothing. A second `rex migrate` waits for the first and finds nothing to do. It changes nothing while
    a sequencer leads, or if the tables are of a newer REX.

    In a data folder `rex serve` makes its files itself. There it shows their formats, and rebuilds a read database of an older
    format from the journal; the old file stays beside it as `read.sqlite.set-aside`.

    `--down-to` prepares the database for an older REX. Run it with the newer one. `read:base` drops the read database, which
    the journal can rebuild. A journal that holds commands is never dropped.

    Examples: `REX_DATABASE_URL=postgresql://rex:…@db/rex rex migrate`, `rex migrate --data-dir venue --check`.

    Exit status:

    - 0 the tables have the revisions of this REX, or with `--check`: the answer was printed
    - 1 the environment refused: server, password, database or its settings, tables of a newer REX, no journal in the folder; or
      there is no such way down
    - 2 an option or a setting is invalid
    - 3 a sequencer leads, or another process has the data folder
    - 4 the device of the data folder failed
    - 5 the journal of the folder is damaged, has lost commands, or is of a newer REX
    """
    place = chosen_of(context, database_url, data_dir)
    if place is None:
        say("name a database: --database-url (REX_DATABASE_URL) or --data-dir (REX_DATA_DIR)")
        raise typer.Exit(ExitCode.USAGE)
    if isinstance(place, Path) and down_to:
        say("--down-to is for PostgreSQL: in a data folder an older REX rebuilds the read database itself")
        raise typer.Exit(ExitCode.USAGE)
    if isinstance(place, Path):
        done = run(_migrate_folder(place, check, show=not as_json and err.is_terminal))
    else:
        done = run(_migrate_postgres(place, *_way_down(down_to), check))
    if as_json:
        print(json.dumps({"changed": not check and any(one.changed for one in done), "databases": [*map(_json, done)]}))
    else:
        for one in done:
            out.print(_sentence(one, check), highlight=False, soft_wrap=True)


def _way_down(down_to: str) -> tuple[str, str]:
    """The database and the revision in DATABASE:REVISION; empty where the way is up."""
    database, _, revision = down_to.partition(":")
    if down_to and (database not in ("journal", "read") or not revision):
        raise typer.BadParameter(f"'{down_to}' is neither journal:REVISION nor read:REVISION", param_hint="--down-to")
    return database, revision


async def _migrate_postgres(url: str, database: str, revision: str, check: bool) -> list[Migrated]:
    from services.migrations.histories import JOURNAL, READ_DATABASE
    from services.migrations.postgres import downgrade, upgrade

    if not database:
        return await upgrade(url, check=check)
    return await downgrade(url, JOURNAL if database == "journal" else READ_DATABASE, revision, check=check)


async def _migrate_folder(data_dir: Path, check: bool, show: bool) -> list[Migrated]:
    from services.migrations.folder import migrate_folder
    from services.reporting.report_database import JOURNAL_FILE, READ_DATABASE_FILE

    journal, read_database = data_dir / JOURNAL_FILE, data_dir / READ_DATABASE_FILE
    with progress(show) as bar:
        task = bar.add_task("rebuilding", total=None)
        return await migrate_folder(
            journal, read_database, check=check, on_progress=lambda seq: bar.update(task, completed=seq)
        )


def _json(one: Migrated) -> dict[str, str]:
    return {"database": one.database, "from": one.before, "to": one.after}


def _sentence(one: Migrated, check: bool) -> str:
    if not one.changed:
        return f"{one.database}: {one.after}, nothing to do"
    return f"{one.database}: {one.before} → {one.after}{' (not done: --check)' if check else ''}"
