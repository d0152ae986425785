"""What the screen flagged, by what persons decided about it."""

from __future__ import annotations

from fractions import Fraction
from typing import Literal

from services.reporting.breakdown.flagged import Decided, Screened, flagged
from services.surveillance.contracts import Finding, FindingKind
from tests.unit.reporting.exports.test_bulletins import POSITION


def finding(amount_fen: int, *trade_ids: int) -> Finding:
    return Finding(
        FindingKind.CLOSED_GROUP, 20230103, 20230104, 20230103, 20230104, (2, 3), trade_ids, amount_fen,
        0.5, 2.0, 0.0, (), "", "",
    )  # fmt: skip


def decided(seq: int, decision: Literal["exclude", "include"]) -> Decided:
    return Decided(seq=seq, decision=decision)


def test_a_finding_waits_until_each_of_its_trades_is_decided_and_all_alike() -> None:
    about = {1: decided(8, "exclude"), 2: decided(9, "exclude"), 3: decided(9, "include"), 5: decided(9, "exclude")}
    about[6] = decided(9, "include")
    found = (finding(100, 1, 2), finding(30, 3), finding(7, 4, 5), finding(5, 5, 6))
    screened = Screened(found, {}, 1_000, about)
    parts = flagged(2023, POSITION, screened).parts
    assert [(one.state, one.findings, one.trades, one.amount_fen, one.share) for one in parts] == [
        ("waiting", 2, 4, 12, Fraction(12, 1_000)),
        ("exclude", 1, 2, 100, Fraction(1, 10)),
        ("include", 1, 1, 30, Fraction(3, 100)),
        ("all", 4, 7, 142, Fraction(142, 1_000)),
    ]
    assert parts[0].model_dump() == {
        "state": "waiting", "findings": 2, "amount": "0.12", "trades": 4, "share": "0.012000",
    }  # fmt: skip
    assert screened.decided_about(found[0]) == decided(9, "exclude"), "the newest"


def test_a_year_without_trades_has_no_share() -> None:
    assert {one.share for one in flagged(2023, POSITION, Screened((), {}, 0, {})).parts} == {0}
