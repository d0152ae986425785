"""The locked packages: each with hashes, each once, no index named, and everything that REX asks for among them."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
UV = "requirements-uv.txt"
FILES = ("requirements.txt", "requirements-dev.txt")
LOCKED = re.compile(
    r"^([A-Za-z0-9._-]+)==([^ ]+)[^\\\n]*\\\n((?: {4}--hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", re.MULTILINE
)


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def locked(name: str) -> dict[str, str]:
    """Version by package."""
    return {package: version for package, version, _ in LOCKED.findall(text(name))}


def test_a_locked_file_holds_versions_with_hashes_and_names_no_index() -> None:
    for name in (*FILES, UV):
        assert "://" not in text(name)
        rest = LOCKED.sub("", text(name))
        assert [line for line in rest.splitlines() if not line.startswith("#")] == []
        assert len(locked(name)) == len(LOCKED.findall(text(name))) > (0 if name == UV else 30)
    assert set(locked(UV)) == {"uv"}


def test_each_package_is_locked_once_and_none_that_rex_asks_for_is_missing() -> None:
    project = tomllib.loads(text("pyproject.toml"))["project"]
    run_time, dev = (set(locked(name)) for name in FILES)
    assert run_time & (dev | {"uv"}) == set()
    assert run_time & {"mypy", "playwright", "pytest", "ruff", "sphinx"} == set()

    def names(requirements: list[str]) -> set[str]:
        return {re.split(r"[\[<>=; ]", requirement)[0].lower() for requirement in requirements}

    assert names(project["dependencies"]) | {"pip", "setuptools"} <= run_time
    assert names(project["optional-dependencies"]["dev"]) - run_time <= dev
