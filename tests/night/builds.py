"""Every Python, two hash seeds, native and uncompiled give one hash of the engine's events and states:

    python -m tests.night.builds --seeds 20 --start 1

The Pythons are this one and those of build/python3.N, which `make test-pythons` makes. Exit status 1: two hashes differ, or a
build that should be native is not.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from matching_engine import is_native

HASH_SEEDS = ("0", "4711")
COPIED = ("matching_engine", "tests/model", "tests/property", "tests/night")
"""What `state_hash` imports."""


def pythons() -> list[str]:
    """This Python, and those of another version with an environment of their own that has what the engine imports."""
    own = f"python3.{sys.version_info.minor}"
    found = [path.absolute() for path in sorted(Path("build").glob("python3.*/bin/python")) if own not in path.parts]
    return [sys.executable, *(str(path) for path in found if _has_packages(path))]


def _has_packages(python: Path) -> bool:
    return subprocess.run([python, "-c", "import cython, numpy"], capture_output=True, check=False).returncode == 0


def uncompiled(folder: Path) -> Path:
    """A copy of the engine and the flows without extension modules."""
    for name in COPIED:
        ignored = shutil.ignore_patterns("*.so", "*.c", "__pycache__")
        shutil.copytree(name, folder / name, ignore=ignored)
    return folder


def run(seeds: int, start: int) -> Iterator[dict[str, Any]]:
    """What each Python says in each way. Raises CalledProcessError where one cannot run."""
    with TemporaryDirectory() as work:
        for place in (Path.cwd(), uncompiled(Path(work))):
            for python in pythons():
                for hash_seed in HASH_SEEDS:
                    command = [python, "-m", "tests.night.state_hash", "--seeds", str(seeds), "--start", str(start)]
                    variables = {**os.environ, "PYTHONHASHSEED": hash_seed}
                    done = subprocess.run(command, cwd=place, env=variables, capture_output=True, text=True, check=True)
                    yield {**json.loads(done.stdout), "hash_seed": hash_seed, "copied": place != Path.cwd()}


def broken(found: list[dict[str, Any]]) -> list[str]:
    """What differs, as sentences."""
    sentences = []
    for one in found:
        name = f"Python {one['python']}, hash seed {one['hash_seed']}, {'native' if one['native'] else 'uncompiled'}"
        if one["hash"] != found[0]["hash"]:
            sentences.append(f"{name}: {one['hash']}, not {found[0]['hash']}")
        if one["copied"] and one["native"]:
            sentences.append(f"{name}: the copy without extension modules is native")
    if is_native() and not found[0]["native"]:
        sentences.append("the native engine was not run")
    return sentences


def main() -> int:
    """Exit status 1 where something differs."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.night.builds", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=20, help="how many flows")
    parser.add_argument("--start", type=int, default=1, help="the first seed")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output, for programs")
    options = parser.parse_args()
    found = [*run(options.seeds, options.start)]
    wrong = broken(found)
    counts = {
        "flows": options.seeds,
        "ways": len(found),
        "pythons_most": len({one["python"] for one in found}),
        "native_ways": sum(one["native"] for one in found),
    }
    if options.json:
        told = json.dumps({"rig": "builds", "holds": not wrong, "counts": counts, "broken": wrong})
    else:
        told = ", ".join(f"{name} {n}" for name, n in counts.items())
        told = f"builds: {told}: {'; '.join(wrong) or found[0]['hash']}"
    sys.stdout.write(told + "\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
