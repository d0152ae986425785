"""What went in a circle, what ended even and what changed form, at the very bounds of the rule. A and B trade alone."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from services.surveillance import closed_groups
from services.surveillance.closed_groups import came_back, is_closed_group, is_even
from services.surveillance.graph import Choice, TradeGraph
from services.surveillance.thresholds import GroupRule
from tests.unit.surveillance.trades_by_hand import Deal, trades_of

A, B, C = 1, 2, 3
RULE = GroupRule(
    lift=Fraction(1), share=Fraction(0), member_share=Fraction(0), by_product=False, net_share=Fraction(1, 4)
)  # fmt: skip


def all_of(*deals: Deal) -> Choice:
    return TradeGraph(trades_of(deals), {}).all


def there_and_back(there_fen: int, back_fen: int) -> Choice:
    return all_of(Deal(A, B, there_fen), Deal(B, A, back_fen))


@pytest.mark.parametrize(("there_fen", "is_back"), [(1_899, True), (1_900, True), (1_901, False)])
def test_a_product_came_back_up_to_nine_tenths_one_way(there_fen: int, is_back: bool) -> None:
    """1,900 there and 100 back: 1,800 / 2,000."""
    assert came_back(there_and_back(there_fen, 100)).tolist() == [is_back]


def test_each_product_came_back_by_itself() -> None:
    delivery, circle = Deal(A, B, 500), [Deal(A, B, 100, instrument=7), Deal(B, C, 100, instrument=7)]
    closing = Deal(C, A, 100, instrument=7)
    assert came_back(all_of(delivery, *circle, closing)).tolist() == [False, True]
    assert came_back(all_of(delivery)).tolist() == [False]


@pytest.mark.parametrize(("there_fen", "even"), [(4_999, True), (5_000, True), (5_001, False)])
def test_trades_are_even_up_to_the_share_of_the_rule(there_fen: int, even: bool) -> None:
    """5,000 there and 3,000 back: 2 × 2,000 / 16,000, a quarter."""
    assert is_even(there_and_back(there_fen, 3_000), RULE) is even


def test_even_is_of_all_products_together() -> None:
    swapped = all_of(Deal(A, B, 100), Deal(B, A, 100, instrument=7))
    assert is_even(swapped, RULE)
    assert came_back(swapped).tolist() == [False, False]


def test_the_net_of_each_member_in_each_product() -> None:
    choice = all_of(Deal(A, B, 300), Deal(B, C, 100), Deal(C, A, 40, instrument=7))
    assert choice.net_by_product_fen.tolist() == [[-300, 40], [200, 0], [100, -40]]
    assert choice.reshaped_fen.tolist() == [340 - 260, 0, 140 - 60]
    assert choice.of_products(np.array([False, True])).net_by_product_fen.tolist() == [[0, 40], [0, 0], [0, -40]]


def test_in_one_product_nothing_changes_form() -> None:
    choice = all_of(Deal(A, B, 300), Deal(B, C, 100), Deal(C, A, 40))
    assert choice.net_by_product_fen.tolist() == [[-260], [200], [60]]
    assert choice.reshaped_fen.tolist() == [0, 0, 0]


@pytest.mark.parametrize(("besides_fen", "is_closed"), [(51, True), (50, True), (49, False)])
def test_who_has_more_than_two_thirds_reshaped_is_in_no_group(
    monkeypatch: pytest.MonkeyPatch, besides_fen: int, is_closed: bool
) -> None:
    """100 leave as one product and come back as another: 200 of 300 where 50 go there and 50 come back besides."""
    monkeypatch.setattr(closed_groups, "BY_CHANCE", 1.0)  # Where two trade alone, all of it may be chance.
    besides = [Deal(A, B, besides_fen), Deal(B, A, besides_fen)]
    choice = all_of(Deal(A, B, 100), Deal(B, A, 100, instrument=7), *besides)
    assert choice.reshaped_fen.tolist() == [200, 200]
    assert is_closed_group(choice, choice, [0, 1], RULE) is is_closed


def test_of_no_trades_all_is_nothing() -> None:
    """A venue without trades, and a group that has none."""
    nobody, nothing = all_of(), all_of(Deal(A, B, 100)).inside([0])
    assert came_back(nobody).tolist() == []
    assert (nobody.net_by_product_fen.shape, nobody.reshaped_fen.tolist(), is_even(nobody, RULE)) == ((0, 0), [], True)
    assert came_back(nothing).tolist() == [True]
    assert (nothing.net_by_product_fen.tolist(), nothing.reshaped_fen.tolist()) == ([[0], [0]], [0, 0])
    assert is_even(nothing, RULE)
