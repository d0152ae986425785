"""The room of the forecast is pure: it imports numpy, decimals and itself, and nothing that knows a file, a clock or chance."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

import services.reporting.forecast as room

MODULES = sorted(Path(room.__file__).parent.glob("*.py"))
ALLOWED = ("numpy", "services.values.decimals", "services.reporting.forecast")
IMPURE = {"asyncio", "datetime", "os", "pathlib", "random", "secrets", "sqlite3", "subprocess", "time"}


def imported(path: Path) -> set[str]:
    """The modules that a module imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_what_a_module_imports(path: Path) -> None:
    for name in imported(path):
        top = name.split(".")[0]
        assert name.startswith(ALLOWED) or (top in sys.stdlib_module_names and top not in IMPURE), name


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_no_module_draws_random_numbers(path: Path) -> None:
    assert "np.random" not in path.read_text(encoding="utf-8")
