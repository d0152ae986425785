"""Hosts are cut off from each other, in network namespaces: nothing is lost or twice. Needs root and iproute2."""

from __future__ import annotations

import os
import shutil

import pytest

from tests.faults import namespaces
from tests.faults.rig import CannotRun, Report
from tests.faults.scaled_mutants import early_acknowledgement
from tests.faults.switch import Switch
from tests.faults.venue_process import Mutant

pytestmark = pytest.mark.slow


def run(cuts: int, kind: str, lasts_s: float, **mutants: Mutant) -> Report:
    try:
        return namespaces.run(cuts, 1, lambda: None, kinds=(kind,), lasts_s=(lasts_s,), mutants=mutants)
    except CannotRun as reason:
        pytest.skip(f"NO HOST WAS CUT OFF: {reason}")


def test_a_leader_is_cut_off_from_all_others_and_nothing_is_lost() -> None:
    report = run(1, "leader alone", 2.5)
    assert report.broken == []
    assert (report.counts["leader_alone"], report.counts["standbys_compared"]) == (1, 1)
    assert report.counts["acknowledged"] > 0


@pytest.mark.long
def test_a_leader_that_acknowledges_before_its_commit_is_caught() -> None:
    assert run(1, "leader and postgres", 2.5, sequencer=early_acknowledgement).broken


def test_without_root_the_rig_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(CannotRun, match="need root"), Switch(["postgres"]):
        pass
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    with pytest.raises(CannotRun, match="iproute2"), Switch(["postgres"]):
        pass
