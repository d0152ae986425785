"""Resumed streams: nothing is missed and nothing comes twice, whatever is cut or killed, whenever one joins."""

from __future__ import annotations

import pytest

from tests.faults import resume, resume_mutants, resume_scaled
from tests.faults.resume_followers import fills_off
from tests.faults.venue_process import Mutant
from tests.long import some

COUNTED = ("busts", "fills", "trades", "ledger_lines", "resumed_messages")
DEEP_LEVELS = 20
"""More than the checksum covers."""


def test_who_is_cut_off_again_and_again_hears_everything_once() -> None:
    report = resume.run(4, 5, lambda: None)
    assert report.broken == []
    assert min(report.counts[name] for name in ("cuts_of_sockets", "kills", *COUNTED)) > 0
    assert (report.counts["joins"], report.counts["levels_compared"] > DEEP_LEVELS) == (4, True)


@pytest.mark.slow
@pytest.mark.parametrize("of_each", some([1, 2]))
def test_who_goes_from_gateway_to_gateway_while_leaders_die_hears_everything_once(of_each: int) -> None:
    report = resume_scaled.run(of_each * len(resume_scaled.HARMS), 1, lambda: None)
    assert report.broken == []
    assert all(report.counts[kind] == of_each for kind in resume_scaled.HARMS)
    assert min(report.counts[name] for name in COUNTED) > 0
    assert (report.counts["joins"], report.counts["levels_compared"] > DEEP_LEVELS) == (4, True)


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.parametrize(
    ("process", "mutant", "sentence"),
    [
        ("gateway", resume_mutants.forgetful_resume, "fills are missed"),
        ("gateway", resume_mutants.repeated_trades, "came twice"),
        ("gateway", resume_mutants.shallow_depth, "book is not the venue's"),
        ("projector", resume_mutants.lost_ledger_rows, "differ from the ledger"),
    ],
)
def test_the_rig_catches_processes_that_forget_or_repeat(process: str, mutant: Mutant, sentence: str) -> None:
    broken = resume_scaled.run(4, 2, lambda: None, mutants={process: mutant}).broken
    assert any(sentence in each for each in broken), broken


def test_a_fill_that_is_missed_told_twice_or_out_of_order_is_said() -> None:
    """The judge of the rig, which its mutants show in venues."""
    first, second = ({"trade_id": str(number), "order_id": "7", "busted": False, "seq": number} for number in (1, 2))
    for heard, sentence in (
        ([first, second], ""),
        ([second], "1 of 2 fills are missed"),
        ([first, first, second], "1 came twice"),
        ([second, first], "the order differs"),
        ([first, second | {"order_id": "8"}], "1 of 2 fills are missed"),
        ([first, second | {"busted": True}], "a fill is not the venue's"),
    ):
        said = fills_off("the buyer's fills", heard, [first, second])
        assert [sentence in one for one in said] == [True] * bool(sentence), sentence


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.parametrize(
    ("mutant", "sentence"),
    [
        (resume_mutants.forgetful_resume, "fills are missed"),
        (resume_mutants.unheld_resume, "has a gap"),
        (resume_mutants.hasty_resume, "has a gap"),
        (resume_mutants.forgetful_trades, "trades are missed"),
        (resume_mutants.repeated_trades, "came twice"),
        (resume_mutants.shallow_depth, "book is not the venue's"),
        (resume_mutants.lost_depth, "out of step"),
        (resume_mutants.empty_snapshot, "the late "),
        (resume_mutants.stale_balances, "differ from the ledger"),
        (resume_mutants.lost_ledger_rows, "orders ended with a reserve"),
        (resume_mutants.skipping_cursor, "the account has"),
        (resume_mutants.timeless_balances, "has other lines"),
    ],
)
def test_the_rig_catches_a_venue_that_forgets_or_repeats(mutant: Mutant, sentence: str) -> None:
    broken = resume.run(4, 2, lambda: None, mutant=mutant).broken
    assert any(sentence in each for each in broken), f"{mutant.__name__} went unseen for 4 cuts: {broken}"
