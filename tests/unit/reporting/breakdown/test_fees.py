from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from services.reporting.breakdown.fees import FeesReport, fees_of
from services.reporting.breakdown.reading import AccountYear, MemberYear
from tests.unit.reporting.breakdown.products import ACCOUNTS, INSTRUMENTS, MAGNET, OXIDE, line
from tests.unit.reporting.exports.test_bulletins import POSITION


def fees(*traded: AccountYear) -> FeesReport:
    return fees_of(MemberYear(2023, POSITION, INSTRUMENTS, ACCOUNTS, list(traded)))


def test_an_example_by_hand() -> None:
    """The taker paid 283.80 yuan, the maker 94.60: 378.40 yuan. 37,840 × 100 / 106 = 35,698.11 fen."""
    income = fees(line(3, OXIDE, fees_fen=28_380), line(2, OXIDE, fees_fen=9_460))
    assert (income.fees_fen, income.without_vat_fen, income.vat_fen) == (37_840, 35_698, 2_142)


def test_no_trades_no_income() -> None:
    assert (fees().fees_fen, fees().without_vat_fen, fees().products) == (0, 0, ())


def test_by_account_class_and_by_product() -> None:
    traded = [line(2, OXIDE, fees_fen=1), line(4, OXIDE, fees_fen=10), line(3, MAGNET, fees_fen=100)]
    shown = fees(*reversed(traded)).model_dump()
    assert shown["products"] == (
        {"part": "PRND-OX", "fees": "0.11", "share": "0.099099"},
        {"part": "NDFEB-N35", "fees": "1.00", "share": "0.900901"},
    )
    assert [(one["part"], one["fees"]) for one in shown["classes"]] == [("0", "1.01"), ("1", "0.10")]


@given(st.integers(0, 10**15))
def test_income_and_tax_add_up(fees_fen: int) -> None:
    income = fees(line(2, OXIDE, fees_fen=fees_fen))
    assert income.without_vat_fen + income.vat_fen == fees_fen
    assert abs(income.without_vat_fen * 106 - fees_fen * 100) * 2 <= 106
