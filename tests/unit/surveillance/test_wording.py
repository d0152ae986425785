"""The sentences of findings: names, amounts and kinds, in English and Chinese."""

from __future__ import annotations

import pytest

from services.surveillance.contracts import FindingKind
from services.surveillance.wording import FindingFacts, chinese, english

FACTS = FindingFacts(FindingKind.CLOSED_GROUP, (1, 2, 3), 30, 4_100_000_000, 0.62, 14.2, 0.03, 0.0)
NAMES = {1: "A", 2: "B", 3: "C"}


def test_a_closed_group() -> None:
    assert english(FACTS, NAMES) == (
        "A, B and C traded ¥ 41.0 m with each other, 62 % of all they did, 14 times what chance gives,"
        " and ended where they began (net 3 %)."
    )
    assert (
        chinese(FACTS, NAMES)
        == "A、B和C相互成交4,100万元，占其全部成交的62%，为随机情形的14倍，最终回到起点（净额3%）。"
    )


def test_what_came_back_in_another_form_is_said() -> None:
    facts = FACTS._replace(reshaped_share=0.4)
    assert english(facts, NAMES).endswith("; 40 % of it came back as another product.")
    assert chinese(facts, NAMES).endswith("，最终回到起点（净额3%）；成交额的40%以其他品种换回。")


def test_matched_orders() -> None:
    facts = FACTS._replace(kind=FindingKind.MATCHED_ORDERS, members=(1, 2))
    assert english(facts, NAMES) == (
        "A and B 30 times filled each other's orders whole, entered seconds apart: ¥ 41.0 m, 62 % of all they did,"
        " 14 times what chance gives."
    )
    assert chinese(facts, NAMES) == (
        "A和B有30笔成交双方订单全部相互成交且申报相隔仅数秒，共4,100万元，占其全部成交的62%，为随机情形的14倍。"
    )


def test_common_control() -> None:
    facts = FACTS._replace(kind=FindingKind.COMMON_CONTROL, members=(1, 9))
    assert english(facts, NAMES) == (
        "A and member 9 are under declared common control and traded ¥ 41.0 m with each other in 30 trades."
    )
    assert chinese(facts, NAMES) == "A和会员9属于已申报的同一实际控制关系，相互成交30笔，共4,100万元。"


def test_many_members_are_counted() -> None:
    facts = FACTS._replace(members=tuple(range(1, 10)))
    assert english(facts, {}).startswith("member 1, member 2, member 3, member 4, member 5 and 4 more traded")
    assert chinese(facts, {}).startswith("会员1、会员2、会员3、会员4、会员5和4家其他会员相互成交")


@pytest.mark.parametrize(
    ("fen", "in_english", "in_chinese"),
    [
        (50, "¥ 1", "1元"),
        (99_999_949, "¥ 1,000 k", "100万元"),
        (149_999_999, "¥ 1.50 m", "150万元"),
        (12_345_678_900, "¥ 123 m", "1.2亿元"),
        (1_660_000_000_000, "¥ 16.6 bn", "166亿元"),
        (230_000_000_000, "¥ 2.30 bn", "23亿元"),
    ],
)
def test_amounts_are_rounded_for_the_eye(fen: int, in_english: str, in_chinese: str) -> None:
    facts = FACTS._replace(amount_fen=fen)
    assert f"traded {in_english} with" in english(facts, NAMES)
    assert f"成交{in_chinese}，" in chinese(facts, NAMES)
