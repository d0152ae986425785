"""`rex`: one command per process and task. Each file holds the commands that its name says.

`options.py` and `terminal.py` are shared; `main` is the console script. `services/trouble.py` decides what ends a process.
A command imports what it runs inside its function: `rex --help` and `rex --version` import neither the venue nor numpy.
"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from matching_engine import build_notice
from services.cli.certificate import certificate
from services.cli.export import export as export_year
from services.cli.help import Command, Group
from services.cli.journal import copy, export, verify
from services.cli.migrate import migrate
from services.cli.report import report
from services.cli.scaled import gateway, init, projector, reporting, sequencer
from services.cli.simulate import simulate_year
from services.cli.upgrade import upgrade
from services.cli.venue import demo, serve

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
for later in (simulate_year, upgrade, migrate):
    app.command(cls=Command)(later)
for process in (init, sequencer, gateway, projector, reporting):
    app.command(cls=Command, rich_help_panel="Scaled mode: PostgreSQL, several processes")(process)
journal = typer.Typer(
    help="Checks, prints and copies the journal, which records every command and event: one row per batch, in a hash chain.",
    no_args_is_help=True,
    cls=Group,
)
for journal_command in (verify, export, copy):
    journal.command(cls=Command)(journal_command)
app.add_typer(journal, name="journal")


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
    """The console script."""
    app()
