"""The election: one writer at a time, and a deposed one ends with exit status 3 having written nothing.

With processes: test_scaled.py.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from random import Random

import pytest

from services.journal.postgres import statements
from tests.faults import claims, postgres_mutants
from tests.faults.rig import Report
from tests.long import some

pytestmark = pytest.mark.slow


def test_of_standbys_that_claim_at_once_one_wins_and_a_late_append_writes_nothing(postgres_url: str) -> None:
    report = Report("claims")
    asyncio.run(claims.in_process(postgres_url, 5, Random(2), report, lambda: None))
    assert report.broken == []
    assert {"late_request", "late_reply", "cut", "committed_before_the_claim"} <= report.counts.keys()


@pytest.mark.parametrize("mutant", some([postgres_mutants.unfenced_append, postgres_mutants.claim_without_a_look]))
def test_the_rig_catches(mutant: Callable[[], None], postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("APPEND", "CLAIM"):
        monkeypatch.setattr(statements, name, getattr(statements, name))  # restored after the test
    mutant()
    report = Report("claims")
    asyncio.run(claims.in_process(postgres_url, 6, Random(2), report, lambda: None))
    assert report.broken, f"{mutant.__name__} went unseen"
