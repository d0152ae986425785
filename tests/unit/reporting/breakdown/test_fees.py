from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from services.reporting.breakdown.fees import FeeIncome, fee_income, fees_by
from tests.unit.reporting.breakdown.products import ACCOUNTS, MAGNET, OXIDE, line


def test_an_example_by_hand() -> None:
    """The taker paid 283.80 yuan, the maker 94.60: 378.40 yuan. 37,840 × 100 / 106 = 35,698.11 fen."""
    income = fee_income([line(3, OXIDE, fees_fen=28_380), line(2, OXIDE, fees_fen=9_460)])
    assert (income.fees_fen, income.without_vat_fen, income.vat_fen) == (37_840, 35_698, 2_142)


def test_no_trades_no_income() -> None:
    assert (fee_income([]).fees_fen, fee_income([]).without_vat_fen) == (0, 0)


def test_by_account_class_and_by_product() -> None:
    traded = [line(2, OXIDE, fees_fen=1), line(4, OXIDE, fees_fen=10), line(3, MAGNET, fees_fen=100)]
    assert fees_by(traded, lambda one: ACCOUNTS[one.account].account_class) == {0: 101, 1: 10}
    assert fees_by(traded, lambda one: one.instrument) == {OXIDE: 11, MAGNET: 100}


@given(st.integers(0, 10**15))
def test_income_and_tax_add_up(fees_fen: int) -> None:
    income = FeeIncome(fees_fen)
    assert income.without_vat_fen + income.vat_fen == fees_fen
    assert abs(income.without_vat_fen * 106 - fees_fen * 100) * 2 <= 106
