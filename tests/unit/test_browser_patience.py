"""Browsers and contexts are made in one place, with the patience of the tests: Playwright's own is 30 seconds."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
HERE = TESTS / "browser/conftest.py"
SETS_IT_ITSELF = TESTS / "browser/test_page_restart.py"
FILES = sorted(
    path
    for path in TESTS.rglob("*.py")
    if path not in (HERE, SETS_IT_ITSELF) and "playwright" in path.read_text("utf-8")
)
CONTEXTS = ("context", "visitor")
"""The names of contexts, of which a page may be made."""


def impatient_calls(source: str) -> Iterator[str]:
    """The calls that make a browser, a context, or a page with a context of its own."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        maker = ast.unparse(node.func.value)
        is_of_context = maker in CONTEXTS or maker.startswith("new_context(")
        if node.func.attr in ("launch", "new_context") or (node.func.attr == "new_page" and not is_of_context):
            yield ast.unparse(node)


def test_what_a_browser_waits_for_has_the_patience_of_the_tests() -> None:
    for path in FILES:
        assert list(impatient_calls(path.read_text("utf-8"))) == [], (
            f"{path}: use launch and new_context of tests/browser/conftest.py"
        )


@pytest.mark.parametrize(
    "source",
    ["chromium.new_context(viewport=SIZE)", "browser.new_page()", "player.chromium.launch()", "page = poor.new_page()"],
)
def test_a_context_that_playwright_makes_is_found(source: str) -> None:
    assert len(list(impatient_calls(source))) == 1


def test_a_page_of_a_context_is_not_found() -> None:
    assert len(FILES) > 10
    for source in ("context.new_page()", "new_context(chromium).new_page()", "launch(player.chromium)"):
        assert list(impatient_calls(source)) == []
