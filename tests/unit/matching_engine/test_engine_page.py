"""docs/engine.md: its example prints what the page says, and its map names the modules there are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import matching_engine
from matching_engine.book.orders import Order
from matching_engine.book.price_levels import Level
from matching_engine.records import layout
from tests.scenarios.draw import RULEBOOK

PAGE = (RULEBOOK.parent / "engine.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("number", [0, 1])
def test_an_example_prints_what_the_page_says(number: int, capsys: pytest.CaptureFixture[str]) -> None:
    examples = re.findall(r"```python\n(.*?)```\n\nprints\n\n```\n(.*?)```", PAGE, re.DOTALL)
    assert len(examples) == PAGE.count("```python") == 2
    code, output = examples[number]
    exec(code, {"__name__": "example"})
    printed = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert printed == [line.rstrip() for line in output.splitlines()]


def test_the_page_names_every_module() -> None:
    folder = Path(matching_engine.__file__).parent
    modules = {file.stem for file in folder.rglob("*.py")} - {"__init__"}
    assert {name for name in modules if not re.search(rf"\b{name}\b", PAGE)} == set()


@pytest.mark.parametrize(("row", "size"), [(Order, "orders (64 bytes"), (Level, "level (32 bytes")])
def test_the_rows_have_the_sizes_of_the_picture(row: type[Order] | type[Level], size: str) -> None:
    assert size in PAGE
    assert layout(row).itemsize == int(re.findall(r"\d+", size)[0])
