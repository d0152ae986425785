"""The fault rigs. Each one damages venues by random choices from a seed, and reports every broken promise as a sentence.

    python -m tests.faults                            all, at full length: `make faults`, about two and a half hours
    python -m tests.faults --short                    at the length of a first try: about ten minutes
    python -m tests.faults kill soak                  only these
    python -m tests.faults kill --count 300 --seed 7  so many trials of one

A single rig prints its line, or with --json its counts. Of several each runs in a process of its own: if one crashes, the
others still run. Their counts are then written to build/faults/, one file for each rig and summary.json. Exit status 1: a
promise was broken, and the line says which. 2: this machine lacks what the rig needs.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.faults import (
    claims,
    clock_step,
    corruption,
    door,
    embedded,
    resume,
    resume_scaled,
    retry_storm,
    scaled,
    snapshots,
    soak,
    soak_scaled,
    stops,
)
from tests.faults.rig import CannotRun, Report, Rig, perform
from tests.venue_variables import set_variables

RIGS = {
    rig.name: rig
    for rig in (
        *embedded.RIGS,
        corruption.RIG,
        snapshots.RIG,
        stops.RIG,
        clock_step.RIG,
        retry_storm.RIG,
        resume.RIG,
        resume_scaled.RIG,
        claims.RIG,
        *scaled.RIGS,
        door.RIG,
        embedded.BY_CHANCE,
        soak.RIG,
        soak_scaled.RIG,
    )
}
RESULTS = Path("build/faults")
NOT_RUN = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status; of several rigs, one that could not run counts as broken with REX_REQUIRE_EVERYTHING=1."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.faults", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("rigs", nargs="*", metavar="RIG", help=", ".join(RIGS))
    parser.add_argument("--count", type=int, metavar="N", help="how many trials of a single rig")
    parser.add_argument("--seed", type=int, default=1, help="of every choice that a rig makes")
    parser.add_argument("--short", action="store_true", help="each at the length of a first try")
    parser.add_argument("--json", action="store_true", help="a single rig: one JSON object on standard output")
    options = parser.parse_args(arguments)
    if unknown := set(options.rigs) - RIGS.keys():
        parser.error(f"there is no rig {', '.join(sorted(unknown))}; the rigs are {', '.join(RIGS)}")
    lengths = {name: rig.short if options.short else rig.long for name, rig in RIGS.items()}
    if len(options.rigs) == 1:
        (name,) = options.rigs
        return _perform(RIGS[name], lengths[name] if options.count is None else options.count, options)
    return _all(options.rigs or list(RIGS), lengths, options.seed)


def _perform(rig: Rig, count: int, options: argparse.Namespace) -> int:
    set_variables()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # Unmounts the rig's disks on the way out.
    try:
        report = perform(rig, count, options.seed)
    except CannotRun as reason:
        sys.stderr.write(f"{rig.name}: NOT RUN: {reason}\n")
        return NOT_RUN
    sys.stdout.write((json.dumps(report.to_json()) if options.json else report.line()) + "\n")
    return 0 if report.holds else 1


def _all(names: Sequence[str], lengths: dict[str, int], seed: int) -> int:
    RESULTS.mkdir(parents=True, exist_ok=True)
    results = []
    for name in names:
        result = _in_a_process(name, lengths[name], seed)
        (RESULTS / f"{name}.json").write_text(json.dumps(result, indent=2) + "\n")
        results.append(result)
    (RESULTS / "summary.json").write_text(json.dumps(results, indent=2) + "\n")
    return int(any(_is_failure(result) for result in results))


def _in_a_process(name: str, count: int, seed: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.faults", name, "--count", str(count), "--seed", str(seed), "--json"]
    finished = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    try:
        result: dict[str, Any] = json.loads(finished.stdout)
    except ValueError:
        result = {"rig": name, "holds": False, "exit_status": finished.returncode}
        sys.stdout.write(f"{name}: {'NOT RUN' if finished.returncode == NOT_RUN else 'CRASHED'}\n")
    else:
        sys.stdout.write(Report(name, result["counts"], result["broken"]).line() + "\n")
    sys.stdout.flush()
    return result


def _is_failure(result: dict[str, Any]) -> bool:
    if result.get("exit_status") == NOT_RUN:
        return os.environ.get("REX_REQUIRE_EVERYTHING") == "1"
    return not result["holds"]


if __name__ == "__main__":
    sys.exit(main())
