"""Runs every long rig for a given time, one after the other, and writes a report: `make night`.

    python -m tests.night --hours 8 --seed 1
    python -m tests.night --hours 0.5 --only kill leader

Each rig has its share of the time (tests/night/rigs.py), in rounds with seeds of their own; what a rig does not need goes to
the later ones. A rig that crashes or hangs does not stop the others. A line for each round goes to standard output; report.md,
report.json and a log of each rig are in build/night/, written anew after each round. Ctrl-C or SIGTERM ends the rig that runs,
and the report says so. A seed makes the same choices; what it meets depends on the machine.
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from time import monotonic

from tests.night.report import Report, hours_text
from tests.night.rigs import RIGS, NightRig
from tests.night.rounds import RigResult, run_rig

FOLDER = Path("build/night")
INTERRUPTED = 130


def main(rigs: Sequence[NightRig] = RIGS, arguments: Sequence[str] | None = None) -> int:
    """Exit status 0: every promise held; 1: one was broken, or a rig crashed; 130: it was interrupted before either."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.night", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    names = [rig.name for rig in rigs]
    parser.add_argument("--hours", type=float, default=8.0)
    parser.add_argument("--seed", type=int, default=1, help="of the first round of every rig")
    parser.add_argument("--only", nargs="+", choices=names, default=names, metavar="RIG", help=", ".join(names))
    parser.add_argument("--folder", type=Path, default=FOLDER, help=f"for report and logs; default: {FOLDER}")
    options = parser.parse_args(arguments)
    if options.hours <= 0:
        parser.error("--hours must be more than 0")
    options.folder.mkdir(parents=True, exist_ok=True)
    for log in options.folder.glob("*.log"):
        log.unlink()
    report = Report(options.hours, options.seed)
    before = signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    try:
        _run([rig for rig in rigs if rig.name in options.only], options, report)
    except KeyboardInterrupt:
        report.ended_early = "it was interrupted"
    finally:
        signal.signal(signal.SIGTERM, before)
        report.write(options.folder)
    sys.stdout.write(f"{options.folder / 'report.md'}: {', '.join(report.failed) or 'nothing'} failed\n")
    return 1 if report.failed else INTERRUPTED if report.ended_early else 0


def _run(rigs: list[NightRig], options: argparse.Namespace, report: Report) -> None:
    ends_s = monotonic() + options.hours * 3_600
    shares = sum(rig.share for rig in rigs)
    for place, rig in enumerate(rigs):
        report.waiting = [later.name for later in rigs[place + 1 :]]
        report.results.append(RigResult(rig))

        def on_round(result: RigResult) -> None:
            report.results[-1] = result
            one, name = result.rounds[-1], result.rig.name
            count = f"{one.count:,} {result.rig.trials.replace('_', ' ')}"
            left_h = max(0.0, ends_s - monotonic()) / 3_600
            sys.stdout.write(
                f"{datetime.now():%H:%M:%S} {name}: {count}, seed {one.seed}, {one.seconds:.0f} s: {one.verdict}"
                f" ({hours_text(left_h)} left)\n"
            )
            sys.stdout.flush()
            report.write(options.folder)

        seconds = max(0.0, ends_s - monotonic()) * rig.share / shares
        shares -= rig.share
        report.results[-1] = run_rig(rig, seconds, options.seed, options.folder, on_round)


if __name__ == "__main__":
    sys.exit(main())
