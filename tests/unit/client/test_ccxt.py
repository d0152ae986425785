"""What the ccxt adapter computes: amounts, money, times, names, and the kinds of errors."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rex_client import FellBehind, OutcomeUnknown, RexError, Unreachable
from rex_client.ccxt import (
    BadRequest,
    ExchangeError,
    ExchangeNotAvailable,
    InvalidOrder,
    NetworkError,
    OrderNotFound,
    RequestTimeout,
)
from rex_client.ccxt.errors import ccxt_errors
from rex_client.ccxt.has import HAS, python_name
from rex_client.ccxt.market import Market, exact
from rex_client.ccxt.times import milliseconds, stamp, time_at

from services.data.instruments import load_instruments

MARKETS = [Market(each.symbol, each.lot_size, each.tick_size, {}) for each in load_instruments()]
AVERAGE_STEP = Decimal("0.000001")


@given(
    st.sampled_from(MARKETS),
    st.lists(st.tuples(st.integers(1, 10**6), st.integers(1, 9_000)), min_size=1, max_size=11),
)
def test_the_money_of_an_order_is_exact(market: Market, fills: list[tuple[int, int]]) -> None:
    """From the rounded average that the venue tells, up to the 99,000 lots that an order of any instrument may have here."""
    lots = sum(quantity for _, quantity in fills)
    money = sum((market.tick * ticks * market.amount(quantity) for ticks, quantity in fills), Decimal(0))
    average = (money / market.amount(lots)).quantize(AVERAGE_STEP, ROUND_HALF_UP)
    assert market.cost(str(average), lots) == money


@given(st.sampled_from(MARKETS), st.integers(1, 100_000))
def test_amounts_are_lots_and_back(market: Market, lots: int) -> None:
    assert market.lots(market.amount(lots)) == lots
    if market.lot_size > 1:
        with pytest.raises(InvalidOrder, match="amount"):
            market.lots(market.amount(lots) + 1)


@pytest.mark.parametrize("value", [0.5, True, "1.2.3", "NaN", "Infinity", None, b"1"])
def test_what_is_no_exact_number_is_refused(value: object) -> None:
    with pytest.raises(BadRequest, match="price"):
        exact(value, "price")  # type: ignore[arg-type]


@given(st.integers(0, 4 * 10**12))
def test_times_are_milliseconds_and_back(at_ms: int) -> None:
    moment = time_at(at_ms)
    assert moment is not None
    text = moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    assert milliseconds(text) == at_ms
    assert stamp(text) == {"timestamp": at_ms, "datetime": text[:-4] + "Z"}


def test_names_in_python() -> None:
    names = {"fetchOHLCV": "fetch_ohlcv", "fetchMyTrades": "fetch_my_trades", "withdraw": "withdraw"}
    assert {name: python_name(name) for name in names} == names
    assert len({python_name(name) for name in HAS}) == len(HAS)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (OutcomeUnknown("no reply"), RequestTimeout),
        (RexError({"status": 500, "code": "internal_error"}), RequestTimeout),
        (Unreachable("nobody"), ExchangeNotAvailable),
        (RexError({"status": 503, "code": "inbox_full"}), ExchangeNotAvailable),
        (FellBehind("too slow"), NetworkError),
        (RexError({"status": 409, "code": "order_not_open"}), OrderNotFound),
        (RexError({"status": 409, "code": "below_filled"}), BadRequest),
        (RexError({"status": 422, "code": "price_off_tick"}), InvalidOrder),
        (RexError({"status": 502, "code": "something_new"}), ExchangeError),
    ],
)
def test_an_error_of_the_client_is_one_of_ccxt(error: Exception, kind: type[Exception]) -> None:
    with pytest.raises(kind) as raised, ccxt_errors():
        raise error
    assert type(raised.value) is kind
    assert raised.value.__cause__ is error
