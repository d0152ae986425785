"""PostgreSQL's disk loses its power, fills up, fails, or becomes read-only; hosts are cut off from each other. Needs root."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Iterator, Sequence
from random import Random

import pytest

from tests.faults.disk_faults import restart_all
from tests.faults.rig import CannotRun, Report
from tests.faults.scaled import DISK, HOSTS, Fault, follow_each_other, run
from tests.faults.scaled_mutants import early_acknowledgement, undurable_server
from tests.faults.stage import Pace, Wired, wired
from tests.faults.switch import Switch
from tests.faults.venue_process import Mutant

pytestmark = pytest.mark.slow
QUICK = Pace(pause_s=0.1, most=30, lasts_s=(2.5,))
"""A gate needs the disk, not the load."""


@pytest.fixture(scope="module")
def opened() -> Iterator[Wired]:
    try:
        with wired(sequencers=1, on_disk=True) as stage:
            yield stage
    except CannotRun as reason:
        pytest.skip(f"NO TEST OF POSTGRESQL'S DISK RAN: {reason}")


@pytest.fixture
def stage(opened: Wired) -> Wired:
    opened.venue.start_missing()
    return opened


def follow(stage: Wired, faults: Sequence[Fault]) -> Report:
    report = Report("disk")
    asyncio.run(follow_each_other(stage, faults, report, Random(1), lambda: None, QUICK))
    return report


def test_no_acknowledged_order_is_lost_whatever_becomes_of_postgresqls_disk(stage: Wired) -> None:
    """Each ends with a cut of the server's power while the processes run on, but that of everything."""
    names = ("power of everything", "full", "full log and a kill", "io error", "read only and a kill")
    report = follow(stage, DISK.named(*names))
    assert report.broken == []
    assert report.counts["said_why"] == 4
    assert report.counts["acknowledged"] > 0


@pytest.mark.long
def test_a_leader_that_acknowledges_before_the_commit_is_caught(stage: Wired) -> None:
    stage.venue.restart("sequencer 1", mutant=early_acknowledgement)
    assert follow(stage, DISK.named("read only and a kill")).broken, (
        "orders acknowledged before their commit went unseen"
    )


@pytest.mark.long
def test_a_server_without_fsync_is_caught(opened: Wired) -> None:
    opened.venue.mutants = {"sequencer": undurable_server}
    restart_all(opened.venue)
    opened.machine.without_syncs()
    opened.venue.wait_ready()
    assert follow(opened, DISK.named("power of everything")).broken, "a server with fsync = off went unseen"


def cut(kind: str, **mutants: Mutant) -> Report:
    part = HOSTS._replace(faults=HOSTS.named(kind))
    try:
        return run(part, 1, 1, lambda: None, mutants=mutants, pace=QUICK)
    except CannotRun as reason:
        pytest.skip(f"NO HOST WAS CUT OFF: {reason}")


def test_a_leader_is_cut_off_from_all_others_and_nothing_is_lost() -> None:
    report = cut("leader alone")
    assert report.broken == []
    assert (report.counts["leader_alone"], report.counts["standbys_compared"]) == (1, 1)
    assert report.counts["acknowledged"] > 0


@pytest.mark.long
def test_a_leader_on_a_host_that_acknowledges_before_its_commit_is_caught() -> None:
    assert cut("leader and postgres", sequencer=early_acknowledgement).broken


def test_without_root_the_rig_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(CannotRun, match="need root"), Switch(["postgres"]):
        pass
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    with pytest.raises(CannotRun, match="iproute2"), Switch(["postgres"]):
        pass
