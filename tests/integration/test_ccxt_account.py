"""Own trades, balances, ledger and fees through the ccxt adapter, each method on a real venue."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

import pytest
from rex_client.ccxt import pages

from tests.integration.ccxt_market import BOB, N35, PRND, CcxtMarket

pytestmark = pytest.mark.anyio


async def test_fetch_balance(ccxt_market: CcxtMarket) -> None:
    before = await ccxt_market.bob.fetch_balance()
    order = await ccxt_market.bob.create_order(N35, "limit", "buy", 100, "153.00")
    told = await ccxt_market.bob.fetch_balance()
    reserved = Decimal("15300.00") + Decimal("7.65")
    assert told["CNY"]["used"] == told["used"]["CNY"] == before["CNY"]["used"] + reserved
    assert told["CNY"]["free"] == before["CNY"]["free"] - reserved
    assert told["total"] == before["total"]
    assert told["NDFEB-N35"]["total"] % 100 == 0
    await ccxt_market.bob.cancel_order(order["id"])


async def test_fetch_my_trades(ccxt_market: CcxtMarket) -> None:
    since = ccxt_market.wait(1)
    await ccxt_market.trade(200, "160.00")
    await ccxt_market.trade(100, "160.10")
    bought = await ccxt_market.bob.fetch_my_trades(N35, since)
    assert [(each["side"], each["amount"], each["cost"], each["takerOrMaker"]) for each in bought] == [
        ("buy", 200, 32_000, "taker"),
        ("buy", 100, 16_010, "taker"),
    ]
    assert bought[0]["fee"] == {"currency": "CNY", "cost": Decimal("16.00")}
    assert await ccxt_market.bob.fetch_my_trades(N35, since, 1) == bought[:1]
    assert await ccxt_market.bob.fetch_my_trades(limit=1) == bought[1:]
    assert await ccxt_market.bob.fetch_my_trades(PRND, since) == []


async def test_a_small_limit_reads_whole_pages_where_rows_do_not_count(
    ccxt_market: CcxtMarket, monkeypatch: pytest.MonkeyPatch
) -> None:
    since = await moved(ccxt_market)
    await ccxt_market.trade(100, "160.00")
    await ccxt_market.trade(100, "160.00")
    (kept, busted) = await ccxt_market.bob.fetch_my_trades(N35, since)
    await ccxt_market.operator.bust_trade(busted["id"], "agreed")
    canceled = await ccxt_market.bob.create_order(N35, "limit", "buy", 100, "153.00")
    await ccxt_market.bob.cancel_order(canceled["id"])
    monkeypatch.setattr(pages, "MOST_PAGES", 1)
    assert await ccxt_market.bob.fetch_my_trades(limit=1) == [kept]
    while (await ccxt_market.bob.fetch_trades(N35, limit=1))[0]["id"] != kept["id"]:
        pass
    assert [each["status"] for each in await ccxt_market.bob.fetch_closed_orders(limit=1)] == ["closed"]
    assert [each["type"] for each in await ccxt_market.bob.fetch_deposits(limit=1)] == ["deposit"]
    (entry,) = await ccxt_market.bob.fetch_ledger("CNY", limit=1)
    assert entry["currency"] == "CNY"


async def test_fetch_order_trades(ccxt_market: CcxtMarket) -> None:
    (trade,) = await ccxt_market.alice.fetch_order_trades(ccxt_market.first["id"])
    assert (trade["order"], trade["amount"], trade["takerOrMaker"]) == (ccxt_market.first["id"], 2, "maker")


async def test_fetch_ledger(ccxt_market: CcxtMarket) -> None:
    await ccxt_market.trade(100, "160.00")
    entries = await ccxt_market.bob.fetch_ledger()
    for code, total in (await ccxt_market.bob.fetch_balance())["total"].items():
        of_code = [entry for entry in entries if entry["currency"] == code]
        assert of_code == await ccxt_market.bob.fetch_ledger(code)
        assert of_code[0]["before"] == 0
        for entry, following in pairwise(of_code):
            assert entry["after"] == following["before"]
        for entry in of_code:
            moved = entry["amount"] if entry["direction"] == "in" else -entry["amount"]
            fee = entry["fee"]["cost"] if entry["fee"] else 0
            assert entry["before"] + moved - fee == entry["after"]
        assert of_code[-1]["after"] == total
    last = [entry for entry in entries if entry["currency"] == "CNY"][-1]
    assert (last["type"], last["direction"], last["amount"], last["fee"]["cost"]) == ("trade", "out", 16_000, 8)
    assert await ccxt_market.bob.fetch_ledger(limit=1) == entries[-1:]


async def moved(ccxt_market: CcxtMarket) -> int:
    """An administrator pays bob in and out; returns when."""
    since = ccxt_market.wait(1)
    await ccxt_market.operator.change_cash(BOB, "12.50")
    await ccxt_market.operator.change_cash(BOB, "-2.50")
    return since


async def test_fetch_deposits(ccxt_market: CcxtMarket) -> None:
    (told,) = await ccxt_market.bob.fetch_deposits("CNY", await moved(ccxt_market))
    assert (told["type"], told["amount"], told["currency"], told["status"]) == (
        "deposit",
        Decimal("12.50"),
        "CNY",
        "ok",
    )
    assert await ccxt_market.bob.fetch_deposits("NDFEB-N35") == []


async def test_fetch_withdrawals(ccxt_market: CcxtMarket) -> None:
    (told,) = await ccxt_market.bob.fetch_withdrawals("CNY", await moved(ccxt_market))
    assert (told["type"], told["amount"]) == ("withdrawal", Decimal("2.50"))


async def test_fetch_deposits_withdrawals(ccxt_market: CcxtMarket) -> None:
    told = await ccxt_market.bob.fetch_deposits_withdrawals(since=await moved(ccxt_market))
    assert [each["type"] for each in told] == ["deposit", "withdrawal"]


async def test_fetch_trading_fee(ccxt_market: CcxtMarket) -> None:
    told = await ccxt_market.bob.fetch_trading_fee(N35)
    assert (told["symbol"], told["maker"], told["taker"]) == (N35, Decimal("0.0005"), Decimal("0.0005"))


async def test_fetch_trading_fees(ccxt_market: CcxtMarket) -> None:
    fees = await ccxt_market.bob.fetch_trading_fees()
    assert fees.keys() == set(ccxt_market.bob.symbols)
    assert fees[N35] == await ccxt_market.bob.fetch_trading_fee(N35)
