"""Processes of a scaled venue die, its network is damaged, Redis goes away. All on one venue, in this order.

Without root or a disk of its own; PostgreSQL's faults: test_scaled_postgres.py."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from random import Random

import pytest

from tests.faults import process_faults
from tests.faults.mutants import orders_wait_for_redis
from tests.faults.rig import CannotRun, Report
from tests.faults.scaled import FOLLOWERS, LEADER, NETWORK, REDIS, Fault, follow_each_other, run
from tests.faults.scaled_mutants import ignored_gaps, no_transactions, refusal_of_unknown_outcomes
from tests.faults.stage import Pace, Wired, wired

pytestmark = pytest.mark.slow
QUICK = Pace(pause_s=0.1, most=30, lasts_s=(0.1, 0.5))
"""A gate needs the faults, not the load."""


@pytest.fixture(scope="module")
def opened() -> Iterator[Wired]:
    try:
        with wired() as stage:
            yield stage
    except CannotRun as missing:
        pytest.skip(f"NO FAULT OF A SCALED VENUE WAS TRIED: {missing}")


@pytest.fixture
def stage(opened: Wired) -> Wired:
    opened.venue.start_missing()
    return opened


def follow(stage: Wired, faults: Sequence[Fault], pace: Pace = QUICK) -> Report:
    report = Report("scaled")
    asyncio.run(follow_each_other(stage, faults, report, Random(1), lambda: None, pace))
    return report


def test_whatever_process_dies_and_whatever_becomes_of_redis_and_the_network_nothing_is_lost_or_twice(
    stage: Wired,
) -> None:
    damaged = NETWORK.named(
        "cut of link",
        "refused of gateway-postgres",
        "delay of sequencer-postgres",
        "half close of projector-postgres",
        "single bytes of redis",
        "black hole of link",
    )
    report = follow(stage, faults := [*LEADER.faults, *REDIS.faults, *damaged, *FOLLOWERS.faults])
    assert report.broken == []
    assert all(report.counts[fault.name.replace(" ", "_")] == 1 for fault in faults)
    assert report.counts["rebuilt_row_for_row"] == report.counts["journals_proven"] == 2
    assert min(report.counts[name] for name in ("acknowledged", "queries")) > 0


@pytest.mark.long
def test_gateways_that_refuse_what_is_executed_are_caught(stage: Wired) -> None:
    stage.venue.end("sequencer 2")  # Of two, another one might lead than the one that is harmed.
    for name in ("gateway 1", "gateway 2"):
        stage.venue.restart(name, mutant=refusal_of_unknown_outcomes)
    report = follow(stage, NETWORK.named("black hole of sequencer-postgres"), QUICK._replace(lasts_s=(2.0,)))
    for name in ("gateway 1", "gateway 2"):
        stage.venue.restart(name)
    stage.venue.start("sequencer 2")
    assert any("was refused and is there" in sentence for sentence in report.broken), report.broken


def test_a_projector_without_transactions_is_caught(stage: Wired, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last test: no gateway can be loaded from the read database that it leaves behind."""
    monkeypatch.setattr(process_faults, "STATEMENTS", process_faults.WITHIN)
    stage.venue.mutants = {"projector": no_transactions}
    broken = follow(stage, FOLLOWERS.named("statement")).broken
    assert any("table" in sentence for sentence in broken), broken


@pytest.mark.long
def test_a_projector_that_ignores_gaps_is_caught() -> None:
    part = REDIS._replace(faults=REDIS.named("restarted empty"))
    assert run(part, 1, 1, lambda: None, mutants={"projector": ignored_gaps}, pace=QUICK).broken


@pytest.mark.long
def test_a_leader_that_waits_for_redis_is_caught() -> None:
    pace = QUICK._replace(orders_s=2.0)
    broken = run(REDIS, 1, 1, lambda: None, mutants={"sequencer": orders_wait_for_redis}, pace=pace).broken
    assert any("no order was acknowledged" in sentence for sentence in broken), broken
