"""A market loaded from the read database equals the market that applied every batch."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from matching_engine.records import Command, Phase
from services.market_data import Market, load_market
from tests.integration.venue import RunningVenue, running_venue
from tests.unit.read_model.history import day_roll

pytestmark = pytest.mark.anyio

SYMBOLS = ("PRND-OX", "NDFEB-N35")


async def trade_at_random(venue: RunningVenue, seed: int) -> None:
    """Orders of both traders around the reference prices, some of them for longer than a day."""
    rng = random.Random(seed)
    clients = venue.client("alice"), venue.client("bob")
    tickers = {symbol: (await clients[0].get(f"/v1/market/{symbol}/ticker")).json() for symbol in SYMBOLS}
    instruments = {listed.symbol: listed for listed in venue.state.instruments}
    for _ in range(6):
        orders = []
        for _ in range(40):
            symbol = rng.choice(SYMBOLS)
            reference = instruments[symbol].price_ticks(tickers[symbol]["reference_price"])
            price = instruments[symbol].price_text(reference + rng.randint(-4, 4))
            side, time_in_force = rng.choice(("buy", "sell")), rng.choice(("day", "gtc", "ioc"))
            orders.append(
                {"symbol": symbol, "side": side, "price": price, "quantity": 1, "time_in_force": time_in_force}
            )
        reply = await rng.choice(clients).post("/v1/orders/batch", json={"orders": orders})
        assert reply.status_code == 200


def seen(market: Market) -> list[Any]:
    """All market data a client can request, without the seqs of last changes: a loaded market does not have these."""
    return [
        (
            market.depth(number),
            market.recent_trades(number, 1_000),
            market.ticker(number)._replace(seq=0),
        )
        for number in range(len(market.of_instrument))
    ]


async def test_auctions_icebergs_and_busts_are_loaded_as_they_were_applied(tmp_path: Path) -> None:
    async with running_venue(tmp_path) as venue:
        alice, bob, operator = [venue.client(name) for name in ("alice", "bob", "operator")]
        sell = {"symbol": SYMBOLS[0], "side": "sell", "price": "473000", "quantity": 10, "display_quantity": 4}
        await bob.post("/v1/orders", json=sell)
        await alice.post("/v1/orders", json=sell | {"side": "buy", "quantity": 2, "display_quantity": None})
        (fill,) = (await alice.get("/v1/fills")).json()["fills"]
        await operator.post(f"/v1/admin/trades/{fill['trade_id']}/bust", json={"reason": "x"})
        band = {"rate": "0.01", "auction_seconds": 300}
        await operator.put(f"/v1/admin/instruments/{SYMBOLS[1]}/volatility_band", json=band)
        for name, side in (("bob", "sell"), ("alice", "buy")):
            body = {"symbol": SYMBOLS[1], "side": side, "quantity": 1, "price": "163.00"}
            await venue.client(name).post("/v1/orders", json=body)
        await venue.projector.reached(venue.sequencer.last_seq)
        loaded = await load_market(venue.read_database)
        # What an auction would do is told again as soon as its book is touched.
        applied = [(depth, trades, ticker._replace(indicative=None)) for depth, trades, ticker in seen(venue.market)]
        assert seen(loaded) == applied
        tickers = [loaded.ticker(venue.state.by_symbol[symbol].number) for symbol in SYMBOLS]
        assert (tickers[0].trades, tickers[0].last_ticks) == (0, 4_730)
        assert (tickers[1].phase, tickers[1].auction_ends_ns > 0) == (Phase.CALL_AUCTION, True)


async def test_loaded_or_applied_it_is_the_same_market(tmp_path: Path) -> None:
    async with running_venue(tmp_path) as venue:
        operator, symbols = venue.client("operator"), [listed.symbol for listed in venue.state.instruments]
        for step in range(3):
            await trade_at_random(venue, seed=step)
            if step == 1:
                await venue.inbox.put(day_roll(Command(), 20231204))
                assert (await operator.post(f"/v1/admin/instruments/{SYMBOLS[1]}/halt")).status_code == 200
                assert venue.market.trading_date == 20231204
            await venue.projector.reached(venue.sequencer.last_seq)
            loaded = await load_market(venue.read_database)
            assert (loaded.seq, loaded.trading_date) == (venue.market.seq, venue.market.trading_date)
            assert seen(loaded) == seen(venue.market)
            assert loaded.ticker(symbols.index(SYMBOLS[0])).trades > 0 or step == 1, "there was something to compare"
