"""`rex report`."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from services.cli.options import AsJson, DatabaseUrl, DataDir, chosen_of, settings_of
from services.cli.terminal import err, out, progress, run, say

if TYPE_CHECKING:
    from services.reporting.checked_report import CheckedReport


def year_of(text: str) -> int:
    """YEAR as a number. Raises typer.BadParameter, which ends the command with exit status 2, if it is no year."""
    if re.fullmatch(r"20\d\d", text, re.ASCII):
        return int(text)
    raise typer.BadParameter(
        f"'{text}' is not a year: YEAR must be a whole number from 2000 to 2099, for example 2026."
    )


def report(
    context: typer.Context,
    year: Annotated[
        int,
        typer.Argument(help="The calendar year of the trading days, 2000 to 2099.", parser=year_of, metavar="YEAR"),
    ],
    data_dir: DataDir = Path("rex-data"),
    database_url: DatabaseUrl = "",
    prove: Annotated[
        bool,
        typer.Option("--prove", help="Also re-execute the journal and compare the figures to the fen.", metavar=""),
    ] = False,
    seq: Annotated[
        int | None,
        typer.Option(
            "--seq", help="The report as it was after this sequence number.", metavar="N", min=1, max=2**63 - 1
        ),
    ] = None,
    breakdown: Annotated[
        bool,
        typer.Option("--breakdown", help="Also report what the turnover is made of.", metavar=""),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Reports the turnover of a year against its target. The venue may be running.

    The report shows the net single-sided turnover, its share of the target, the distance to the target pace in yuan and in
    trading days, the turnover required per remaining day, the split by category and product, and the counting rule. Its last
    lines name the sequence number and the row hash at which the figure is exact. Standard error names what was checked.

    Every report compares the sums of days, of which it is made, with the sums over the single trades.

    Without `--prove` the figure comes from the read database, and of the journal only the row at which that database stands is
    checked (more rows if it is behind or cannot be used). With `--prove` every command is re-executed, and an independent
    decoder computes the amounts anew from the rows of the journal: the sum over the trades, the re-execution, the decoder and
    the report must be equal to the fen, and the read database must match the journal. In PostgreSQL, a copy of the read
    database at one position is compared; it is made in the folder for temporary files (TMPDIR).

    With `--breakdown` it also shows the main lines of what the turnover is made of, from gross down to the goods taken out;
    `--json` holds all of it.

    With `--seq` the report is that of a past moment, with the bytes that were printed then: later trades, busts, decisions,
    targets and instruments are not in it. It names the row hash of the journal row that holds that sequence number. For
    `--breakdown` the journal up to that number is projected into a temporary read database (TMPDIR), which takes as long as
    rebuilding one.

    Examples: `rex report 2026 --data-dir venue --prove`, `rex report 2026 --seq 5280113 --breakdown`,
    `REX_DATABASE_URL=postgresql://rex:…@db/rex rex report 2026`.

    Exit status:

    - 0 the report was printed, and no check failed
    - 1 the sums of days are not those of the single trades (`discrepancies` says so), the figures differ, the read database
      does not match the journal, the journal ends before the sequence number of `--seq`, or the environment refused: file,
      folder, server, no journal in it
    - 2 an option or a setting is invalid
    """
    from services.reporting.as_of import NotReached
    from services.reporting.re_execution import FigureUnavailable
    from services.reporting.terminal import render

    place = chosen_of(context, database_url, data_dir)
    assert place is not None
    calendar_file = settings_of(data_dir=data_dir).calendar_file
    try:
        show = err.is_terminal and not as_json
        found = run(_report(place, year, prove, calendar_file, seq, breakdown, show=show), is_check=True)
    except (FigureUnavailable, NotReached) as error:
        say(str(error))
        raise typer.Exit(1) from None
    if as_json:
        print(json.dumps(found.to_json()))
    else:
        out.print(render(found))
    if found.figure is None:
        err.print(escape(found.checked), style="dim", highlight=False, soft_wrap=True)
    raise typer.Exit(0 if found.agree else 1)


async def _report(
    place: str | Path,
    year: int,
    prove: bool,
    calendar_file: Path | None,
    seq: int | None,
    breakdown: bool,
    *,
    show: bool,
) -> CheckedReport:
    from services.reporting.checked_report import report_at_rest

    projects = breakdown and seq is not None
    with progress(show and (prove or projects)) as bar:
        task = bar.add_task("projecting the journal" if projects else "proving", total=None)

        def on_progress(reached_seq: int, last_seq: int) -> None:
            bar.update(task, completed=reached_seq, total=last_seq)

        return await report_at_rest(
            place, year, prove, calendar_file, seq, breakdown=breakdown, on_progress=on_progress
        )
