"""The table of coverages in docs/forecast.md, which the pages and the forecast's own sentences repeat."""

from __future__ import annotations

import re
from pathlib import Path

from load_tests.figure_bars.simulated_years import CLASSES

PAGE = Path(__file__).parents[3] / "docs/forecast.md"


def measured_coverage() -> dict[tuple[str, int], list[list[int]]]:
    """By class and past years, for each day the percent of each seed; empty where a day was not measured."""
    names = {generator.name for generator in CLASSES}
    rows = re.findall(r"^\| ([^|]+) \| (\d) \|(.*)\|$", PAGE.read_text("utf-8"), re.MULTILINE)
    return {
        (name, int(past)): [[int(text) for text in cell.split("·") if text.strip()] for cell in cells.split("|")]
        for name, past, cells in rows
        if name in names
    }
