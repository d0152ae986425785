"""Runs every fault rig at full length, one after the other: `make faults`. It takes about two and a half hours.

    python -m tests.faults                      all rigs
    python -m tests.faults --only kill soak     only these
    python -m tests.faults --short              at the length of a first try: about ten minutes

Each rig is a program of its own (`python -m tests.faults.kill --help`); if one crashes, the others still run. Prints a line for
each rig to standard output; its counts are written as JSON to build/faults/, one file for each rig and summary.json.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.faults import (
    by_chance,
    claims,
    clock_step,
    corruption,
    database_away,
    door,
    failed_device,
    failed_sync,
    failover,
    file_removed,
    follower_kill,
    kill,
    lost_rows,
    namespaces,
    network,
    postgres_disk,
    postgres_power_cut,
    power_cut,
    redis_away,
    redis_lost,
    resume,
    resume_scaled,
    retry_storm,
    snapshots,
    soak,
    soak_scaled,
    stops,
    take_over,
)
from tests.faults.rig import Report, Rig

RIGS = {
    module.RIG.name: module.RIG
    for module in (
        power_cut,
        kill,
        failed_sync,
        failed_device,
        corruption,
        snapshots,
        file_removed,
        stops,
        clock_step,
        retry_storm,
        resume,
        resume_scaled,
        take_over,
        claims,
        database_away,
        failover,
        lost_rows,
        redis_lost,
        redis_away,
        network,
        namespaces,
        follower_kill,
        postgres_power_cut,
        postgres_disk,
        door,
        by_chance,
        soak,
        soak_scaled,
    )
}
RESULTS = Path("build/faults")
NOT_RUN = 2


def main() -> int:
    """Exit status 0 if every promise held; 1 if one was broken or a rig crashed or, with REX_REQUIRE_EVERYTHING=1, could not
    run."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.faults", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--only", nargs="+", choices=list(RIGS), default=list(RIGS), metavar="RIG", help=", ".join(RIGS)
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--short", action="store_true", help="each at the length of a first try")
    options = parser.parse_args()
    RESULTS.mkdir(parents=True, exist_ok=True)
    results = []
    for name in options.only:
        result = _run(RIGS[name], options.seed, options.short)
        (RESULTS / f"{name}.json").write_text(json.dumps(result, indent=2) + "\n")
        results.append(result)
    (RESULTS / "summary.json").write_text(json.dumps(results, indent=2) + "\n")
    return int(any(_is_failure(result) for result in results))


def _run(rig: Rig, seed: int, short: bool) -> dict[str, Any]:
    count = str(rig.short if short else rig.long)
    command = [
        sys.executable,
        "-m",
        f"tests.faults.{rig.name}",
        f"--{rig.trials}",
        count,
        "--seed",
        str(seed),
        "--json",
    ]
    finished = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    try:
        result: dict[str, Any] = json.loads(finished.stdout)
    except ValueError:
        result = {"rig": rig.name, "holds": False, "exit_status": finished.returncode}
        sys.stdout.write(f"{rig.name}: NOT RUN\n" if finished.returncode == NOT_RUN else f"{rig.name}: CRASHED\n")
    else:
        sys.stdout.write(Report(rig.name, result["counts"], result["broken"]).line() + "\n")
    sys.stdout.flush()
    return result


def _is_failure(result: dict[str, Any]) -> bool:
    if result.get("exit_status") == NOT_RUN:
        return os.environ.get("REX_REQUIRE_EVERYTHING") == "1"
    return not result["holds"]


if __name__ == "__main__":
    sys.exit(main())
