"""What the ccxt adapter raises where the venue refuses, or is not there."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from rex_client.ccxt import (
    AccountSuspended,
    AuthenticationError,
    BadRequest,
    BadSymbol,
    BaseError,
    DuplicateOrderId,
    ExchangeNotAvailable,
    InsufficientFunds,
    InvalidOrder,
    MarketClosed,
    NetworkError,
    OnMaintenance,
    OrderImmediatelyFillable,
    OrderNotFound,
    PermissionDenied,
    RateLimitExceeded,
    RequestTimeout,
    RexCcxt,
)

from tests.integration.ccxt_market import BOB, N35, PRND, CcxtMarket
from tests.integration.test_client_reconnect import Severable

pytestmark = pytest.mark.anyio


async def refusal(kind: type[BaseError], call: Awaitable[Any]) -> dict[str, Any]:
    """What the venue answered to a call that raises exactly this."""
    with pytest.raises(kind) as refused:
        await call
    assert type(refused.value) is kind
    return refused.value.info


async def test_orders_that_cannot_be(ccxt_market: CcxtMarket) -> None:
    bob = ccxt_market.bob
    rejected = await refusal(InsufficientFunds, bob.create_order(PRND, "limit", "buy", 90_000, "473000"))
    assert (rejected["state"], rejected["reason"]) == ("rejected", "insufficient_funds")
    await refusal(InsufficientFunds, bob.create_order("ND-OX/CNY", "limit", "sell", 1, "493000"))
    below = await refusal(InvalidOrder, bob.create_order(N35, "limit", "buy", 100, "1.00"))
    assert below["reason"] == "price_below_band"
    off_tick = await refusal(InvalidOrder, bob.create_order(N35, "limit", "buy", 100, "153.05"))
    assert off_tick["errors"][0]["field"] == "price"
    await refusal(InvalidOrder, bob.create_order(N35, "limit", "buy", 150, "153.00"))
    await refusal(InvalidOrder, bob.create_order(N35, "limit", "buy", 0, "153.00"))
    await refusal(InvalidOrder, bob.create_order(N35, "stop", "buy", 100, "153.00"))
    await refusal(
        DuplicateOrderId, ccxt_market.alice.create_order(PRND, "limit", "sell", 1, "474000", {"clientOrderId": "first"})
    )
    await refusal(BadSymbol, bob.create_order("BTC/USDT", "limit", "buy", 1, "1"))
    await ccxt_market.alice.create_order(N35, "limit", "sell", 100, "160.00")
    post_only = bob.create_order(N35, "limit", "buy", 100, "160.00", {"postOnly": True})
    await refusal(OrderImmediatelyFillable, post_only)
    await ccxt_market.alice.cancel_all_orders(N35)


async def test_arguments_that_would_be_rounded_or_ignored(ccxt_market: CcxtMarket) -> None:
    bob, not_exact = ccxt_market.bob, 0.1 + 0.2
    await refusal(BadRequest, bob.create_order(N35, "limit", "buy", 100, not_exact))  # type: ignore[arg-type]
    await refusal(BadRequest, bob.create_order(N35, "limit", "buy", "a lot", "153.00"))
    await refusal(BadRequest, bob.create_order(N35, "limit", "buy", 100, "153.00", {"reduceOnly": True}))
    await refusal(BadRequest, bob.fetch_orders(params={"untl": 1}))
    await refusal(BadRequest, bob.fetch_orders(limit=0))
    await refusal(BadRequest, bob.fetch_ohlcv(N35, "2m"))
    await refusal(BadRequest, bob.watch_ohlcv(N35, "2m"))
    await refusal(BadRequest, bob.cancel_all_orders_after(1_500))
    placed = await bob.create_order(N35, "limit", "buy", 100, "153.00")
    await refusal(BadRequest, bob.edit_order(placed["id"], N35, "limit", "sell", 100, "153.00"))
    await refusal(BadRequest, bob.edit_order(placed["id"], PRND, amount=2))
    assert await bob.fetch_order(placed["id"]) == placed
    await bob.cancel_order(placed["id"])
    await refusal(OrderNotFound, bob.cancel_order(placed["id"]))
    await refusal(OrderNotFound, bob.edit_order(placed["id"], N35, price="153.10"))
    await refusal(OrderNotFound, bob.fetch_order("1"))
    await refusal(OrderNotFound, bob.fetch_order(None, params={"clientOrderId": "nobody's"}))


async def test_a_market_that_takes_no_orders(ccxt_market: CcxtMarket) -> None:
    operator = ccxt_market.operator

    @asynccontextmanager
    async def without(end: Awaitable[Any]) -> AsyncIterator[Awaitable[Any]]:
        yield ccxt_market.bob.create_order(N35, "limit", "buy", 100, "153.00")
        await end

    await operator.halt("NDFEB-N35")
    async with without(operator.resume("NDFEB-N35")) as order:
        await refusal(MarketClosed, order)
    await operator.kill_switch(on=True)
    async with without(operator.kill_switch(on=False)) as order:
        await refusal(OnMaintenance, order)
    await operator.kill_switch(on=True, account=BOB)
    async with without(operator.kill_switch(on=False, account=BOB)) as order:
        await refusal(AccountSuspended, order)


async def test_keys_that_may_not(ccxt_market: CcxtMarket) -> None:
    unknown = await ccxt_market.adapter("rex_unknown")
    assert (await refusal(AuthenticationError, unknown.fetch_balance()))["code"] == "unknown_key"
    await refusal(AuthenticationError, unknown.watch_balance())
    issued = await ccxt_market.operator.issue_key("reader", ["read"], account=BOB)
    reader = await ccxt_market.adapter(issued["key"])
    await refusal(PermissionDenied, reader.create_order(PRND, "limit", "buy", 1, "460000"))


async def test_a_limit_that_is_used_up(ccxt_market: CcxtMarket) -> None:
    limits = {"orders": {"per_s": 1, "burst": 1}}
    issued = await ccxt_market.operator.issue_key("desk", ["read", "trade"], account=BOB, limits=limits)
    desk = await ccxt_market.adapter(issued["key"])
    placed = await desk.create_order(PRND, "limit", "buy", 1, "460000")
    told = await refusal(RateLimitExceeded, desk.create_order(PRND, "limit", "buy", 1, "460000"))
    assert told["retry_after_ms"] > 0
    await ccxt_market.bob.cancel_order(placed["id"])


async def test_a_lost_reply_tells_the_id_by_which_the_order_is_found(ccxt_market: CcxtMarket) -> None:
    through = await Severable.before(ccxt_market.served)
    async with RexCcxt(through.url, ccxt_market.served.venue.keys["bob"].key) as bob:
        await bob.load_markets()
        through.replies_to_drop = 1
        with pytest.raises(RequestTimeout) as unknown:
            await bob.create_order(PRND, "limit", "buy", 1, "460000")
        id_ = unknown.value.info["clientOrderId"]
        assert id_ in str(unknown.value)
        placed = await bob.cancel_order(None, params={"clientOrderId": id_})
        assert (placed["amount"], placed["price"]) == (1, 460_000)
        through.replies_to_drop = 1
        orders = [{"symbol": PRND, "type": "limit", "side": "buy", "amount": 1, "price": "460000"}] * 2
        with pytest.raises(RequestTimeout) as unknown:
            await bob.create_orders(orders)
        for id_ in unknown.value.info["clientOrderIds"]:
            assert (await bob.cancel_order(None, params={"clientOrderId": id_}))["status"] == "canceled"
    through.close()


async def test_a_venue_that_is_not_there(ccxt_market: CcxtMarket) -> None:
    async with RexCcxt("http://127.0.0.1:1", "rex_any") as rex:
        await refusal(ExchangeNotAvailable, rex.fetch_time())
        await refusal(ExchangeNotAvailable, rex.watch_orders())
    await refusal(NetworkError, closed_while_watching(ccxt_market))


async def closed_while_watching(ccxt_market: CcxtMarket) -> None:
    rex = await ccxt_market.adapter(ccxt_market.served.venue.keys["bob"].key)
    await rex.watch_balance()
    await rex.close()
    await rex.watch_balance()
