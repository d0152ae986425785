"""Runs the benchmarks, prints one table and writes the result to load_tests/results/."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from load_tests.benchmarks import durable_rates, engine_rates, gateway_rates
from load_tests.benchmarks.figure import Effort, Figure
from load_tests.benchmarks.machine import describe
from matching_engine import build_notice

BENCHMARKS = {
    "book": engine_rates.book_figures,
    "engine": engine_rates.whole_engine_figures,
    "plain": engine_rates.plain_python_figures,
    "durable": durable_rates.durable_figures,
    "recovery": durable_rates.recovery_figures,
    "rest": gateway_rates.rest_figures,
    "websocket": gateway_rates.websocket_figures,
}
RESULTS = Path(__file__).parents[1] / "results"


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m load_tests.benchmarks", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=BENCHMARKS, help="only these (default: all)", metavar="NAME")
    parser.add_argument("--seed", type=int, default=1, help="seed of the order flow (default 1)")
    parser.add_argument("--quick", action="store_true", help="a tenth of the messages: to try it, not to quote it")
    parser.add_argument("--json", action="store_true", help="the result as JSON on standard output instead of a table")
    options = parser.parse_args(arguments)
    effort = Effort(options.seed, options.quick)
    progress = Console(stderr=True)
    result: dict[str, Any] = {"seed": effort.seed, "quick": effort.quick, "engine": build_notice(), **describe()}
    figures: list[Figure] = []
    for name in options.only or BENCHMARKS:
        progress.print(f"{name} …", style="dim")
        figures += BENCHMARKS[name](effort)
    result["figures"] = [figure.to_json() for figure in figures]
    path = write_result(result)
    if options.json:
        print(json.dumps(result, indent=2))
    else:
        # A file or a pipe has no width of its own, and a table cut off at 80 columns tells nothing.
        console = Console() if sys.stdout.isatty() else Console(width=160)
        console.print(table(figures))
        console.print(
            f"{build_notice()} · {result['machine']['processor']}, {result['machine']['cores']} cores · {path}"
        )
    return 0


def write_result(result: dict[str, Any]) -> Path:
    """Writes the result under its date; a later run of the day gets a number."""
    RESULTS.mkdir(exist_ok=True)
    date = datetime.now().astimezone().date().isoformat()
    number, path = 1, RESULTS / f"{date}.json"
    while path.exists():
        number += 1
        path = RESULTS / f"{date}-{number}.json"
    path.write_text(json.dumps(result, indent=2) + "\n")
    return path


def table(figures: Sequence[Figure]) -> Table:
    """All figures beside their limits."""
    printed = Table(title="REX beside its limits, in one run on this machine")
    for column, justify in (("what", "left"), ("measured", "right"), ("limit", "right"), ("ratio", "right"),
                            ("the limit is", "left"), ("set out for", "left"), ("note", "left")):  # fmt: skip
        printed.add_column(column, justify=justify)  # type: ignore[arg-type]
    for figure in figures:
        printed.add_row(
            figure.name,
            f"{_number(figure.value)} {figure.unit}",
            "" if figure.limit is None else _number(figure.limit),
            "" if figure.ratio is None else f"{figure.ratio:.0%}",
            figure.limit_name,
            figure.expected,
            figure.note,
        )
    return printed


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"


if __name__ == "__main__":
    sys.exit(main())
