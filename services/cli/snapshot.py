"""`rex snapshot` and `rex snapshot verify`."""

from __future__ import annotations

import json
from pathlib import Path

import typer

from services.cli.options import AsJson, DatabaseUrl, DataDir, chosen_of
from services.cli.terminal import err, out, run, say
from services.processes.exit_codes import ExitCode


def take(
    context: typer.Context,
    database_url: DatabaseUrl = "",
    data_dir: DataDir = Path("rex-data"),
    as_json: AsJson = False,
) -> None:
    """Takes a snapshot of the engine's state, so that the next start executes only what came after it.

    A running venue takes snapshots by itself, by REX_SNAPSHOT_EVERY_COMMANDS and REX_SNAPSHOT_EVERY_S; in the scaled mode a
    standby does. With one sequencer only, run this from time to time. The venue may be running or stopped.

    It loads the last good snapshot, executes the journal from there and compares every event, and writes the next one. The
    newest two are kept; older ones are removed after the new one was written and read back. The first one executes the whole
    journal. Snapshots are files in the folder `snapshots` of the data folder, or rows of a PostgreSQL table.

    Examples: `rex snapshot --data-dir venue`, `rex snapshot` with REX_DATABASE_URL set, `rex snapshot verify`.

    Exit status:

    - 0 there is a snapshot at the end that the journal had, or the journal is empty
    - 1 the environment refused: no journal there
    - 2 an option or a setting is invalid
    - 4 the device or the server failed, or is full: the snapshots are as they were
    - 5 the journal is damaged, has lost commands, or is of another version
    """
    if context.invoked_subcommand is not None:
        _refuse_options(context)
        return
    place = chosen_of(context, database_url, data_dir)
    assert place is not None
    from services.cli.snapshots import lines_of_taken, take_snapshot  # here and not above: see there

    taken = run(take_snapshot(place, show=not as_json and err.is_terminal))
    if as_json:
        print(json.dumps(taken.to_json()))
    else:
        for line in lines_of_taken(taken):
            out.print(line, highlight=False, soft_wrap=True)


def _refuse_options(context: typer.Context) -> None:
    """Options before the name of a further command would be those of another place than the one that it works on."""
    sources = map(context.get_parameter_source, ("database_url", "data_dir", "as_json"))
    if any(source is not None and source.name == "COMMANDLINE" for source in sources):
        say(f"write the options after `{context.invoked_subcommand}`")
        raise typer.Exit(ExitCode.USAGE)


def verify(
    context: typer.Context,
    database_url: DatabaseUrl = "",
    data_dir: DataDir = Path("rex-data"),
    as_json: AsJson = False,
) -> None:
    """Checks every kept snapshot. The venue may be running.

    Each one is loaded, compared with the journal's row where it stands, and followed to the next one: the state that is
    reached must have the hash of the state that is kept there. The newest is followed to the journal's end. Every event is
    compared. It reads the journal from the oldest snapshot on; `rex journal verify --prove` reads all of it and prints the same
    state hash for the same last sequence number.

    Exit status:

    - 0 every kept snapshot is good, or there is none
    - 1 a snapshot is not good (the output says why; a start passes it over), or the environment refused: no journal there, the
      journal is damaged or has lost commands
    - 2 an option or a setting is invalid
    """
    place = chosen_of(context, database_url, data_dir)
    assert place is not None
    from services.cli.snapshots import lines_of_verified, verify_snapshots  # here and not above: see there

    found = run(verify_snapshots(place, show=not as_json and err.is_terminal), is_check=True)
    if as_json:
        print(json.dumps(found.to_json()))
    else:
        for line in lines_of_verified(found):
            out.print(line, highlight=False, soft_wrap=True)
    raise typer.Exit(0 if found.good else 1)
