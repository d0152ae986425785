"""The client as a distribution of its own: built without network, imported where there is no venue."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[2]
CLIENT = ROOT / "clients" / "python"
IMPORT = """
import importlib, json, pkgutil, sys
from importlib.metadata import version
sys.path += sys.argv[1:]
import rex_client
for module in pkgutil.walk_packages(rex_client.__path__, "rex_client."):
    importlib.import_module(module.name)
venue = [name for name in ("services", "matching_engine", "load_tests") if importlib.util.find_spec(name)]
print(json.dumps({"file": rex_client.__file__, "version": version("rex-client"), "venue": venue}))
"""
"""Imports every module of the client from the wheel, the first argument, and its dependencies from the second."""


def project(folder: Path) -> dict[str, Any]:
    """The table `project` of a folder's pyproject.toml."""
    table: dict[str, Any] = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return table


def names_of(requirements: list[str]) -> set[str]:
    """The names of requirements, without those of extras."""
    return {re.split(r"[^\w.-]", each)[0].lower() for each in requirements if "extra ==" not in each}


def link_dependencies(folder: Path) -> None:
    """Links what the client depends on, and what that depends on, and nothing else."""
    left, seen = names_of(project(CLIENT)["dependencies"]), set[str]()
    while left - seen:
        name = (left - seen).pop()
        seen.add(name)
        try:
            installed = distribution(name)
        except PackageNotFoundError:
            continue  # Another interpreter or system needs it.
        left |= names_of(installed.requires or [])
        for top in {file.parts[0] for file in installed.files or ()} - {"..", "__pycache__"}:
            (folder / top).symlink_to(Path(str(installed.locate_file(top))).resolve())


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy, because building writes into the source."""
    folder = tmp_path_factory.mktemp("wheel")
    shutil.copytree(CLIENT, folder / "source", ignore=shutil.ignore_patterns("__pycache__", "build", "*.egg-info"))
    build = ["wheel", "--quiet", "--disable-pip-version-check", "--no-index", "--no-deps", "--no-build-isolation"]
    command = [sys.executable, "-m", "pip", *build, "--wheel-dir", str(folder), str(folder / "source")]
    built = subprocess.run(command, text=True, capture_output=True)
    assert built.returncode == 0, built.stdout + built.stderr
    [path] = folder.glob("rex_client-*.whl")
    return path


def test_the_wheel_works_where_there_are_its_dependencies_and_no_venue(wheel: Path, tmp_path: Path) -> None:
    link_dependencies(tmp_path)
    command = [sys.executable, "-I", "-S", "-W", "error", "-c", IMPORT, str(wheel), str(tmp_path)]  # -S: no .pth files
    child = subprocess.run(command, text=True, capture_output=True, cwd=tmp_path)
    assert child.returncode == 0, child.stderr
    said = json.loads(child.stdout)
    assert said["file"].startswith(str(wheel))
    assert said["venue"] == []
    assert said["version"] == project(CLIENT)["version"] == project(ROOT)["version"]


def test_the_wheel_has_every_file_of_the_client(wheel: Path) -> None:
    source = {
        str(path.relative_to(CLIENT)) for path in CLIENT.glob("rex_client/**/*") if path.suffix in (".py", ".typed")
    }
    assert {name for name in ZipFile(wheel).namelist() if ".dist-info/" not in name} == source


def test_the_venue_has_the_clients_dependencies() -> None:
    assert names_of(project(CLIENT)["dependencies"]) <= names_of(project(ROOT)["dependencies"])
    assert project(CLIENT)["requires-python"] == project(ROOT)["requires-python"]
