"""The gate: seeds hold every promise (60 in `make test`, 200 in `make test-long`), a seed runs the same way everywhere, and a
failure can be run again."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.long import some
from tests.simulation.__main__ import main
from tests.simulation.run import run

SEEDS = 200
PIECE = 20


@pytest.mark.parametrize("first", some(range(1, SEEDS, PIECE), short=3))
def test_every_promise_holds(first: int) -> None:
    for seed in range(first, first + PIECE):
        outcome = run(seed)
        assert not outcome.failure, f"python -m tests.simulation --seed {seed}: {outcome.failure}"


@pytest.mark.parametrize("seed", [15_327, 22_191, 22_195])
def test_what_was_visible_and_not_confirmed_is_no_ground_for_an_answer(seed: int) -> None:
    outcome = run(seed)
    assert not outcome.failure, outcome.failure
    assert outcome.counts["commits lost by a failover"]


def test_a_seed_runs_the_same_way_again() -> None:
    first, others, again = run(7), [run(seed) for seed in (8, 9)], run(7)
    assert (first.trace_hash, first.events, first.counts) == (again.trace_hash, again.events, again.counts)
    assert first.trace_hash not in {outcome.trace_hash for outcome in others}


@pytest.mark.slow
@pytest.mark.parametrize("hash_seed", some(["4711", "1"]))
def test_a_seed_runs_the_same_way_in_another_process_under_another_hash_seed(hash_seed: str) -> None:
    here = [run(seed).trace_hash for seed in (11, 12, 13)]
    program = "from tests.simulation.run import run; print(*[run(seed).trace_hash for seed in (11, 12, 13)])"
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    elsewhere = subprocess.run(
        [sys.executable, "-c", program], env=environment, stdout=subprocess.PIPE, text=True, check=True
    )
    assert elsewhere.stdout.split() == here


def test_the_program_says_what_it_has_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--seeds", "3", "--first", "5", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["holds"], report["seeds"], report["passed"], report["first"]) == (True, 3, 3, 5)
    assert report["counts"]["take-overs"]
