"""The accounts: what moves, and the laws that movements must keep."""

from __future__ import annotations

from fractions import Fraction
from math import floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching_engine.faults import Fault
from matching_engine.ledger.accounts import Accounts
from matching_engine.ledger.fees import fee_fen, lot_reserve_fen
from matching_engine.records import MAX_AMOUNT_FEN, MAX_RATE_PPM, VENUE

amounts = st.integers(1, MAX_AMOUNT_FEN)
rates = st.integers(0, MAX_RATE_PPM)


@given(amounts, rates)
def test_a_fee_is_half_up_to_the_fen_and_at_least_one(amount: int, rate: int) -> None:
    exact = Fraction(amount * rate, 1_000_000)
    assert fee_fen(amount, rate) == max(1, floor(exact + Fraction(1, 2)))


@pytest.mark.parametrize(
    ("amount", "rate", "fee"),
    [(1, 0, 1), (1000, 500, 1), (2999, 500, 1), (3000, 500, 2), (MAX_AMOUNT_FEN, MAX_RATE_PPM, 9_999_990_000_000_000)],
)
def test_fees(amount: int, rate: int, fee: int) -> None:
    assert fee_fen(amount, rate) == fee


@given(amounts, rates)
def test_a_lots_reserve_covers_its_value_and_a_fee_rounded_up(value: int, rate: int) -> None:
    fee = -(-value * rate // 1_000_000)
    assert lot_reserve_fen(value, rate) == value + max(1, fee)


@given(amounts, st.integers(0, 10**6), rates)
def test_a_sellers_fee_never_exceeds_its_proceeds(amount: int, less: int, rate: int) -> None:
    assert fee_fen(max(1, amount - less), rate) <= max(1, amount - less)


def test_a_trade_is_delivery_versus_payment() -> None:
    accounts = funded()
    accounts.reserve_cash(2, 500)
    accounts.reserve_lots(3, 0, 4)
    accounts.settle_trade(0, 2, 3, 3, 300, 2, 1, 400)
    assert accounts.cash(2) == (1000 - 302, 100)
    assert accounts.cash(3) == (299, 0)
    assert accounts.cash(VENUE) == (3, 0)
    assert accounts.holding(2, 0) == (3, 0)
    assert accounts.holding(3, 0) == (7, 1)
    assert accounts.broken_law(1) == Fault.NONE


def test_money_that_moves_one_way_breaks_the_law() -> None:
    accounts = funded()
    accounts.move_cash(3, 1)
    assert accounts.broken_law(0) == Fault.CASH_NOT_CONSERVED
    accounts.move_cash(2, -1)
    assert accounts.broken_law(0) == Fault.NONE


def test_goods_that_move_one_way_break_the_law() -> None:
    accounts = funded()
    accounts.change_lots(2, 7, 1)
    accounts.move_lots(3, 7, 1)
    assert accounts.broken_law(7) == Fault.NONE
    assert accounts.broken_law(8) == Fault.INVENTORY_NOT_CONSERVED


@pytest.mark.parametrize("amount", [-1, 1001])
def test_more_reserved_than_held_is_a_fault_for_good(amount: int) -> None:
    accounts = funded()
    accounts.reserve_cash(2, amount)
    accounts.reserve_cash(2, -amount)
    assert accounts.broken_law(0) == Fault.OVERDRAWN


@pytest.mark.parametrize("lots", [-1, 11])
def test_more_lots_reserved_than_held_is_a_fault(lots: int) -> None:
    accounts = funded()
    accounts.reserve_lots(3, 0, lots)
    assert accounts.broken_law(0) == Fault.OVERDRAWN


def test_holdings_of_many_accounts_and_instruments_are_kept_apart() -> None:
    accounts = Accounts()
    for account in range(2, 102):
        accounts.reserve(1)
        assert accounts.open_account(0, 0) == account
    for account in range(2, 102):
        for instrument in range(0, 1024, 31):
            accounts.reserve(1)
            accounts.change_lots(account, instrument, account * 1024 + instrument)
    expected = [(a, i, a * 1024 + i, 0) for a in range(2, 102) for i in range(0, 1024, 31)]
    assert accounts.all_holdings() == expected
    assert accounts.holding(50, 1) == (0, 0)
    assert accounts.broken_law(1024) == Fault.NONE


def test_unknown_accounts() -> None:
    accounts = funded()
    assert [accounts.knows(account) for account in (0, 1, 3, 4, 2**32 - 1)] == [False, True, True, False, False]
    with pytest.raises(KeyError):
        accounts.cash(4)


def funded() -> Accounts:
    """Account 2 has 1,000 fen, account 3 ten lots of instrument 0."""
    accounts = Accounts()
    accounts.reserve(4)
    accounts.open_account(0, 0)
    accounts.open_account(0, 0)
    accounts.change_cash(2, 1000)
    accounts.change_lots(3, 0, 10)
    return accounts
