from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching_engine.records import MAX_AMOUNT_FEN
from services.gateway.order_entry.order_command import amount_fen
from services.gateway.problems import ProblemError
from services.values.decimals import yuan_text


@given(st.decimals(min_value=-(10**13), max_value=10**13, places=2))
def test_money_goes_there_and_back(amount: Decimal) -> None:
    text = f"{amount:f}"
    if amount == 0:
        with pytest.raises(ProblemError, match="amount: must not be 0"):
            amount_fen(text, "amount", MAX_AMOUNT_FEN)
    else:
        assert Decimal(yuan_text(amount_fen(text, "amount", MAX_AMOUNT_FEN))) == amount


@pytest.mark.parametrize("text", ["0.001", "1.999", "100000000000000.01", "-100000000000000.01"])
def test_money_that_is_refused(text: str) -> None:
    with pytest.raises(ProblemError) as caught:
        amount_fen(text, "amount", MAX_AMOUNT_FEN)
    assert (caught.value.code, caught.value.errors[0].field) == ("invalid_amount", "amount")
