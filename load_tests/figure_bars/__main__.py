"""Measures the bars of the figure and prints them: `python -m load_tests.figure_bars [BAR ...]`.

The exit status is 0 only when every bar holds.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence

from rich.console import Console
from rich.table import Table

from load_tests.figure_bars import forecast, pace, screen
from load_tests.figure_bars.row import Effort, Row

BARS: dict[str, Callable[[Effort], list[Row]]] = {
    "forecast": forecast.run,
    "pace": pace.run,
    "screen": screen.run,
}
"""Each bar is a module with `run(effort) -> rows`."""


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m load_tests.figure_bars", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("bars", nargs="*", choices=[*BARS, []], help="only these (default: all)", metavar="BAR")
    parser.add_argument("--years", type=int, default=Effort.years, help="simulated years (default %(default)s)")
    parser.add_argument("--seed", type=int, default=Effort.seed, help="seed of the simulation (default %(default)s)")
    parser.add_argument("--json", action="store_true", help="print the result as JSON instead of a table")
    options = parser.parse_args(arguments)
    if options.years < 1:
        parser.error("--years must be at least 1")
    effort = Effort(seed=options.seed, years=options.years)
    rows = [row for name in options.bars or BARS for row in BARS[name](effort)]
    if options.json:
        print(
            json.dumps({"seed": effort.seed, "years": effort.years, "rows": [row.to_json() for row in rows]}, indent=2)
        )
    else:
        _print(rows, effort)
    return 0 if all(row.holds for row in rows) else 1


def _print(rows: Sequence[Row], effort: Effort) -> None:
    # A file or a pipe has no width, and a table cut off at 80 columns is useless.
    console = Console() if sys.stdout.isatty() else Console(width=180)
    table = Table(title=f"The figure's bars, {effort.years} simulated years, seed {effort.seed}")
    for column in ("bar", "what", "measured", "at least", "at most", "holds", "note"):
        table.add_column(column, justify="right" if column in ("measured", "at least", "at most") else "left")
    for row in rows:
        bounds = ["" if bound is None else f"{bound:.1f}" for bound in (row.at_least, row.at_most)]
        holds = "" if bounds == ["", ""] else "yes" if row.holds else "NO"
        table.add_row(row.bar, row.name, f"{row.value:.1f} {row.unit}", *bounds, holds, row.note)
    console.print(table)


if __name__ == "__main__":
    sys.exit(main())
