"""`rex report`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from services.cli.options import AsJson, DataDir, settings_of
from services.cli.terminal import out, run


def report(
    year: Annotated[
        int, typer.Argument(help="Calendar year of the trading days, e.g. 2026.", min=2000, max=2099, metavar="YEAR")
    ],
    data_dir: DataDir = Path("rex-data"),
    prove: Annotated[
        bool,
        typer.Option("--prove", help="Also re-execute the journal and compare, to the fen.", metavar=""),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """What a year traded against its target, from a data folder; a running venue need not stop.

    Net single-sided turnover, share of the target, ahead or behind in yuan and trading days, what is required per
    remaining day, the split by category and product, and the counting rule. The last lines say the sequence number and the
    row hash the figure stands at, and what was checked: without `--prove` the figure is read from the read database, and
    of the journal only its last row is looked at. With `--prove` every command is re-executed; the sum over the trades, the
    re-execution and the report must be equal, and the read database true. Exit status 1 where they are not.
    """
    from services.reporting.report_database import report_from_folder
    from services.reporting.terminal import render

    calendar_file = settings_of(data_dir=data_dir).calendar_file
    found = run(report_from_folder(data_dir, year, prove, calendar_file), is_check=True)
    if as_json:
        print(json.dumps(found.to_json(), ensure_ascii=False))
    else:
        out.print(render(found))
    raise typer.Exit(0 if found.agree else 1)
