"""Targets of the Makefile under every Python from 3.11 on that this machine has: `make test-pythons`.

Each has an environment of its own, build/python3.N, which stays for the next time.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

OLDEST_MINOR = 11


def pythons(environment: Mapping[str, str]) -> dict[str, Path]:
    """The first interpreter that runs, by version ("3.11"): of PATH, then of the usual folders and pyenv's."""
    found: dict[str, Path] = {}
    for path in _candidates(environment):
        version = f"3.{path.name.rpartition('.')[2]}"
        if int(version[2:]) >= OLDEST_MINOR and version not in found and _runs(path, version):
            found[version] = path
    return dict(sorted(found.items(), key=lambda item: int(item[0][2:])))


def _candidates(environment: Mapping[str, str]) -> Iterator[Path]:
    pyenv = Path(environment.get("PYENV_ROOT") or Path(environment.get("HOME", "/")) / ".pyenv")
    folders = [*environment.get("PATH", "").split(os.pathsep), "/usr/local/bin", "/usr/bin"]
    for folder in [*map(Path, filter(None, folders)), *sorted(pyenv.glob("versions/*/bin"))]:
        yield from sorted(path for path in folder.glob("python3.*") if re.fullmatch(r"python3\.\d+", path.name))


def _runs(path: Path, version: str) -> bool:
    """Whether it starts (a shim of pyenv may not), is what its name says, and can make an environment."""
    check = "import ensurepip, sqlite3, ssl, sys; print('%d.%d' % sys.version_info[:2])"
    ended = subprocess.run([path, "-c", check], capture_output=True, text=True, check=False)
    return ended.returncode == 0 and ended.stdout.strip() == version


def main(targets: list[str]) -> int:
    """Runs these targets of the Makefile (`test`, where none is named) under each; the exit status is the worst."""
    worst = 0
    for version, path in pythons(os.environ).items():
        print(f"Python {version}: {path}", flush=True)
        folder = Path(f"build/python{version}")
        if not any(Path("matching_engine").rglob(f"*.cpython-{version.replace('.', '')}-*.so")):
            (folder / ".set-up").unlink(missing_ok=True)  # somebody removed its engine: compile again
        variables = [f"PYTHON={path}", f"VENV={folder}"]
        ended = subprocess.run(["make", "--no-print-directory", *(targets or ["test"]), *variables], check=False)
        print(f"Python {version}: {'passed' if ended.returncode == 0 else 'FAILED'}", flush=True)
        worst = max(worst, ended.returncode)
    return worst


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
