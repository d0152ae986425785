"""What `make setup` does, step by step: a virtual environment, the locked packages, the engine. Standard library only.

    python3 install.py .venv

Each step says what it does and how far it is. The output of pip and of the compiler goes to a file in the environment, which
is shown where a step fails.
"""

from __future__ import annotations

import platform
import re
import subprocess
import sys
import time
import venv
from collections.abc import Callable
from pathlib import Path

LOCKED = ("requirements.txt", "requirements-dev.txt")
PIP = ("-m", "pip", "--disable-pip-version-check", "--no-input")
COUNTED = re.compile(r"^ *(\[ *\d+/\d+\] Cythonizing|compiled \d+ of \d+)")
"""What Cython and setup.py write of each module."""
LOOK_EVERY_S = 0.2
LINE_EVERY_S = 10
"""How often a step reports where no terminal shows a line that changes."""


def main(folder: Path) -> None:
    """Makes or renews the environment in `folder`."""
    python = str(folder / "bin/python")
    say(f"Step 1 of 3: virtual environment {folder}")
    if not Path(python).exists():
        venv.create(folder, with_pip=True, symlinks=True)
    version, site_packages, suffix = described(python)
    own_version = platform.python_version()
    say(f"  Python {version}" + (f"; to use {own_version}, remove {folder} first" if version != own_version else ""))

    say(f"Step 2 of 3: packages, versions and hashes as in {' and '.join(LOCKED)}")
    locked = set[str]().union(*[names_in(read(name), r"^(\S+)==") for name in LOCKED])
    files = [part for name in LOCKED for part in ("-r", name)]
    run(
        [python, *PIP, "install", "--require-hashes", *files],
        folder / "packages.log",
        lambda log: packages_so_far(log, locked, Path(site_packages)),
    )

    # Old extension modules go first: a failing compiler must not leave old code running.
    for module in Path("matching_engine").rglob(f"*{suffix}"):
        module.unlink()
    say("Step 3 of 3: the engine, typed Python translated to C and compiled")
    run(
        [python, *PIP, "install", "--verbose", "--no-deps", "--no-build-isolation", "--editable", "."],
        folder / "engine.log",
        lambda log: next((line for line in reversed(log.splitlines()) if COUNTED.search(line)), "begun").strip(),
    )
    notice = "import matching_engine; print(matching_engine.build_notice())"
    subprocess.run([python, "-c", notice], check=True, stdout=sys.stderr)


def packages_so_far(log: str, locked: set[str], site_packages: Path) -> str:
    """How many of the locked packages are fetched, later installed, according to pip's output and to `site_packages`.

    Locked packages that pip ignores, because they are for other systems or Pythons, do not count.
    """
    wanted = locked - names_in(log, r"^Ignoring (\S+):")
    if "Installing collected packages" in log:
        installed = names_in("\n".join([folder.name for folder in site_packages.glob("*.dist-info")]), r"^([^-]+)-")
        return f"{len(wanted & installed)} of {len(wanted)} installed"
    found = names_in(log, r"^(?:Collecting|Requirement already satisfied:) ([\w.-]+)")
    return f"{len(wanted & found)} of {len(wanted)} fetched"


def names_in(text: str, pattern: str) -> set[str]:
    """The package names that a pattern finds in the lines of a text, spelt as PEP 503 normalizes them."""
    return {re.sub(r"[-_.]+", "-", name).lower() for name in re.findall(pattern, text, re.MULTILINE)}


def described(python: str) -> list[str]:
    """The version, the site-packages and the suffix of extension modules of an interpreter.

    An existing environment keeps the Python that made it, which may not be the one that runs this file.
    """
    ask = (
        "import platform, sysconfig;"
        "print(platform.python_version(), sysconfig.get_path('purelib'), sysconfig.get_config_var('EXT_SUFFIX'), sep='\\n')"
    )
    return subprocess.run([python, "-c", ask], check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()


def run(command: list[str], log: Path, so_far: Callable[[str], str]) -> None:
    """Runs a command to its end and shows `so_far` of its output, at last of all of it; ends this process where it fails."""
    began = time.monotonic()
    reported = began
    with log.open("w") as file:
        process = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT)
        while process.poll() is None:
            time.sleep(LOOK_EVERY_S)
            now = time.monotonic()
            if sys.stderr.isatty():
                say(f"\r\x1b[K  {so_far(log.read_text(errors='replace'))}", end="")
            elif now - reported >= LINE_EVERY_S:
                reported = now
                say(f"  {so_far(log.read_text(errors='replace'))}")
    start = "\r\x1b[K" if sys.stderr.isatty() else ""
    if process.returncode:
        say(
            f"{start}{log.read_text(errors='replace')}\nThe step failed: {' '.join(command)}\nIts output stands in {log}."
        )
        raise SystemExit(process.returncode)
    say(f"{start}  {so_far(log.read_text(errors='replace'))}, done in {time.monotonic() - began:.0f} s")


def read(name: str) -> str:
    """The text of a file of this folder."""
    return Path(name).read_text(encoding="utf-8")


def say(text: str, end: str = "\n") -> None:
    """Writes to standard error: standard output belongs to what is made next."""
    print(text, end=end, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
