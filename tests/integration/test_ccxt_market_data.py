"""Market data through the ccxt adapter, each method on a real venue."""

from __future__ import annotations

from decimal import Decimal

import pytest
from rex_client.ccxt import BadRequest, pages, public_methods

from tests.integration.ccxt_market import N35, ND, CcxtMarket

pytestmark = pytest.mark.anyio


async def test_fetch_markets(ccxt_market: CcxtMarket) -> None:
    markets = {each["symbol"]: each for each in await ccxt_market.alice.fetch_markets()}
    assert markets.keys() == set(ccxt_market.alice.symbols)
    n35 = markets[N35]
    assert (n35["id"], n35["base"], n35["quote"], n35["type"], n35["active"]) == (
        "NDFEB-N35",
        "NDFEB-N35",
        "CNY",
        "spot",
        True,
    )
    assert n35["precision"] == {"amount": Decimal(100), "price": Decimal("0.10")}
    assert n35["limits"]["amount"] == {"min": Decimal(100), "max": Decimal(10_000_000)}
    assert n35["limits"]["price"] == {"min": Decimal("152.00"), "max": Decimal("168.00")}
    assert (n35["taker"], n35["maker"]) == (Decimal("0.0005"), Decimal("0.0005"))
    assert ccxt_market.alice.amount_to_precision(N35, 1234.5) == "1200"
    assert ccxt_market.alice.price_to_precision(N35, 160.04) == "160.00"


async def test_fetch_currencies(ccxt_market: CcxtMarket) -> None:
    currencies = await ccxt_market.alice.fetch_currencies()
    assert currencies["CNY"]["precision"] == Decimal("0.01")
    assert currencies["NDFEB-N35"]["precision"] == Decimal(100)


async def test_market_data_needs_no_key(ccxt_market: CcxtMarket) -> None:
    anybody = await ccxt_market.adapter(None)
    assert await anybody.fetch_ticker(N35) == await ccxt_market.alice.fetch_ticker(N35)
    assert (await anybody.watch_order_book(N35))["symbol"] == N35


async def test_fetch_time(ccxt_market: CcxtMarket) -> None:
    assert await ccxt_market.alice.fetch_time() == ccxt_market.served.venue.clock.now_ns // 10**6


async def test_fetch_status(ccxt_market: CcxtMarket) -> None:
    assert (await ccxt_market.alice.fetch_status())["status"] == "ok"
    await ccxt_market.operator.kill_switch(on=True)
    assert (await ccxt_market.alice.fetch_status())["status"] == "maintenance"
    await ccxt_market.operator.kill_switch(on=False)


async def test_fetch_ticker(ccxt_market: CcxtMarket) -> None:
    await ccxt_market.trade(100, "160.00")
    before = await ccxt_market.alice.fetch_ticker(N35)
    await ccxt_market.trade(100, "161.00")
    told = await ccxt_market.alice.fetch_ticker(N35)
    assert (told["symbol"], told["open"], told["last"], told["close"]) == (N35, 160, 161, 161)
    assert (told["change"], told["percentage"], told["average"]) == (1, Decimal("0.6250"), Decimal("160.50"))
    assert told["baseVolume"] - before["baseVolume"] == 100
    assert told["quoteVolume"] - before["quoteVolume"] == 16_100
    assert told["vwap"] == (told["quoteVolume"] / told["baseVolume"]).quantize(Decimal("0.000001"))
    empty = await ccxt_market.alice.fetch_ticker(ND)
    assert (empty["last"], empty["vwap"], empty["percentage"], empty["baseVolume"]) == (None, None, None, 0)


async def test_fetch_tickers(ccxt_market: CcxtMarket) -> None:
    assert (await ccxt_market.alice.fetch_tickers()).keys() == set(ccxt_market.alice.symbols)
    assert await ccxt_market.alice.fetch_tickers([N35]) == {N35: await ccxt_market.alice.fetch_ticker(N35)}


async def test_fetch_order_book(ccxt_market: CcxtMarket) -> None:
    for price in ("153.00", "152.50"):
        await ccxt_market.bob.create_order(N35, "limit", "buy", 400, price)
    book = await ccxt_market.alice.fetch_order_book(N35, 1)
    assert book["bids"] == [[Decimal("153.00"), Decimal(400)]]
    assert [Decimal("152.50"), Decimal(400)] in (await ccxt_market.alice.fetch_order_book(N35))["bids"]
    assert book["nonce"] == book["info"]["seq"]
    await ccxt_market.bob.cancel_all_orders()


async def test_fetch_trades(ccxt_market: CcxtMarket) -> None:
    since = ccxt_market.wait(1)
    for price in ("160.00", "160.10", "160.20"):
        await ccxt_market.trade(100, price)
    trades = await ccxt_market.alice.fetch_trades(N35, limit=2)
    assert [(trade["price"], trade["amount"], trade["cost"], trade["side"]) for trade in trades] == [
        (Decimal("160.10"), 100, 16_010, "buy"),
        (Decimal("160.20"), 100, 16_020, "buy"),
    ]
    assert all(trade["timestamp"] >= since and trade["datetime"].endswith("Z") for trade in trades)
    first = await ccxt_market.alice.fetch_trades(N35, since, limit=2)
    assert [trade["price"] for trade in first] == [Decimal("160.00"), Decimal("160.10")]
    later = ccxt_market.wait(1)
    await ccxt_market.trade(100, "160.30")
    until = await ccxt_market.alice.fetch_trades(N35, since, params={"until": later - 1})
    assert [trade["price"] for trade in until] == [Decimal("160.00"), Decimal("160.10"), Decimal("160.20")]
    await ccxt_market.operator.bust_trade(trades[-1]["id"], "agreed")
    assert [trade["id"] for trade in await ccxt_market.alice.fetch_trades(N35, since)] == [
        each["id"] for each in (*first, (await ccxt_market.alice.fetch_trades(N35, limit=1))[0])
    ]
    assert trades[-1]["id"] not in {trade["id"] for trade in await ccxt_market.bob.fetch_my_trades()}


async def test_fetch_ohlcv(ccxt_market: CcxtMarket) -> None:
    since = ccxt_market.wait(120) // 60_000 * 60_000
    await ccxt_market.trade(100, "160.00")
    await ccxt_market.trade(200, "161.00")
    ccxt_market.wait(60)
    await ccxt_market.trade(100, "159.00")
    candles = await ccxt_market.alice.fetch_ohlcv(N35, "1m", since)
    assert candles == [[since, 160, 161, 160, 161, 300], [since + 60_000, 159, 159, 159, 159, 100]]
    assert await ccxt_market.alice.fetch_ohlcv(N35, limit=1) == candles[1:]
    assert await ccxt_market.alice.fetch_ohlcv(N35, "1m", since, 1) == candles[:1]
    ccxt_market.wait(120)
    await ccxt_market.trade(100, "159.00")
    flat = await ccxt_market.alice.fetch_ohlcv(N35, "1m", since, params={"gaps": "flat"})
    assert flat[2][1:] == [159, 159, 159, 159, 0]


async def test_lists_longer_than_a_page_of_the_venue(ccxt_market: CcxtMarket, monkeypatch: pytest.MonkeyPatch) -> None:
    since = ccxt_market.wait(120) // 60_000 * 60_000
    for price in ("160.00", "160.10", "160.20", "160.30", "160.40"):
        await ccxt_market.trade(100, price)
        ccxt_market.wait(60)
    alice, bob = ccxt_market.alice, ccxt_market.bob

    async def read() -> list[object]:
        return [
            await alice.fetch_trades(N35, since),
            await alice.fetch_trades(N35, since, 3),
            await alice.fetch_trades(N35, limit=4),
            await alice.fetch_ohlcv(N35, "1m", since),
            await alice.fetch_ohlcv(N35, limit=4),
            await bob.fetch_my_trades(N35, since),
            await bob.fetch_ledger(limit=7),
        ]

    whole = await read()
    assert [len(entries) for entries in whole if isinstance(entries, list)] == [5, 3, 4, 5, 4, 5, 7]
    for module, name in (
        (public_methods, "TRADES_A_PAGE"),
        (public_methods, "CANDLES_A_PAGE"),
        (pages, "PAGE_ENTRIES"),
    ):
        monkeypatch.setattr(module, name, 2)
    assert await read() == whole
    monkeypatch.setattr(pages, "MOST_PAGES", 1)
    with pytest.raises(BadRequest, match="pages"):
        await alice.fetch_trades(N35, since)
