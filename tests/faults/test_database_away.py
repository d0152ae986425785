"""PostgreSQL goes away and comes back: nothing that was acknowledged is lost, and the venue goes on by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from random import Random

import pytest

from tests.faults import postgres_mutants
from tests.faults.database_away import FAULTS, Database, Lengths, one_venue, stage
from tests.faults.rig import CannotRun, Report
from tests.faults.scaled_venue import ScaledVenue

pytestmark = pytest.mark.slow

LENGTHS = Lengths(short_s=1.0, long_s=postgres_mutants.HURRIED_S + 2, away_s=2.0)


@pytest.fixture(scope="module")
def shared_stage() -> Iterator[tuple[ScaledVenue, Database]]:
    """One venue for all tests: the last one breaks it."""
    with ExitStack() as opened:
        try:
            found = opened.enter_context(stage(LENGTHS, {"gateway": postgres_mutants.hurried_replies}))
        except CannotRun as reason:
            pytest.skip(f"NO FAULT OF POSTGRESQL WAS TRIED: {reason}")
        yield found


def test_nothing_is_lost_while_postgresql_is_away(shared_stage: tuple[ScaledVenue, Database]) -> None:
    venue, database = shared_stage
    report = Report("database_away")
    asyncio.run(one_venue(venue, database, [*FAULTS], Random(1), report, lambda: None))
    assert report.broken == []
    assert all(report.counts[kind] == 1 for kind in FAULTS)
    assert report.counts["outcome_unknown"] > 0
    assert report.counts["journals_verified"] == 1


def test_the_rig_catches_a_writer_that_assumes_a_commit(shared_stage: tuple[ScaledVenue, Database]) -> None:
    venue, database = shared_stage
    venue.mutants = {**venue.mutants, "sequencer": postgres_mutants.assumed_commit}
    for name in [name for name in venue.processes if name.startswith("sequencer")]:
        venue.replace(name)
    report = Report("database_away")
    asyncio.run(one_venue(venue, database, ["lost_request"], Random(1), report, lambda: None))
    assert any("acknowledged as order" in sentence and "is lost" in sentence for sentence in report.broken)
