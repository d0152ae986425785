"""Orders through the ccxt adapter, each method on a real venue."""

from __future__ import annotations

from decimal import Decimal

import pytest
from rex_client.ccxt.account_structures import ORDER_KEYS

from tests.integration.ccxt_market import N35, ND, PRND, CcxtMarket

pytestmark = pytest.mark.anyio


async def test_create_order(ccxt_market: CcxtMarket) -> None:
    placed = ccxt_market.first
    assert placed.keys() == set(ORDER_KEYS)
    assert (placed["clientOrderId"], placed["status"], placed["type"], placed["side"]) == (
        "first",
        "open",
        "limit",
        "sell",
    )
    assert (placed["amount"], placed["filled"], placed["remaining"], placed["price"]) == (3, 0, 3, 473_000)
    again = await ccxt_market.alice.create_order(PRND, "limit", "sell", 3, "473000", {"clientOrderId": "first"})
    assert again["id"] == placed["id"], "placed once"
    assert (again["filled"], again["remaining"], again["average"], again["cost"]) == (2, 1, 473_000, 946_000)
    assert again["fee"] == {"currency": "CNY", "cost": Decimal("473.00")}


async def test_create_order__with_options(ccxt_market: CcxtMarket) -> None:
    options = {"timeInForce": "GTC", "postOnly": True, "display_quantity": 1}
    placed = await ccxt_market.bob.create_order(N35, "limit", "buy", Decimal(500), Decimal("153.0"), options)
    assert (placed["timeInForce"], placed["postOnly"], placed["info"]["display_quantity"]) == ("GTC", True, 1)
    stop = await ccxt_market.bob.create_order(N35, "market", "buy", 100, params={"triggerPrice": "165.00"})
    assert (stop["type"], stop["status"], stop["triggerPrice"], stop["price"]) == ("market", "open", 165, None)
    stop = await ccxt_market.bob.create_order(N35, "limit", "buy", 100, "165.10", {"stopPrice": "165.00"})
    assert (stop["type"], stop["info"]["order_type"], stop["price"]) == ("limit", "stop_limit", Decimal("165.10"))
    stop = await ccxt_market.bob.create_order(
        N35, "limit", "buy", 100, Decimal("1.66E+2"), {"triggerPrice": Decimal("1.65E+2")}
    )
    stop = await ccxt_market.bob.edit_order(stop["id"], N35, params={"triggerPrice": Decimal("1.64E+2")})
    assert (stop["price"], stop["triggerPrice"]) == (166, 164)
    killed = await ccxt_market.bob.create_order(N35, "limit", "buy", 100, "152.00", {"timeInForce": "IOC"})
    assert (killed["status"], killed["filled"]) == ("canceled", 0)
    post_only = await ccxt_market.bob.create_order(N35, "limit", "buy", 100, "152.00", {"timeInForce": "PO"})
    assert post_only["postOnly"]
    await ccxt_market.bob.cancel_all_orders()


async def test_create_orders(ccxt_market: CcxtMarket) -> None:
    asked = [
        {"symbol": PRND, "type": "limit", "side": "buy", "amount": 1, "price": "460000"},
        {"symbol": N35, "type": "limit", "side": "buy", "amount": 100, "price": "153.05"},
        {"symbol": N35, "type": "limit", "side": "buy", "amount": 100, "price": "1.00"},
    ]
    placed, off_tick, below_band = await ccxt_market.bob.create_orders(asked)
    assert (placed["status"], placed["symbol"], placed["amount"]) == ("open", PRND, 1)
    assert (off_tick["status"], off_tick["info"]["code"], off_tick["symbol"]) == ("rejected", "price_off_tick", N35)
    assert (below_band["status"], below_band["info"]["reason"]) == ("rejected", "price_below_band")
    await ccxt_market.bob.cancel_order(placed["id"])


async def test_edit_order(ccxt_market: CcxtMarket) -> None:
    placed = await ccxt_market.bob.create_order(N35, "limit", "buy", 300, "153.00")
    edited = await ccxt_market.bob.edit_order(placed["id"], N35, "limit", "buy", 500, "153.10")
    assert (edited["id"], edited["amount"], edited["price"]) == (placed["id"], 500, Decimal("153.10"))
    edited = await ccxt_market.bob.edit_order(placed["id"], N35, price="153.20")
    assert (edited["amount"], edited["price"]) == (500, Decimal("153.20"))
    edited = await ccxt_market.bob.edit_order(placed["id"], N35, amount=Decimal("4E+2"), price=Decimal("1.6E+2"))
    assert (edited["amount"], edited["price"]) == (400, 160)
    await ccxt_market.bob.cancel_order(placed["id"])


async def test_cancel_order(ccxt_market: CcxtMarket) -> None:
    for cancel_by in ("id", "clientOrderId"):
        placed = await ccxt_market.bob.create_order(PRND, "limit", "buy", 1, "460000")
        if cancel_by == "id":
            canceled = await ccxt_market.bob.cancel_order(placed["id"], PRND)
        else:
            canceled = await ccxt_market.bob.cancel_order(None, params={"clientOrderId": placed["clientOrderId"]})
        assert (canceled["id"], canceled["status"], canceled["remaining"]) == (placed["id"], "canceled", 1)


async def test_cancel_orders(ccxt_market: CcxtMarket) -> None:
    placed = [await ccxt_market.bob.create_order(PRND, "limit", "buy", 1, "460000") for _ in range(2)]
    told = await ccxt_market.bob.cancel_orders([placed[0]["id"], "1", placed[1]["id"]])
    assert [(each["id"], each["status"]) for each in told] == [
        (placed[0]["id"], "canceled"),
        ("1", None),
        (placed[1]["id"], "canceled"),
    ]
    assert told[1]["info"]["code"] == "unknown_order"


async def test_cancel_all_orders(ccxt_market: CcxtMarket) -> None:
    await ccxt_market.bob.create_order(PRND, "limit", "buy", 1, "460000")
    other = await ccxt_market.bob.create_order(ND, "limit", "buy", 1, "480000")
    assert [each["info"]["canceled"] for each in await ccxt_market.bob.cancel_all_orders(PRND)] == [1]
    assert [each["id"] for each in await ccxt_market.bob.fetch_open_orders()] == [other["id"]]
    assert [each["info"]["canceled"] for each in await ccxt_market.bob.cancel_all_orders()] == [1]


async def test_cancel_all_orders_after(ccxt_market: CcxtMarket) -> None:
    assert (await ccxt_market.bob.cancel_all_orders_after(60_000))["info"]["seconds"] == 60
    assert (await ccxt_market.bob.cancel_all_orders_after(0))["info"] == {"seconds": 0, "cancels_at": None}


async def test_fetch_order(ccxt_market: CcxtMarket) -> None:
    told = await ccxt_market.alice.fetch_order(ccxt_market.first["id"], PRND)
    assert told == await ccxt_market.alice.fetch_order(None, params={"clientOrderId": "first"})
    assert (told["id"], told["timestamp"]) == (ccxt_market.first["id"], ccxt_market.first["timestamp"])
    assert (told["filled"], told["cost"]) == (2, 946_000)


async def test_fetch_orders(ccxt_market: CcxtMarket) -> None:
    since = ccxt_market.wait(1)
    placed = [await ccxt_market.bob.create_order(PRND, "limit", "buy", 1, "460000") for _ in range(3)]
    ids = [each["id"] for each in placed]
    assert [each["id"] for each in await ccxt_market.bob.fetch_orders(PRND, since)] == ids
    assert [each["id"] for each in await ccxt_market.bob.fetch_orders(PRND, since, 2)] == ids[:2]
    assert [each["id"] for each in await ccxt_market.bob.fetch_orders(limit=2)] == ids[1:]
    assert await ccxt_market.bob.fetch_orders(N35, since) == []
    await ccxt_market.bob.cancel_all_orders()


async def test_fetch_open_orders(ccxt_market: CcxtMarket) -> None:
    placed = await ccxt_market.bob.create_order(PRND, "limit", "buy", 1, "460000")
    assert await ccxt_market.bob.fetch_open_orders() == [placed]
    assert await ccxt_market.bob.fetch_open_orders(N35) == []
    await ccxt_market.bob.cancel_order(placed["id"])


async def ended(ccxt_market: CcxtMarket) -> dict[str, str]:
    """By status, an order of bob's that has it."""
    filled = await ccxt_market.alice.create_order(N35, "limit", "sell", 100, "158.00")
    bought = await ccxt_market.bob.create_order(N35, "limit", "buy", 100, "158.00")
    canceled = await ccxt_market.bob.create_order(PRND, "limit", "buy", 1, "460000")
    await ccxt_market.bob.cancel_order(canceled["id"])
    assert filled["status"] == "open"
    return {bought["id"]: "closed", canceled["id"]: "canceled"}


async def test_fetch_closed_orders(ccxt_market: CcxtMarket) -> None:
    orders = await ended(ccxt_market)
    told = await ccxt_market.bob.fetch_closed_orders(limit=1)
    assert [(each["id"], each["status"]) for each in told] == [each for each in orders.items() if each[1] == "closed"]


async def test_fetch_canceled_orders(ccxt_market: CcxtMarket) -> None:
    orders = await ended(ccxt_market)
    told = await ccxt_market.bob.fetch_canceled_orders(limit=1)
    assert [(each["id"], each["status"]) for each in told] == [each for each in orders.items() if each[1] == "canceled"]


async def test_fetch_canceled_and_closed_orders(ccxt_market: CcxtMarket) -> None:
    orders = await ended(ccxt_market)
    told = await ccxt_market.bob.fetch_canceled_and_closed_orders(limit=2)
    assert {each["id"]: each["status"] for each in told} == orders
