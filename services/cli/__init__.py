"""`rex`: one command per process and task. Each file holds the commands that its name says.

`options.py` and `terminal.py` are shared; `main` is the console script. What ends a process: `services/venue/fatal_errors.py`.
A command imports what it runs inside its function: `rex --help` and `rex --version` import neither the venue nor numpy.
"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from matching_engine import build_notice
from services.cli import snapshot as snapshot_commands
from services.cli.archive import archive
from services.cli.backup import backup, restore
from services.cli.certificate import certificate
from services.cli.export import export as export_year
from services.cli.help import Command, Group
from services.cli.instrument import add_instrument, change_instrument, delist_instrument, list_instruments
from services.cli.journal import copy, export, skip, verify
from services.cli.migrate import migrate
from services.cli.report import report
from services.cli.scaled import gateway, init, projector, reporting, sequencer
from services.cli.simulate import simulate_year
from services.cli.target import list_targets, set_target
from services.cli.terminal import drop_output, output_refused, say
from services.cli.user import add, link, list_users, passwd, remove, role
from services.cli.venue import demo, serve
from services.processes.exit_codes import ExitCode
from services.processes.own_process import import_without_collection, know_children

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    cls=Group,
)
for command in (demo, serve, report):
    app.command(cls=Command)(command)
app.command(cls=Command)(certificate)
app.command("export", cls=Command)(export_year)
for later in (simulate_year, backup, restore, archive, migrate):
    app.command(cls=Command)(later)
for process in (init, sequencer, gateway, projector, reporting):
    app.command(cls=Command, rich_help_panel="Scaled mode: PostgreSQL, several processes")(process)
journal = typer.Typer(
    help="Checks, prints and copies the journal, which records every command and event: one row per batch, in a hash chain.",
    no_args_is_help=True,
    cls=Group,
)
for journal_command in (verify, export, copy, skip):
    journal.command(cls=Command)(journal_command)
app.add_typer(journal, name="journal")
snapshot = typer.Typer(cls=Group)
snapshot.callback(invoke_without_command=True, cls=Group)(snapshot_commands.take)
snapshot.command(cls=Command)(snapshot_commands.verify)
app.add_typer(snapshot, name="snapshot")
target = typer.Typer(
    help="Sets and lists the targets of a running venue: what a year or a month is to bring.",
    no_args_is_help=True,
    cls=Group,
)
target.command("set", cls=Command)(set_target)
target.command("list", cls=Command)(list_targets)
app.add_typer(target, name="target")
instrument = typer.Typer(
    help="Lists, adds, changes and delists the instruments of a running venue.",
    no_args_is_help=True,
    cls=Group,
)
instrument.command("list", cls=Command)(list_instruments)
instrument.command("add", cls=Command)(add_instrument)
instrument.command("change", cls=Command)(change_instrument)
instrument.command("delist", cls=Command)(delist_instrument)
app.add_typer(instrument, name="instrument")
user = typer.Typer(
    help="Adds, changes and removes the people who may log in, in a running or a stopped venue.",
    no_args_is_help=True,
    cls=Group,
)
user.command("list", cls=Command)(list_users)
for user_command in (add, passwd, role, link, remove):
    user.command(cls=Command)(user_command)
app.add_typer(user, name="user")


@app.callback(invoke_without_command=True)
def about(
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Show the version and whether the engine is native (compiled), and exit.", metavar=""
        ),
    ] = False,
) -> None:
    """REX, a rare-earth exchange. It matches orders, records every command in a journal and reports the turnover of a year.

    To try it, run `rex demo`: it starts a venue with simulated traders on http://127.0.0.1:8000.

    `rex COMMAND --help` explains a command and its exit statuses.
    """
    if version:
        from importlib.metadata import version as installed_version

        print(f"rex {installed_version('rex-exchange')} on Python {sys.version.split()[0]}; {build_notice()}")
        raise typer.Exit


def main() -> None:
    """The console script. A full device under standard output ends it with a sentence."""
    know_children()
    import_without_collection()  # `services.cli.terminal.run` ends what begins here.
    try:
        try:
            app()
        finally:
            sys.stdout.flush()
    except OSError as error:
        if error.filename is not None:  # no stream: a bug, since `terminal.run` ends what else may go wrong
            raise
        drop_output()
        say(output_refused(error))
        raise SystemExit(ExitCode.TROUBLE) from None
