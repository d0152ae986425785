"""`rex simulate-year`."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.cli.options import AsJson, DataDir, settings_of
from services.cli.report import year_of
from services.cli.terminal import err, out, progress, run

if TYPE_CHECKING:
    from services.reporting.figure import Figure
    from services.venue.simulated_year import SimulatedYear, YearWish


def reach_of(text: str) -> Decimal:
    """REACH as a number. Raises typer.BadParameter, which ends the command with exit status 2, if it is out of bounds."""
    try:
        reach = Decimal(text)
    except InvalidOperation:
        reach = Decimal(0)
    if reach.is_finite() and Decimal("0.01") <= reach <= 3:
        return reach
    raise typer.BadParameter(f"'{text}' is not a number from 0.01 to 3, for example 1.02.")


def simulate_year(
    year: Annotated[
        int,
        typer.Argument(help="The calendar year of the trading days, 2000 to 2099.", parser=year_of, metavar="YEAR"),
    ],
    data_dir: DataDir = Path("rex-data"),
    seed: Annotated[
        int, typer.Option(help="Random seed. The same seed makes the same year.", min=0, metavar="N", envvar="REX_SEED")
    ] = 20231201,
    reach: Annotated[
        Decimal,
        typer.Option(
            help="What the whole year trades, as a multiple of the target of 23 billion yuan.",
            parser=reach_of,
            metavar="FACTOR",
        ),
    ] = "1.02",  # type: ignore[assignment]  # typer passes a default through the parser
    commands: Annotated[
        int,
        typer.Option(
            help="About how many commands a whole year has. With fewer, makers renew their quotes less often, and there are "
            "fewer and larger trades; the turnover stays.",
            min=50_000,
            max=20_000_000,
            metavar="N",
        ),
    ] = 4_800_000,
    days: Annotated[
        int | None, typer.Option(help="Only the first so many trading days of the year.", min=1, max=366, metavar="N")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Simulates a whole year of trading and writes it as a venue: journal, read database and labels. Nothing of it was real.

    44 invented members send quotes, orders, receipts and cancels on each trading day of the year, on the exchange's schedule
    but without waiting. Every command runs through the engine and is journaled like any other, so all commands of `rex` work
    on the folder: `rex report`, `rex journal verify`, `rex serve`. Prices begin at the level of January 2023 and end at that of
    December 2023. The year has seasons and a story: Lunar New Year, a crash in April, a volatility auction, a busted trade,
    an outage, three members who trade in a circle, a rally in September, a rush at the end.

    Every report of the year, its certificate, bulletins and exports say that it is simulated, whatever target is set later, and
    so does the note of every instrument. `simulated-year.json` in the folder names what was planted, for those who test a
    screen against it.

    The folder must hold no venue. An interrupted run leaves none. A whole year of 4,800,000 commands takes about 2 minutes of
    CPU and 0.8 GB; one of 100,000 commands about 8 seconds and 25 MB.

    Examples:

    - `rex simulate-year 2023 --seed 7 --data-dir year` a whole year, 2 % above the target
    - `rex simulate-year 2023 --commands 100000 --data-dir small` the same turnover with few commands
    - `rex simulate-year 2023 --reach 0.8 --data-dir missed` a year that misses its target
    - `rex simulate-year 2023 --days 60 --data-dir spring` the first 60 trading days

    Then: `rex report 2023 --data-dir year --prove`, `rex journal verify --data-dir year`, or
    `rex serve --data-dir year --accept-clock`, which continues today: the days between have no trades.

    Exit status:

    - 0 the year was written, and the four computations of its turnover agree
    - 1 the four computations disagree, or the environment refused: file or folder
    - 2 an option or a setting is invalid
    - 4 the device failed
    - 5 the folder holds a venue
    """
    calendar_file = settings_of(embedded=True, data_dir=data_dir).calendar_file
    from services.venue.simulated_year import YearWish

    wish = YearWish(year, seed, reach, commands, days)
    made, figure = run(_simulate(data_dir, wish, calendar_file, show=not as_json and err.is_terminal))
    if as_json:
        print(json.dumps(_document(data_dir, made, figure)))
    else:
        out.print(_table(data_dir, made, figure))
    raise typer.Exit(0 if figure.agree else 1)


async def _simulate(
    data_dir: Path, wish: YearWish, calendar_file: Path | None, show: bool
) -> tuple[SimulatedYear, Figure]:
    from services.data.calendar import TradingCalendar
    from services.venue.simulated_year import prove, simulate_year

    with progress(show) as bar:
        task = bar.add_task("simulating", total=None)

        def on_day(day: date, number: int, of: int, turnover_fen: int) -> None:
            bar.update(task, description=f"{day} {_billions(turnover_fen)} yuan", completed=number, total=of)

        made = await simulate_year(data_dir, wish, TradingCalendar.load(calendar_file), on_day)
        proving = bar.add_task("proving", total=None)

        def on_progress(reached_seq: int, last_seq: int) -> None:
            bar.update(proving, completed=reached_seq, total=last_seq)

        return made, await prove(data_dir, made, on_progress)


def _document(data_dir: Path, made: SimulatedYear, figure: Figure) -> dict[str, Any]:
    from services.values.decimals import yuan_text

    return {
        "simulated": True,
        "year": made.plan.year,
        "days": made.days,
        "last_seq": made.last_seq,
        "trading_date": made.trading_date,
        "state_hash": made.state_hash,
        "turnover_cny": yuan_text(made.turnover_fen),
        "planned_cny": yuan_text(made.due_fen),
        "reached_on": None if made.reached_on is None else made.reached_on.isoformat(),
        **_sizes_bytes(data_dir),
        "figure": figure.to_json(),
        "agree": figure.agree,
    }


def _table(data_dir: Path, made: SimulatedYear, figure: Figure) -> Any:
    from rich.table import Table

    from services.simulator.year.labels import LABELS_FILE

    table = Table(title=f"SIMULATED year {made.plan.year}", show_header=False, title_justify="left")
    table.add_row("trading days", f"{made.days} of {len(made.plan.days)}")
    table.add_row("commands", f"{made.last_seq:,}")
    for name, size_bytes in _sizes_bytes(data_dir).items():
        per_command = f"{size_bytes / made.last_seq:,.0f} bytes per command"
        table.add_row(name.removesuffix("_bytes").replace("_", " "), f"{size_bytes / 1e6:,.1f} MB, {per_command}")
    table.add_row("turnover", f"{_billions(made.turnover_fen)} yuan, planned {_billions(made.due_fen)}")
    table.add_row("target", made.verdict)
    table.add_row("four computations", "[green]agree to the fen[/]" if figure.agree else "[red]DISAGREE[/]")
    table.add_row("state hash", f"{made.state_hash[:32]}\n{made.state_hash[32:]}")
    table.add_row("what was planted", str(data_dir / LABELS_FILE))
    table.add_row("next", f"rex report {made.plan.year} --data-dir {data_dir} --prove")
    return table


def _sizes_bytes(data_dir: Path) -> dict[str, int]:
    """The sizes of the two files on the device."""
    from services.files.data_folder import JOURNAL_FILE, READ_DATABASE_FILE

    files = {"journal_bytes": JOURNAL_FILE, "read_database_bytes": READ_DATABASE_FILE}
    return {name: (data_dir / file).stat().st_size for name, file in files.items()}


def _billions(amount_fen: int) -> str:
    """Yuan in billions, for people."""
    return f"{Decimal(amount_fen).scaleb(-11):,.3f} bn"
