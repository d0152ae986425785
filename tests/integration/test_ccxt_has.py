"""The ccxt adapter: a test for each method that `has` says it has, and NotSupported for each that it has not."""

from __future__ import annotations

import inspect

import pytest
from rex_client.ccxt import NotSupported, RexCcxt
from rex_client.ccxt.has import HAS, MARKET_TYPES, MISSING, python_name

from tests.integration import test_ccxt_account, test_ccxt_market_data, test_ccxt_orders, test_ccxt_watch
from tests.integration.ccxt_market import PRND, CcxtMarket

pytestmark = pytest.mark.anyio

MODULES = (test_ccxt_account, test_ccxt_market_data, test_ccxt_orders, test_ccxt_watch)


def test_every_method_that_it_has_is_tested() -> None:
    tests = {name: test for module in MODULES for name, test in vars(module).items() if name.startswith("test_")}
    for name in (python_name(each) for each, is_there in HAS.items() if is_there and each not in MARKET_TYPES):
        assert inspect.iscoroutinefunction(getattr(RexCcxt, name))
        assert f".{name}(" in inspect.getsource(tests[f"test_{name}"])


def test_every_public_method_is_in_the_table() -> None:
    methods = {name for name, _ in inspect.getmembers(RexCcxt, inspect.iscoroutinefunction) if not name.startswith("_")}
    assert methods - {python_name(name) for name in HAS} == {"load_markets", "close"}


async def test_a_method_that_it_has_not_says_so(ccxt_market: CcxtMarket) -> None:
    for name in MISSING:
        assert not HAS[name]
        with pytest.raises(NotSupported, match=name):
            await getattr(ccxt_market.alice, python_name(name))(PRND, 1, params={})


def test_what_nobody_knows_is_no_attribute(ccxt_market: CcxtMarket) -> None:
    with pytest.raises(AttributeError):
        getattr(ccxt_market.alice, "fetch_weather")  # noqa: B009  mypy knows that there is none
