"""The size of the house's parts: a small module that only one other module imports belongs into that one."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROOMS = ROOT / "services", ROOT / "matching_engine", ROOT / "load_tests", ROOT / "clients" / "python" / "rex_client"
LEAST_LINES = 40
PROGRAMS = "load_tests", "services.migrations"
"""Modules here are run by themselves."""


def name_of(path: Path) -> str:
    """The dotted name of a module; of a package's `__init__`, the package's."""
    room = next(room for room in ROOMS if path.is_relative_to(room))
    parts = path.relative_to(room.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def importers(modules: dict[str, Path]) -> dict[str, set[str]]:
    """The modules that import a name. Who imports from a package imports what the package hands on."""
    found = defaultdict[str, set[str]](set)
    for importer, path in modules.items():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module:
                for name in (node.module, *(f"{node.module}.{alias.name}" for alias in node.names)):
                    found[name].add(importer)
            elif isinstance(node, ast.Import):
                for alias in node.names:
                    found[alias.name].add(importer)
    for importing in found.values():
        for package in [one for one in importing if modules[one].stem == "__init__"]:
            importing |= found.get(package, set())
    return found


def test_no_small_module_has_only_one_importer() -> None:
    modules = {name_of(path): path for room in ROOMS for path in room.rglob("*.py")}
    imported = importers(modules)
    alone = [
        name
        for name, path in modules.items()
        if len(path.read_text().splitlines()) < LEAST_LINES
        and not (path.stem.startswith("__") or name.startswith(PROGRAMS))
        and len(imported[name]) < 2
    ]
    assert not alone, f"fold into the module that imports it: {sorted(alone)}"
