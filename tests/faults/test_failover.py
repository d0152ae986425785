"""Failovers: a synchronous standby has every acknowledged order; where an asynchronous one lacks some, the venue stops."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from random import Random

import pytest

from tests.faults import lost_rows, postgres_mutants
from tests.faults.failover import KINDS, Pair, one_venue, stage
from tests.faults.rig import CannotRun, Report
from tests.faults.scaled_venue import ScaledVenue

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def shared_stage() -> Iterator[tuple[ScaledVenue, Pair]]:
    """One venue for all tests."""
    with ExitStack() as opened:
        try:
            found = opened.enter_context(stage())
        except CannotRun as reason:
            pytest.skip(f"NO FAILOVER OF POSTGRESQL WAS TRIED: {reason}")
        yield found


def test_a_failover_to_the_synchronous_standby_loses_nothing(shared_stage: tuple[ScaledVenue, Pair]) -> None:
    report = Report("failover")
    asyncio.run(one_venue(*shared_stage, [*KINDS], Random(1), report, lambda: None))
    assert report.broken == []
    assert all(report.counts[kind] == 1 for kind in KINDS)
    assert report.counts["journals_verified"] == 1


def test_where_rows_were_lost_every_process_stops_but_one_that_forgets(
    shared_stage: tuple[ScaledVenue, Pair],
) -> None:
    venue, pair = shared_stage
    venue.mutants = {"projector": postgres_mutants.forgetful}
    venue.replace("projector 1")
    report = Report("lost_rows")
    asyncio.run(lost_rows.one_loss(venue, pair, Random(1), report, ["projector 1"]))
    assert [sentence.split(",")[0] for sentence in report.broken] == ["projector 1 goes on"]
    assert report.counts["acknowledged_orders_lost"] >= lost_rows.LOST
    assert report.counts["sequencers_stopped"] == report.counts["gateways_stopped"] == 2


def test_the_rig_catches_a_writer_that_reads_back(shared_stage: tuple[ScaledVenue, Pair]) -> None:
    venue, pair = shared_stage
    venue.mutants = {"sequencer": postgres_mutants.read_back}
    for name in ("sequencer 2", "gateway 2"):
        venue.end(name)
    for name in ("sequencer 1", "gateway 1", "projector 1"):
        venue.replace(name)
    venue.wait_ready()
    report = Report("failover")
    asyncio.run(one_venue(venue, pair, ["behind"], Random(1), report, lambda: None))
    assert any("is not on the promoted standby" in sentence for sentence in report.broken)
