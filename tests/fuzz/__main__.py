"""Sends generated input to a venue until it breaks a promise or the count is reached: `make fuzz`.

    python -m tests.fuzz                                        100,000 requests, then 100,000 WebSocket frames
    python -m tests.fuzz --requests 5000 --frames 0 --seed 7    only requests, and other ones
    python -m tests.fuzz --scaled                               to a venue in the scaled mode, on a PostgreSQL of its own
    python -m tests.fuzz --venue http://127.0.0.1:8000 --key-file rex-data/keys.json

`--venue` leaves a venue that runs already with accounts, orders and settings of a test: never one that is used. Prints a line
for requests and one for frames to standard output, with `--json` one JSON object; the progress goes to standard error.
The same seed makes the same input, but for what depends on answers. Ctrl-C, SIGTERM or the end of `--minutes` breaks off: the
venue is stopped, and the line says what was sent until then.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from time import monotonic

import httpx

from load_tests import progress
from tests.faults.rig import Advance, CannotRun
from tests.fuzz import breaking_off, frames, rest
from tests.fuzz.breaking_off import BreakOff, FuzzReport
from tests.fuzz.stage import Stage, embedded, running, scaled

Run = Callable[[Stage, int, int, Advance, FuzzReport], None]
RUNS: dict[str, Run] = {"requests": rest.run, "frames": frames.run}
SILENCE_S = 30
"""Without a terminal, the progress is a line after so many seconds."""


def main() -> int:
    """Exit status 0: every promise held; 1: one was broken; 2: there is no PostgreSQL for `--scaled`; 3: broken off."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.fuzz", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name in RUNS:
        parser.add_argument(f"--{name}", type=int, default=100_000, metavar="N", help="how many; default: 100000")
    parser.add_argument("--seed", type=int, default=1, help="of everything that is generated")
    parser.add_argument("--minutes", type=int, default=60, metavar="N", help="how long at most; default: 60")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--scaled", action="store_true", help="to a new venue in the scaled mode")
    where.add_argument("--venue", metavar="URL", help="to a venue that runs already; needs --key-file")
    parser.add_argument("--key-file", type=Path, metavar="FILE", help="its keys.json, with the key `operator`")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output, for programs")
    options = parser.parse_args()
    if options.venue and options.key_file is None:
        parser.error("--venue needs --key-file")
    with breaking_off.at_signals(options.minutes) as break_off:
        try:
            reports = [*_performed(options, break_off)]
        except CannotRun as reason:
            sys.stderr.write(f"NOT RUN: {reason}\n")
            return 2
    if options.json:
        sys.stdout.write(json.dumps([report.to_json() for report in reports], indent=2) + "\n")
    if any(report.broken for report in reports):
        return 1
    return breaking_off.EXIT_STATUS if break_off.reason else 0


def _performed(options: argparse.Namespace, break_off: BreakOff) -> Iterator[FuzzReport]:
    for name, run in RUNS.items():
        count = getattr(options, name)
        if count and not break_off.reason:
            report = perform(name, run, count, options.seed, _opened(options), break_off)
            if not options.json:
                sys.stdout.write(report.line() + "\n")
                sys.stdout.flush()
            yield report


def perform(
    name: str,
    run: Run,
    count: int,
    seed: int,
    opened: Callable[[], AbstractContextManager[Stage]],
    break_off: BreakOff | None = None,
) -> FuzzReport:
    """One run on a venue of its own, with its progress. Raises CannotRun."""
    began, report = monotonic(), FuzzReport(name, break_off=break_off or BreakOff())
    with progress.shown(True) as stages, opened() as stage:
        stages.begin(name, count)
        sys.stderr.write(f"{name}: to {', '.join(stage.urls)}\n")
        try:
            run(stage, count, seed, _shown(name, count, stages.advance), report)
        except httpx.TransportError as error:
            report.broken.append(f"the venue does not answer: {error!r}")
        if not report.break_off.reason:
            report.broken += stage.broken()
    report.counts |= {"seed": seed, "took_s": round(monotonic() - began)}
    return report


def _shown(name: str, count: int, bar: Advance) -> Advance:
    """Moves the bar; where there is no terminal to show it, writes a line now and then."""
    done, said = 0, -float(SILENCE_S)

    def advance() -> None:
        nonlocal done, said
        done += 1
        bar()
        if monotonic() - said >= SILENCE_S and not sys.stderr.isatty():
            said = monotonic()
            sys.stderr.write(f"{name}: {done:,} of {count:,}\n")
            sys.stderr.flush()

    return advance


def _opened(options: argparse.Namespace) -> Callable[[], AbstractContextManager[Stage]]:
    if options.venue:
        key = json.loads(options.key_file.read_text())["operator"]["key"]
        return partial(running, options.venue, key)
    return scaled if options.scaled else embedded


if __name__ == "__main__":
    sys.exit(main())
