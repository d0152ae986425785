"""What `make setup` and `make run` do first, step by step: a virtual environment, the locked packages, the engine.

    python3 install.py .venv               the environment, the run-time packages, the engine
    python3 install.py .venv developers    the packages for tests, checks and docs beside them

uv installs the packages; where it fails, pip does. Each step says what it does and how far it is. The output of uv, pip and the
compiler goes to files in the environment; a file is shown where its step fails. Standard library only.
"""

from __future__ import annotations

import ast
import os
import platform
import re
import subprocess
import sys
import time
import venv
from collections.abc import Callable, Mapping
from pathlib import Path

RUN_TIME = ("requirements.txt",)
DEVELOPERS = ("requirements.txt", "requirements-dev.txt")
"""Both files: packages of the second need packages of the first, and --require-hashes accepts only packages that are listed."""
UV = "requirements-uv.txt"
PIP = ("-m", "pip", "--disable-pip-version-check", "--no-input")
UV_VARIABLES = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_EXTRA_INDEX_URL",
    "no-index": "UV_NO_INDEX",
    "find-links": "UV_FIND_LINKS",
    "trusted-host": "UV_INSECURE_HOST",
    "timeout": "UV_HTTP_TIMEOUT",
    "default-timeout": "UV_HTTP_TIMEOUT",
    "cert": "SSL_CERT_FILE",
    "proxy": "ALL_PROXY",
}
"""uv's variable for each setting of pip. Constraints are left out: every version is locked."""
COUNTED = re.compile(r"^ *(\[ *\d+/\d+\] Cythonizing|compiled \d+ of \d+)")
"""What Cython and setup.py write of each module."""
LOOK_EVERY_S = 0.2
LINE_EVERY_S = 10
"""How often a step reports where no terminal shows a line that changes."""


def main(folder: Path) -> None:
    """Makes or renews the environment in `folder`: what REX needs at run time."""
    python = str(folder / "bin/python")
    say(f"Step 1 of 3: virtual environment {folder}")
    if not Path(python).exists():
        venv.create(folder, with_pip=True, symlinks=True)
    version, _, suffix = described(python)
    own_version = platform.python_version()
    say(f"  Python {version}" + (f"; to use {own_version}, remove {folder} first" if version != own_version else ""))

    say(f"Step 2 of 3: packages, versions and hashes as in {RUN_TIME[-1]}")
    install_packages(folder, RUN_TIME)

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


def developers(folder: Path) -> None:
    """Adds what tests, checks and docs need to the environment in `folder`."""
    say(f"For developers: packages, versions and hashes as in {DEVELOPERS[-1]}")
    install_packages(folder, DEVELOPERS)


def install_packages(folder: Path, files: tuple[str, ...]) -> None:
    """Installs the packages locked in `files` with uv; with pip where uv cannot be installed or fails."""
    python = str(folder / "bin/python")
    locked = [part for name in files for part in ("-r", name)]
    log = folder / "uv.log"
    # --only-binary: uv's source is Rust. --retries: without uv there is pip, with retries of its own.
    install_uv = ["--quiet", "--retries", "1", "--only-binary", ":all:", "--require-hashes", "-r", UV]
    # unsafe-best-match: the file of any index serves, as with pip; the hash decides whether it is the right one.
    options = ["--require-hashes", "--system-certs", "--index-strategy", "unsafe-best-match"]
    if not follow([python, *PIP, "install", *install_uv], log, lambda _: "the installer uv") and not follow(
        [python, "-m", "uv", "pip", "install", "--python", python, *options, *locked],
        log,
        uv_so_far,
        uv_environment(python, os.environ),
    ):
        return
    say(f"  uv failed, see {log}; pip installs the packages")
    names = set[str]().union(*[names_in(read(name), r"^(\S+)==") for name in files])
    site_packages = Path(described(python)[1])
    run(
        [python, *PIP, "install", "--require-hashes", *locked],
        folder / "packages.log",
        lambda log: packages_so_far(log, names, site_packages),
    )


def uv_environment(python: str, environment: Mapping[str, str]) -> dict[str, str]:
    """The environment of uv, with pip's settings in it: uv reads neither pip.conf nor pip's variables.

    A variable that is set already stays.
    """
    settings = subprocess.run([python, *PIP, "config", "list"], check=False, stdout=subprocess.PIPE, text=True).stdout
    found: dict[str, str] = {}
    for section in ("global", "install", ":env:"):  # the last one wins, as in pip
        for name, value in re.findall(rf"^{section}\.([\w-]+)=(.*)$", settings, re.MULTILINE):
            if name in UV_VARIABLES:
                found[UV_VARIABLES[name]] = ("," if name == "find-links" else " ").join(ast.literal_eval(value).split())
    return {**found, **environment}


def uv_so_far(log: str) -> str:
    """How many packages uv has installed; before, how many of the large files it has fetched, the only ones that it names."""
    if ended := re.search(r"^(?:Installed|Checked) (\d+) packages?", log, re.MULTILINE):
        return f"{ended[1]} installed"
    begun = re.findall(r"^Downloading ", log, re.MULTILINE)
    return f"{log.count(' Downloaded ')} of {len(begun)} large files fetched"


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
    """Runs a step as `follow` does; shows all of its output and ends this process where it fails."""
    if status := follow(command, log, so_far):
        output = log.read_text(errors="replace")
        say(f"{output}\nThe step failed: {' '.join(command)}\nIts output stands in {log}.")
        raise SystemExit(status)


def follow(
    command: list[str], log: Path, so_far: Callable[[str], str], environment: Mapping[str, str] | None = None
) -> int:
    """Runs a command to its end, its output in `log`, and shows `so_far` of that output; returns its exit status."""
    began = time.monotonic()
    reported = began
    with log.open("w") as file:
        process = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT, env=environment)
        while process.poll() is None:
            time.sleep(LOOK_EVERY_S)
            now = time.monotonic()
            if sys.stderr.isatty():
                say(f"\r\x1b[K  {so_far(log.read_text(errors='replace'))}", end="")
            elif now - reported >= LINE_EVERY_S:
                reported = now
                say(f"  {so_far(log.read_text(errors='replace'))}")
    if sys.stderr.isatty():
        say("\r\x1b[K", end="")
    if not process.returncode:
        say(f"  {so_far(log.read_text(errors='replace'))}, done in {time.monotonic() - began:.0f} s")
    return process.returncode


def read(name: str) -> str:
    """The text of a file of this folder."""
    return Path(name).read_text(encoding="utf-8")


def say(text: str, end: str = "\n") -> None:
    """Writes to standard error: standard output belongs to what is made next."""
    print(text, end=end, file=sys.stderr, flush=True)


if __name__ == "__main__":
    try:
        (developers if sys.argv[2:] == ["developers"] else main)(Path(sys.argv[1]))
    except KeyboardInterrupt:
        sys.exit("stopped; the same command goes on")
