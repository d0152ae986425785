"""Runs a whole venue in virtual time, one seed after the other, and checks every promise of each.

    python -m tests.simulation --seeds 1000             seeds 1 to 1000
    python -m tests.simulation --seeds 100000 --first 1001 --jobs 2
    python -m tests.simulation --seed 4711              one seed again, exactly; shows its last events
    python -m tests.simulation --seed 4711 --trace      the same with all events
    python -m tests.simulation --seeds 200 --mutant "503 for what was sent"   until it is found

A failure prints its seed, the step at which a promise broke, and the last events. The same seed makes the same run, event for
event, on any machine: its hash is printed. Gateways, link, sequencer, journal and projector are the product's own code; clock,
network and PostgreSQL are simulated (docs/durability.md, The simulation).

Exit status 1: a promise was broken. Run one seed again with --seed. Ctrl-C breaks --seeds off; the line says how many were run.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext
from time import monotonic
from typing import Any

from load_tests import progress
from tests.simulation.mutants import MUTANTS, planted
from tests.simulation.run import Outcome, run
from tests.simulation.world import KEPT

AT_ONCE = 50
"""So many seeds are one piece of work of a process."""
SEEDS = "seeds that were run"
"""Their count among the others."""
SAYS_EVERY = 500
"""After so many seeds the program says how far it is."""
MOST_FAILURES = 10
"""After so many failures the run ends."""


def main(arguments: list[str] | None = None) -> int:
    """The program."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.simulation", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--seeds", type=int, default=200, metavar="N", help="how many seeds; 200 without this option")
    what.add_argument("--seed", type=int, metavar="SEED", help="one seed, and what happened in it")
    parser.add_argument("--first", type=int, default=1, metavar="SEED", help="the first of --seeds")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="how many processes run --seeds")
    parser.add_argument("--trace", action="store_true", help="with --seed: all events, not only the last ones")
    parser.add_argument("--mutant", choices=list(MUTANTS), help="with this defect planted in the product")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output, for programs")
    options = parser.parse_args(arguments)
    if options.seed is not None:
        return _one(options)
    return _many(options)


def _one(options: argparse.Namespace) -> int:
    _quieten()
    with planted(MUTANTS[options.mutant]) if options.mutant else nullcontext():
        outcome = run(options.seed, keep=None if options.trace else KEPT)
    if options.json:
        sys.stdout.write(json.dumps(vars(outcome)) + "\n")
    else:
        sys.stdout.write("".join(outcome.last))
        sys.stdout.write(
            f"seed {outcome.seed}: {outcome.events:,} events, hash {outcome.trace_hash}: {_verdict(outcome)}\n"
        )
    return int(bool(outcome.failure))


def _verdict(outcome: Outcome) -> str:
    return f"BROKEN {outcome.failure}" if outcome.failure else "every promise held"


def _many(options: argparse.Namespace) -> int:
    began, failures, counts = monotonic(), list[Outcome](), Counter[str]()
    try:
        _run_all(options, failures, counts)
    except KeyboardInterrupt:
        sys.unraisablehook = lambda _unraisable: None  # The seed that was broken off leaves coroutines behind.
        sys.stderr.write("simulation: broken off\n")
    report = _report(options, failures, counts, monotonic() - began)
    sys.stdout.write((json.dumps(report) if options.json else _line(report)) + "\n")
    return int(bool(failures))


def _run_all(options: argparse.Namespace, failures: list[Outcome], counts: Counter[str]) -> None:
    began = monotonic()
    with progress.shown(not options.json) as stages:
        stages.begin("simulation", options.seeds)
        for outcome in _outcomes(options):
            stages.advance()
            counts[SEEDS] += 1
            if (done := counts[SEEDS]) % SAYS_EVERY == 0:
                rate = done / (monotonic() - began)
                sys.stderr.write(f"simulation: {done:,} seeds, {rate:.1f} a second, {len(failures)} broken\n")
            counts.update(outcome.counts)
            if not outcome.failure:
                continue
            failures.append(outcome)
            sys.stderr.write("".join(outcome.last))
            sys.stderr.write(f"seed {outcome.seed}: BROKEN {outcome.failure}\n")
            if len(failures) == MOST_FAILURES or options.mutant:
                break


def _outcomes(options: argparse.Namespace) -> Iterator[Outcome]:
    seeds = range(options.first, options.first + options.seeds)
    pieces = [seeds[start : start + AT_ONCE] for start in range(0, len(seeds), AT_ONCE)]
    if options.jobs == 1:
        for piece in pieces:
            yield from _piece(piece, options.mutant)
        return
    with ProcessPoolExecutor(options.jobs) as pool:
        try:
            for outcomes in pool.map(_whole_piece, pieces, [options.mutant] * len(pieces)):
                yield from outcomes
        finally:
            pool.shutdown(cancel_futures=True)


def _whole_piece(seeds: range, mutant: str | None) -> list[Outcome]:
    return list(_piece(seeds, mutant))


def _piece(seeds: range, mutant: str | None) -> Iterator[Outcome]:
    _quieten()
    with planted(MUTANTS[mutant]) if mutant else nullcontext():
        for seed in seeds:
            yield run(seed)


def _quieten() -> None:
    """What asyncio says of tasks and futures of processes that were killed is no news."""
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)


def _report(
    options: argparse.Namespace, failures: list[Outcome], counts: Counter[str], took_s: float
) -> dict[str, Any]:
    seeds = counts.pop(SEEDS, 0)
    return {
        "rig": "simulation",
        "holds": not failures,
        "first": options.first,
        "seeds": seeds,
        "passed": seeds - len(failures),
        "took_s": round(took_s),
        "seeds_per_s": round(seeds / max(took_s, 0.001), 1),
        "counts": dict(sorted(counts.items())),
        "broken": [{"seed": one.seed, "failure": one.failure, "hash": one.trace_hash} for one in failures],
    }


def _line(report: dict[str, Any]) -> str:
    counts = ", ".join(f"{name} {value:,}" for name, value in report["counts"].items())
    rate = (
        f"{report['seeds']:,} seeds from {report['first']} in {report['took_s']:,} s ({report['seeds_per_s']} a second)"
    )
    broken = "; ".join(f"seed {one['seed']} {one['failure']}" for one in report["broken"])
    return f"simulation: {rate}: {counts}: {'BROKEN: ' + broken if broken else 'every promise held'}"


if __name__ == "__main__":
    sys.exit(main())
