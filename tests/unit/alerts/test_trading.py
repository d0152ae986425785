from __future__ import annotations

from dataclasses import replace

from services.alerts.trading import Trading, trading_conditions
from services.surveillance.abnormal_trading import DayCounts, breaches, ladder
from services.surveillance.contracts import Finding, FindingKind
from services.surveillance.settlement_influence import Influence, InfluenceAlert

FINDING = Finding(
    FindingKind.CLOSED_GROUP, 20260105, 20260130, 20260105, 20260130, (2, 3), (11, 12), 1_000, 0.6, 14.0, 0.03, (),
    "A and B traded.", "甲和乙相互成交。",
)  # fmt: skip
NOTHING = Trading((), frozenset(), (), (), {2: "A", 3: "B"}, {0: "ND-OX"})


def test_a_ring_that_trades_on_is_the_same_condition() -> None:
    one, other = (
        trading_conditions(replace(NOTHING, findings=(finding,)))
        for finding in (FINDING, replace(FINDING, trade_ids=(11, 12, 13), sentence_en="More."))
    )
    assert [condition.key for condition in one] == [condition.key for condition in other]
    assert one[0].subject == other[0].subject == "2+3:2026"
    with_a_third = trading_conditions(replace(NOTHING, findings=(replace(FINDING, members=(2, 3, 4)),)))
    assert with_a_third[0].key != one[0].key


def test_a_finding_holds_until_all_its_trades_are_excluded() -> None:
    seen = replace(NOTHING, findings=(FINDING,))
    assert len(trading_conditions(replace(seen, excluded=frozenset({11})))) == 1
    assert trading_conditions(replace(seen, excluded=frozenset({11, 12, 99}))) == []


def test_settlement_influence_names_member_product_and_days() -> None:
    days = tuple(Influence(day, 2, 0, 0.006, (1,)) for day in (20260105, 20260107))
    (condition,) = trading_conditions(replace(NOTHING, influences=(InfluenceAlert(2, 0, days),)))
    assert condition.key == "settlement_influence:2:ND-OX"
    english = "Late trades of A moved the settlement price of ND-OX by 0.5 % or more on 2026-01-05, 2026-01-07."
    assert condition.sentence == english
    assert "A的尾盘主动成交" in condition.sentence_zh


def test_abnormal_trading_climbs_the_ladder_by_days() -> None:
    counts = [DayCounts(day, 3, 0, 6, 600, 0) for day in (20260105, 20260106, 20260107)]
    found = trading_conditions(replace(NOTHING, steps=ladder(breaches(counts))))
    assert [one.severity for one in found] == ["warning", "warning", "critical"]
    assert len({one.key for one in found}) == 3
    assert found[0].sentence == (
        "Abnormal trading of B on 2026-01-05: 600 cancels in ND-OX, 6 self-trade attempts in ND-OX. "
        "The ladder provides a warning."
    )
    assert found[2].sentence_zh.endswith("按规定应限制开仓。")
