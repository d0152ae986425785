"""The pushes to subscribers: books with checksums, trades, tickers, and own orders."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from rex_client import DepthBook, RexError, Subscription

from matching_engine.records import Command, Side
from services.commands.administrative import list_instrument
from services.commands.attachments import InstrumentText
from services.gateway.websocket.private_models import PART_ROWS
from tests.integration.served_venue import Served, served_venue
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.anyio

SYMBOL = "PRND-OX"


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    async with served_venue(tmp_path) as running:
        yield running


def limit(side: str, price: str, quantity: int, **more: Any) -> dict[str, Any]:
    return {"symbol": SYMBOL, "side": side, "price": price, "quantity": quantity, **more}


async def until_seq(pushes: Subscription, seq: int) -> list[dict[str, Any]]:
    """The pushes up to the one that carries this seq."""
    taken: list[dict[str, Any]] = []
    async with asyncio.timeout(PATIENCE_S):
        async for push in pushes:
            taken.append(push)
            if push["seq"] >= seq:
                return taken
    raise AssertionError("the subscription ended")


async def random_orders(served: Served, count: int, seed: int) -> int:
    """Orders around one price from both traders; returns the seq of the last change."""
    rng = random.Random(seed)
    alice, bob = await served.client("alice"), await served.client("bob")
    await alice.connect()
    await bob.connect()
    replies = []
    for _ in range(count):
        trader, side = rng.choice((alice, bob)), rng.choice(("buy", "sell"))
        price = f"{473_000 + 100 * rng.randint(-8, 8)}.00"
        replies.append(await trader.submit_order(limit(side, price, rng.randint(1, 5))))
    return max([int((await reply)["seq"]) for reply in replies])


async def test_a_depth_book_follows_and_ends_equal_to_the_venues(served: Served) -> None:
    client = await served.client("alice")
    await random_orders(served, 50, seed=1)
    async with client.subscribe(["depth"], [SYMBOL]) as pushes:
        book = DepthBook()
        book.apply(await anext(pushes))
        await random_orders(served, 300, seed=2)
        market = served.venue.market
        number = served.venue.state.by_symbol[SYMBOL].number
        for push in await until_seq(pushes, market.of_instrument[number].depth_seq):
            book.apply(push)
    depth = await client.depth(SYMBOL, 500)
    assert [level._asdict() for level in book.bids] == depth["bids"]
    assert [level._asdict() for level in book.asks] == depth["asks"]
    assert book.checksum() == depth["checksum"]
    assert len(book.bids) + len(book.asks) > 3
    assert len(market.of_instrument[number].side(Side.BUY).levels()) == len(book.bids)


async def test_the_tape_and_the_ticker_of_a_trade(served: Served) -> None:
    alice, bob = await served.client("alice"), await served.client("bob")
    async with alice.subscribe(["trades", "ticker"], [SYMBOL]) as pushes:
        snapshots = {push["channel"]: push for push in [await anext(pushes), await anext(pushes)]}
        assert snapshots["trades"]["data"] == {"trades": [], "busted": []}
        assert (snapshots["ticker"]["data"]["last"], snapshots["ticker"]["prev_seq"]) == (None, None)
        await bob.place_order(limit("sell", "473100", 2))
        await bob.place_order(limit("sell", "473100", 1))
        order = await alice.place_order(limit("buy", "473100", 3))
        pushed = await until_seq(pushes, order["seq"])
        if len({push["channel"] for push in pushed if push["seq"] == order["seq"]}) < 2:
            pushed.append(await anext(pushes))
    tape = [push for push in pushed if push["channel"] == "trades"]
    ticker = [push for push in pushed if push["channel"] == "ticker"][-1]
    assert len(tape) == 1
    assert tape[0]["prev_seq"] == snapshots["trades"]["seq"]
    assert [(t["price"], t["quantity"], t["taker_side"]) for t in tape[0]["data"]["trades"]] == [
        ("473100.00", 2, "buy"),
        ("473100.00", 1, "buy"),
    ]
    assert ticker["data"] == await alice.ticker(SYMBOL)
    assert (ticker["data"]["last"], ticker["data"]["volume"], ticker["data"]["turnover"]) == (
        "473100.00",
        3,
        "1419300.00",
    )
    assert await alice.trades(SYMBOL) == list(reversed(tape[0]["data"]["trades"]))


async def test_a_snapshot_of_more_open_orders_than_a_message_tells_is_one_to_the_client(
    served: Served,
) -> None:
    alice, count = await served.client("alice"), PART_ROWS + 1
    for begin in range(0, count, 100):
        await alice.place_batch([limit("buy", "470000", 1)] * min(100, count - begin))
    async with alice.subscribe(["orders"]) as pushes:
        snapshot = await anext(pushes)
        last = await alice.place_order(limit("buy", "470000", 1))
        update = await anext(pushes)
    assert (snapshot["type"], len(snapshot["data"]["orders"]), "more" in snapshot["data"]) == ("snapshot", count, False)
    assert (update["prev_seq"], update["data"]["orders"]) == (snapshot["seq"], [last])


async def test_own_orders_and_fills_are_pushed_and_nobody_elses(served: Served) -> None:
    alice, bob = await served.client("alice"), await served.client("bob")
    resting = await alice.place_order(limit("buy", "473000", 3, client_order_id="rests"))
    async with alice.subscribe(["orders"]) as pushes:
        snapshot = await anext(pushes)
        assert (snapshot["type"], snapshot["symbol"], snapshot["prev_seq"]) == ("snapshot", None, None)
        assert snapshot["data"] == {"orders": [resting], "fills": [], "busts": []}
        await bob.place_order(limit("buy", "472000", 1))
        sold = await bob.place_order(limit("sell", "473000", 1, client_order_id="bobs"))
        canceled = await alice.cancel_order(order_id=resting["order_id"])
        filled, ended = await until_seq(pushes, canceled["seq"])
    assert (filled["seq"], filled["prev_seq"]) == (sold["seq"], snapshot["seq"])
    assert [(o["order_id"], o["state"], o["leaves_qty"]) for o in filled["data"]["orders"]] == [
        (resting["order_id"], "partially_filled", 2)
    ]
    assert filled["data"]["fills"] == (await alice.fills())["fills"]
    assert (ended["prev_seq"], ended["data"]) == (sold["seq"], {"orders": [canceled], "fills": [], "busts": []})


async def test_every_change_of_an_own_order_is_pushed(served: Served) -> None:
    alice, bob = await served.client("alice"), await served.client("bob")
    async with alice.subscribe(["orders"]) as pushes:
        await anext(pushes)
        stop = await alice.place_order(limit("buy", "475000", 2, order_type="stop_limit", stop_price="474000"))
        resting = await alice.place_order(limit("buy", "473000", 3))
        amended = await alice.amend_order(order_id=resting["order_id"], quantity=2)
        await bob.place_order(limit("sell", "474000", 1, client_order_id="bobs"))
        trading = await alice.place_order(limit("buy", "474000", 1, self_trade_prevention="decrement"))
        ended = await alice.mass_cancel("*")
        told = await until_seq(pushes, ended["seq"])
    assert [push["seq"] for push in told] == [
        stop["seq"],
        resting["seq"],
        amended["seq"],
        trading["seq"],
        ended["seq"],
    ]
    states = [
        [(o["order_id"], o["state"], o["quantity"], o["triggered"], o["reason"]) for o in push["data"]["orders"]]
        for push in told
    ]
    assert states == [
        [(stop["order_id"], "new", 2, False, None)],
        [(resting["order_id"], "new", 3, None, None)],
        [(resting["order_id"], "new", 2, None, None)],
        [(trading["order_id"], "filled", 1, None, None), (stop["order_id"], "new", 2, True, None)],
        [
            (stop["order_id"], "canceled", 2, True, "mass_cancel"),
            (resting["order_id"], "canceled", 2, None, "mass_cancel"),
        ],
    ]


async def test_an_auction_is_told_while_it_collects_and_when_it_trades(served: Served) -> None:
    alice, bob, operator = [await served.client(name) for name in ("alice", "bob", "operator")]
    async with bob.subscribe(["ticker", "trades"], [SYMBOL]) as pushes:
        await anext(pushes)
        await anext(pushes)
        await operator.set_phase(SYMBOL, "call_auction")
        await alice.place_order(limit("buy", "473500", 3))
        await bob.place_order(limit("sell", "472500", 5))
        matched = await operator.set_phase(SYMBOL, "continuous")
        told = await until_seq(pushes, matched["seq"])
        told.append(await anext(pushes))
    fields = ("phase", "indicative_price", "indicative_volume", "indicative_imbalance")
    tickers = [push["data"] for push in told if push["channel"] == "ticker"]
    assert [tuple(data[field] for field in fields) for data in tickers] == [
        ("call_auction", None, None, None),
        ("call_auction", None, 0, 0),
        ("call_auction", "473000.00", 3, -2),
        ("continuous", None, None, None),
    ]
    ((trade,),) = (push["data"]["trades"] for push in told if push["channel"] == "trades")
    assert (trade["auction"], trade["taker_side"], trade["price"]) == (True, None, "473000.00")


async def test_a_bust_is_told_to_both_accounts_and_to_the_market(served: Served) -> None:
    alice, bob, operator = [await served.client(name) for name in ("alice", "bob", "operator")]
    await bob.place_order(limit("sell", "473000", 2))
    await alice.place_order(limit("buy", "473000", 2))
    (fill,) = (await alice.fills())["fills"]
    async with alice.subscribe(["orders"]) as buyer, bob.subscribe(["orders", "trades"], [SYMBOL]) as seller:
        await anext(buyer)
        snapshots = [await anext(seller), await anext(seller)]
        busted = await operator.bust_trade(fill["trade_id"], "agreed by both sides")
        (of_buyer,) = await until_seq(buyer, busted["seq"])
        of_seller = {push["channel"]: push for push in [await anext(seller), await anext(seller)]}
    assert {push["type"] for push in snapshots} == {"snapshot"}
    given_back = {
        "trade_id": fill["trade_id"],
        "symbol": SYMBOL,
        "side": "buy",
        "price": "473000.00",
        "quantity": 2,
        "amount": "946000.00",
        "fee": "473.00",
        "seq": busted["seq"],
    }
    assert of_buyer["data"] == {"orders": [], "fills": [], "busts": [given_back]}
    assert of_seller["orders"]["data"]["busts"] == [given_back | {"side": "sell"}]
    assert of_seller["trades"]["data"] == {"trades": [], "busted": [fill["trade_id"]]}
    assert [trade["busted"] for trade in await alice.trades(SYMBOL)] == [True]


async def test_a_subscription_ends_quietly_where_it_is_closed_and_says_why_where_it_is_refused(served: Served) -> None:
    client = await served.client("alice")
    async with client.subscribe(["ticker"], [SYMBOL]) as pushes:
        assert (await anext(pushes))["type"] == "snapshot"
    with pytest.raises(StopAsyncIteration):
        await anext(pushes)
    await client.place_order(limit("buy", "473000", 1))
    assert (await client.ping())["seq"] > 0
    with pytest.raises(RexError) as refused:
        await anext(client.subscribe(["ticker"], ["GOLD"]))
    assert refused.value.code == "unknown_symbol"
    assert refused.value.errors[0]["field"] == "symbols.0"


async def test_an_unsubscribed_stream_falls_silent_and_others_go_on(served: Served) -> None:
    client, bob = await served.client("alice"), await served.client("bob")
    async with client.subscribe(["trades"], [SYMBOL]) as trades:
        await anext(trades)
        async with client.subscribe(["ticker"], [SYMBOL]) as tickers:
            await anext(tickers)
        await client.ping()  # The venue has read the unsubscription, which was sent before.
        await client.place_order(limit("buy", "473000", 1))
        order = await bob.place_order(limit("sell", "473000", 1))
        assert [push["channel"] for push in await until_seq(trades, order["seq"])] == ["trades"]


async def test_who_asked_for_every_symbol_hears_of_one_that_is_listed_later(served: Served) -> None:
    client = await served.client("alice")
    count = len(served.venue.state.instruments)
    text = InstrumentText(
        symbol="SC-OX",
        name_en="Scandium oxide",
        name_zh="氧化钪",
        category="deep_processed",
        family="separated_oxide",
        unit="kg",
        lot_size=10,
        tick_size="1.00",
        reference_price_source="assumed",
        spec="",
        note="",
    )
    listing = list_instrument(
        Command(), count, tick_value_fen=1_000, reference_ticks=6_000, band_ppm=60_000, max_quantity_lots=100, text=text
    )
    async with client.subscribe(["ticker"], ["*"]) as pushes, asyncio.timeout(PATIENCE_S):
        first = [await anext(pushes) for _ in range(count)]
        assert [push["symbol"] for push in first] == [listed.symbol for listed in served.venue.state.instruments]
        await served.venue.inbox.put(listing)
        push = await anext(pushes)
        while push["symbol"] != "SC-OX":
            push = await anext(pushes)
    assert (push["type"], push["data"]["reference_price"]) == ("snapshot", "6000.00")
