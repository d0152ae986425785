"""What happens, through the ccxt adapter, each method on a real venue."""

from __future__ import annotations

import asyncio

import pytest
from rex_client.ccxt import BadRequest, NetworkError, RexCcxt

from services.gateway.websocket import candle_stream, push_messages, resumes
from tests.integration.ccxt_market import BOB, N35, ND, PRND, CcxtMarket
from tests.integration.test_client_reconnect import Severable
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.anyio


async def begun(rex: RexCcxt, channel: str) -> None:
    """Waits until the venue has a subscription to the channel."""
    while channel not in {name for each in await rex.client.subscriptions() for name in each["channels"]}:
        pass


async def test_watch_ticker(ccxt_market: CcxtMarket) -> None:
    before = await ccxt_market.alice.watch_ticker(N35)
    assert before == await ccxt_market.alice.fetch_ticker(N35)
    await ccxt_market.trade(100, "157.00")
    while (told := await ccxt_market.alice.watch_ticker(N35))["last"] != 157:
        pass
    assert told["baseVolume"] == before["baseVolume"] + 100


async def test_watch_trades(ccxt_market: CcxtMarket) -> None:
    await ccxt_market.trade(100, "157.00")
    assert (await ccxt_market.alice.watch_trades(N35))[-1]["price"] == 157
    await ccxt_market.trade(200, "158.00")
    (trade,) = await ccxt_market.alice.watch_trades(N35)
    assert (trade["price"], trade["amount"], trade["side"]) == (158, 200, "buy")
    assert trade == (await ccxt_market.alice.fetch_trades(N35, limit=1))[0]


async def test_watch_ohlcv(ccxt_market: CcxtMarket) -> None:
    minute = ccxt_market.wait(120) // 60_000 * 60_000
    await ccxt_market.trade(100, "157.00")
    while (told := (await ccxt_market.alice.watch_ohlcv(N35, "1m"))[-1])[0] < minute:
        pass
    assert told == [minute, 157, 157, 157, 157, 100]


async def test_watch_order_book(ccxt_market: CcxtMarket) -> None:
    assert await ccxt_market.alice.watch_order_book(N35)
    placed = await ccxt_market.bob.create_order(N35, "limit", "buy", 700, "153.00")
    book = await ccxt_market.alice.watch_order_book(N35, 1)
    assert book["bids"] == [[153, 700]]
    assert book["nonce"] == placed["info"]["seq"]
    assert book["bids"] == (await ccxt_market.alice.fetch_order_book(N35, 1))["bids"]
    await ccxt_market.bob.cancel_order(placed["id"])
    assert (await ccxt_market.alice.watch_order_book(N35))["bids"] == []


async def test_watch_orders(ccxt_market: CcxtMarket) -> None:
    placed = await ccxt_market.bob.create_order(PRND, "limit", "buy", 1, "460000")
    assert await ccxt_market.bob.watch_orders(PRND) == [placed]
    await ccxt_market.bob.create_order(ND, "limit", "buy", 1, "480000")
    canceled = await ccxt_market.bob.cancel_order(placed["id"])
    assert await ccxt_market.bob.watch_orders(PRND) == [canceled]
    await ccxt_market.bob.cancel_all_orders()


async def test_watch_my_trades(ccxt_market: CcxtMarket) -> None:
    watched = asyncio.create_task(ccxt_market.bob.watch_my_trades(N35))
    await begun(ccxt_market.bob, "fills")
    await ccxt_market.trade(300, "158.00")
    (trade,) = await watched
    assert trade == (await ccxt_market.bob.fetch_my_trades(limit=1))[0]
    await ccxt_market.operator.bust_trade(trade["id"], "agreed")
    (taken_back,) = await ccxt_market.bob.watch_my_trades(N35)
    assert (taken_back["id"], taken_back["info"]["busted"], taken_back["amount"]) == (trade["id"], True, 300)


async def test_what_a_limit_leaves_comes_with_the_next_calls(ccxt_market: CcxtMarket) -> None:
    alice = await ccxt_market.adapter(ccxt_market.served.venue.keys["alice"].key)
    for price in ("157.00", "158.00", "159.00"):
        minute = ccxt_market.wait(60) // 60_000 * 60_000
        await ccxt_market.trade(100, price)
    fetched = await alice.fetch_trades(N35)
    for first in range(0, len(fetched) // 2 * 2, 2):
        assert await alice.watch_trades(N35, limit=2) == fetched[first : first + 2]
    while (candles := await alice.fetch_ohlcv(N35))[-1][0] < minute:
        pass
    starts = set()
    while minute not in starts:
        starts |= {candle[0] for candle in await alice.watch_ohlcv(N35, limit=1)}
    assert starts == {candle[0] for candle in candles}
    orders = [await ccxt_market.bob.create_order(PRND, "limit", "buy", 1, "460000") for _ in range(2)]
    bob = await ccxt_market.adapter(ccxt_market.served.venue.keys["bob"].key)
    assert [await bob.watch_orders(PRND, limit=1) for _ in orders] == [[order] for order in orders]
    assert await ccxt_market.bob.cancel_all_orders()
    trade_of_each = asyncio.create_task(bob.watch_my_trades(N35, limit=1))
    await begun(bob, "fills")
    for price in ("160.00", "160.10"):
        await ccxt_market.alice.create_order(N35, "limit", "sell", 100, price)
    await ccxt_market.bob.create_order(N35, "market", "buy", 200)  # Two fills of one command come in one push.
    assert await trade_of_each + await bob.watch_my_trades(N35, limit=1) == await bob.fetch_my_trades(limit=2)


async def test_watch_balance(ccxt_market: CcxtMarket) -> None:
    before = await ccxt_market.bob.watch_balance()
    assert before["total"] == (await ccxt_market.bob.fetch_balance())["total"]
    await ccxt_market.operator.change_cash(BOB, "5.00")
    told = await ccxt_market.bob.watch_balance()
    assert told["CNY"]["total"] == before["CNY"]["total"] + 5
    assert told["total"].keys() == before["total"].keys()
    await ccxt_market.operator.change_inventory(BOB, "ND-OX", 2)
    assert (await ccxt_market.bob.watch_balance())["total"]["ND-OX"] == 2


async def test_what_was_missed_comes_after_a_lost_connection_or_is_said_to_be_missing(
    ccxt_market: CcxtMarket, monkeypatch: pytest.MonkeyPatch
) -> None:
    through = await Severable.before(ccxt_market.served)
    async with RexCcxt(through.url, ccxt_market.served.venue.keys["bob"].key) as bob, asyncio.timeout(PATIENCE_S):
        watched = asyncio.create_task(bob.watch_my_trades(N35))
        await asyncio.gather(begun(bob, "fills"), bob.watch_ticker(N35))
        other = asyncio.create_task(bob.watch_my_trades(PRND))  # Its snapshot is no loss.
        await asyncio.gather(begun(bob, "fills"), bob.watch_ticker(PRND))
        through.sever()
        await ccxt_market.trade(100, "158.00")
        missed = await ccxt_market.bob.fetch_my_trades(limit=1)
        assert await watched == missed
        monkeypatch.setattr(resumes, "RESUME_COMMANDS", -1)
        through.sever()
        for loss in (other, bob.watch_my_trades(N35)):
            with pytest.raises(NetworkError, match="fills were missed"):
                await loss
    through.close()


async def test_market_data_after_a_lost_connection_comes_once_or_is_said_to_be_missing(
    ccxt_market: CcxtMarket, monkeypatch: pytest.MonkeyPatch
) -> None:
    through = await Severable.before(ccxt_market.served)
    async with RexCcxt(through.url, ccxt_market.served.venue.keys["bob"].key) as bob, asyncio.timeout(PATIENCE_S):
        minute = ccxt_market.wait(60) // 60_000 * 60_000
        await ccxt_market.trade(100, "158.00")
        assert (await bob.watch_trades(N35))[-1:] == await bob.fetch_trades(N35, limit=1)
        while (before := await bob.watch_ohlcv(N35))[-1][0] != minute:
            pass
        through.sever()
        await ccxt_market.trade(200, "159.00")
        assert await bob.watch_trades(N35) == await bob.fetch_trades(N35, limit=1)
        (candle,) = await bob.watch_ohlcv(N35)
        assert (candle[0], candle[4:]) == (before[-1][0], [159, 300])

        with monkeypatch.context() as telling_less:
            telling_less.setattr(resumes, "RESUME_COMMANDS", -1)
            telling_less.setattr(push_messages, "SNAPSHOT_TRADES", 0)
            telling_less.setattr(candle_stream, "SNAPSHOT_CANDLES", -1_000)
            through.sever()
            for watch in (bob.watch_trades, bob.watch_ohlcv):
                with pytest.raises(NetworkError, match="were missed"):
                    await watch(N35)
        assert (await bob.watch_trades(N35))[-1:] == await bob.fetch_trades(N35, limit=1)
        assert (await bob.watch_ohlcv(N35))[-1] == candle
    through.close()


async def test_a_limit_that_is_not_positive_is_refused(ccxt_market: CcxtMarket) -> None:
    bob = ccxt_market.bob
    for watch in (bob.watch_trades, bob.watch_ohlcv, bob.watch_orders, bob.watch_my_trades, bob.watch_order_book):
        for limit in (0, -1):
            with pytest.raises(BadRequest, match=f"limit: {limit} is not positive"):
                await watch(N35, limit=limit)
