"""`rex export`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.options import AsJson, DatabaseUrl, DataDir, chosen_of, settings_of
from services.cli.report import year_of
from services.cli.terminal import err, out, progress, run, say

if TYPE_CHECKING:
    from services.reporting.exports.folder import Export, Format

_FORMATS = ("csv", "json", "parquet", "pdf", "xlsx")


def formats_of(text: str) -> frozenset[Format]:
    """The formats of a list with commas. Raises typer.BadParameter, which ends the command with exit status 2."""
    names = [name.strip() for name in text.split(",")]
    for name in names:
        if name not in _FORMATS:
            raise typer.BadParameter(f"'{name}' is no format: choose among {', '.join(_FORMATS)}, with commas between.")
    return frozenset(names)  # type: ignore[arg-type]


def export(
    context: typer.Context,
    year: Annotated[
        int,
        typer.Argument(help="The calendar year of the trading days, 2000 to 2099.", parser=year_of, metavar="YEAR"),
    ],
    to: Annotated[
        Path, typer.Option("--to", help="The folder to make. It must not exist yet, or be empty.", metavar="FOLDER")
    ],
    data_dir: DataDir = Path("rex-data"),
    database_url: DatabaseUrl = "",
    formats: Annotated[str, typer.Option(help="Which formats, with commas between.", metavar="FORMATS")] = ",".join(
        _FORMATS
    ),
    as_json: AsJson = False,
) -> None:
    """Writes the reports of a year as files, for spreadsheets, print, programs and auditors. The venue may be running.

    - `csv`: turnover by day and product, daily bulletins, monthly bulletins, the members' rankings of each day, and what the
      turnover is made of: changed hands, taken out, months, members, price and tonnage effect, fees, flagged by the wash screen
    - `xlsx`: the year's report, the bulletins and the breakdown as workbooks; numbers are numbers, exact to the fen
    - `pdf`: the year's report and a bulletin for each month, in English and Chinese
    - `json`: the year's report, as `GET /v1/reports/turnover/YEAR` returns it, and its breakdown
    - `parquet`: the tables of the CSV files, every trade, and the audit trail: a line for each order event, named as FIX
      execution reports are

    `datapackage.json` lists the files with columns, sizes and SHA-256. All files are exact at one position of the journal: each
    names its sequence number, the hash of its row, and the counting rule. The same position makes the same bytes.

    The folder appears when all files are complete; until then it is FOLDER.unfinished. After an error, a full disk or Ctrl-C
    nothing of it is there. Only its owner may read the files: trades and audit trail name members. The audit trail reads the
    whole journal.

    Examples: `rex export 2026 --to report-2026 --data-dir venue`, `rex export 2026 --to tables --formats csv,xlsx`.

    Exit status:

    - 0 all files were written
    - 1 the environment refused: folder, device, server, no journal there; the sentence names it. Or all files were written, and
      the sums of days in the read database are not those of the single trades: the report says so, the figure may be false
    - 2 an option or a setting is invalid
    - 5 the journal is damaged, has lost commands, or is of another version
    """
    place = chosen_of(context, database_url, data_dir)
    assert place is not None
    chosen = formats_of(formats)
    calendar_file = settings_of(data_dir=data_dir).calendar_file
    done = run(_export(place, year, to, chosen, calendar_file, show=not as_json and err.is_terminal))
    if as_json:
        print(json.dumps(_document(done)))
        raise typer.Exit(1 if done.discrepancies else 0)
    for resource in done.resources:
        out.print(f"{resource.bytes:>13,}  {resource.path}", highlight=False, soft_wrap=True)
    out.print(f"{len(done.resources) + 1} files in {done.folder}, exact at seq {done.seal.seq}", soft_wrap=True)
    out.print(done.checked, soft_wrap=True)
    for found in done.discrepancies:
        say(found.sentence)
    raise typer.Exit(1 if done.discrepancies else 0)


async def _export(
    place: str | Path, year: int, to: Path, formats: frozenset[Format], calendar_file: Path | None, *, show: bool
) -> Export:
    from services.reporting.exports.folder import export_year

    with progress(show) as bar:
        task = bar.add_task("reading")

        def on_progress(name: str, done: int, total: int) -> None:
            bar.update(task, description=name, completed=done, total=total)

        return await export_year(place, year, to, formats, on_progress, calendar_file)


def _document(done: Export) -> dict[str, object]:
    return {
        "folder": str(done.folder),
        **done.seal.facts(),
        "checked": done.checked,
        "discrepancies": [found.model_dump(mode="json") for found in done.discrepancies],
        "files": [
            {"path": one.path, "bytes": one.bytes, "sha256": one.sha256, "rows": one.rows} for one in done.resources
        ],
    }
