"""`rex certificate`."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.options import AsJson, DatabaseUrl, DataDir, chosen_of, settings_of
from services.cli.report import year_of
from services.cli.terminal import err, out, progress, run, say

if TYPE_CHECKING:
    from services.reporting.certificate import Certificate


def certificate(
    context: typer.Context,
    year: Annotated[
        int,
        typer.Argument(help="The calendar year of the trading days, 2000 to 2099.", parser=year_of, metavar="YEAR"),
    ],
    data_dir: DataDir = Path("rex-data"),
    database_url: DatabaseUrl = "",
    pdf: Annotated[
        Path | None,
        typer.Option(help="Write the certificate to this PDF file, which must not exist yet.", metavar="FILE"),
    ] = None,
    seq: Annotated[
        int | None,
        typer.Option("--seq", help="The certificate as of this sequence number.", metavar="N", min=1, max=2**63 - 1),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Proves the turnover of a year and certifies it. The venue may be running.

    The certificate has the figure, the counting rule, the target and the verdict in English and Chinese, the sums of all
    computations, the sequence number and the hash of the journal row at which they are exact, the SHA-256 of the independent
    decoder and the line that redoes the figure with it.

    A second page, and `breakdown` with `--json`, show what the turnover is made of, as `rex report --breakdown` does: changed
    hands, taken out, months, members by rank, price and tonnage effect, fees, flagged by the wash screen.

    It is made of a proof that agrees (`rex report --prove`) and of no other. An engine's counter is a running venue's:
    `GET /v1/reports/turnover/YEAR/certificate` has it, and this command has not.

    With `--seq` it is that of a past moment: of trades, busts, decisions and targets up to that sequence number. For what the
    turnover was made of, the journal up to it is projected into a temporary read database (TMPDIR).

    Examples: `rex certificate 2026 --data-dir venue --pdf turnover-2026.pdf`, `rex certificate 2026 --seq 5280113 --json`.

    Exit status:

    - 0 the certificate was made
    - 1 there is none: something disagrees, is damaged or is missing, the year has no trades, or the journal ends before the
      sequence number of `--seq`; the sentences say what. Or the environment refused: file, folder, server, no journal in it
    - 2 an option or a setting is invalid
    """
    place = chosen_of(context, database_url, data_dir)
    assert place is not None
    if pdf is not None and pdf.exists():
        say(f"--pdf {pdf} exists already: a certificate replaces no file")
        raise typer.Exit(1)
    if pdf is not None and not pdf.parent.is_dir():
        say(f"--pdf {pdf} cannot be made: there is no folder {pdf.parent}")
        raise typer.Exit(1)
    calendar_file = settings_of(data_dir=data_dir).calendar_file
    show = err.is_terminal and not as_json
    found = run(_certificate(place, year, seq, pdf, calendar_file, show=show), is_check=True)
    if found is None:
        raise typer.Exit(1)
    if as_json:
        print(json.dumps(found.to_json()))
    elif pdf is None:
        out.print(_lines(found), markup=False, highlight=False, soft_wrap=True)
    else:
        out.print(f"{pdf} certifies {found.net} yuan at seq {found.seq}", highlight=False, soft_wrap=True)


def _lines(found: Certificate) -> str:
    """A line for each value; those of the breakdown's totals with their names."""
    from services.reporting.exports.certificate_tables import total_lines

    values = found.to_json()
    breakdown = values.pop("breakdown")
    del values["lacks"]  # Here the breakdown is always there.
    lines = [(name, "not part of this proof" if value is None else value) for name, value in values.items()]
    return "\n".join(f"{name:28} {value}" for name, value in [*lines, *total_lines(breakdown)])


async def _certificate(
    place: str | Path, year: int, seq: int | None, pdf: Path | None, calendar_file: Path | None, *, show: bool
) -> Certificate | None:
    """The certificate, written to the file if one is wanted; None where there is none, which the sentences on standard error
    explain."""
    from services.reporting.as_of import NotReached
    from services.reporting.certificate import NotCertified, certify_report
    from services.reporting.checked_report import report_at_rest
    from services.reporting.re_execution import FigureUnavailable

    try:
        with progress(show) as bar:
            task = bar.add_task("proving", total=None)

            def on_progress(reached_seq: int, last_seq: int) -> None:
                bar.update(task, completed=reached_seq, total=last_seq)

            report = await report_at_rest(
                place, year, True, calendar_file, seq, breakdown=True, on_progress=on_progress
            )
        found = certify_report(report, time.time_ns())
    except NotCertified as refused:
        for sentence in refused.sentences:
            say(sentence)
        return None
    except (FigureUnavailable, NotReached) as error:
        say(str(error))
        return None
    if pdf is not None:
        _write(pdf, found)
    return found


def _write(pdf: Path, found: Certificate) -> None:
    """The whole file or none."""
    from services.reporting.exports.pdf_file import certificate_pdf

    data = certificate_pdf(found.to_json())
    try:
        with pdf.open("xb") as file:  # fails if somebody has made the file meanwhile
            try:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())  # a device may find only now that it is full
            except OSError:
                pdf.unlink()
                raise
    except OSError as error:
        raise OSError(f"--pdf {pdf} cannot be made: {error.strerror}") from error
