"""PostgreSQL's disk loses its power, fills up, fails, or becomes read-only: nothing that was acknowledged is lost. All on one
disk, in this order."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from random import Random

import pytest

from tests.faults import postgres_disk, postgres_power_cut
from tests.faults.postgres_machine import PostgresMachine, postgres_machine, restart_all
from tests.faults.rig import CannotRun, Report
from tests.faults.scaled_mutants import early_acknowledgement, undurable_server
from tests.faults.scaled_venue import ScaledVenue, scaled_venue
from tests.faults.settled import OpenGateway
from tests.faults.traders import Trader, open_traders

pytestmark = pytest.mark.slow
PAUSE_S = 0.1
"""A gate needs the disk, not the load."""


@pytest.fixture(scope="module")
def opened() -> Iterator[tuple[PostgresMachine, ScaledVenue]]:
    with ExitStack() as stack:
        try:
            machine = stack.enter_context(postgres_machine())
        except CannotRun as reason:
            pytest.skip(f"NO TEST OF POSTGRESQL'S DISK RAN: {reason}")
        yield machine, stack.enter_context(scaled_venue(machine.server.create_database("rex"), sequencers=1))


@pytest.fixture
def traders(opened: tuple[PostgresMachine, ScaledVenue]) -> list[Trader]:
    _, venue = opened
    if venue.processes["projector 1"].process.exitcode is not None:
        venue.restart("projector 1")
    venue.wait_ready()
    return asyncio.run(open_traders(OpenGateway(venue.gateways()[0], venue.operator_key)))


def nothing() -> None:
    """Shows no progress."""


def test_no_acknowledged_order_is_lost_when_the_power_is_cut_under_postgresql(
    opened: tuple[PostgresMachine, ScaledVenue], traders: list[Trader]
) -> None:
    report = Report("postgres_power_cut")
    asyncio.run(postgres_power_cut.run_cuts(*opened, traders, 2, Random(1), report, nothing, pause_s=PAUSE_S))
    assert report.broken == []
    assert report.counts["acknowledged"] > 0


def test_a_full_failing_or_read_only_disk_under_postgresql_makes_no_false_acknowledgement(
    opened: tuple[PostgresMachine, ScaledVenue], traders: list[Trader]
) -> None:
    report = Report("postgres_disk")
    asyncio.run(postgres_disk.run_trials(*opened, traders, 4, Random(1), report, nothing, pause_s=PAUSE_S))
    assert report.broken == []
    assert report.counts["said_why"] == 4


@pytest.mark.long
def test_the_rig_catches_a_leader_that_acknowledges_before_the_commit(
    opened: tuple[PostgresMachine, ScaledVenue], traders: list[Trader]
) -> None:
    machine, venue = opened
    venue.restart("sequencer 1", mutant=early_acknowledgement)
    report = Report("postgres_disk")
    trials = postgres_disk.run_trials(
        machine, venue, traders, 1, Random(1), report, nothing, kinds=("read only",), kills=True, pause_s=PAUSE_S
    )
    asyncio.run(trials)
    assert report.broken, "orders acknowledged before their commit went unseen"


@pytest.mark.long
def test_the_rig_catches_a_server_without_fsync(opened: tuple[PostgresMachine, ScaledVenue]) -> None:
    machine, venue = opened
    venue.mutants = {"sequencer": undurable_server}
    restart_all(venue)
    machine.without_syncs()
    venue.wait_ready()
    traders = asyncio.run(open_traders(OpenGateway(venue.gateways()[0], venue.operator_key)))
    report = Report("postgres_power_cut")
    trials = postgres_power_cut.run_cuts(
        machine, venue, traders, 1, Random(1), report, nothing, kinds=("everything",), pause_s=PAUSE_S
    )
    asyncio.run(trials)
    assert report.broken, "a server with fsync = off went unseen"
