"""The market channels, push by push: limited and throttled depth, top, candles, auctions, status, turnover, heartbeats."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from rex_client import DepthBook

from services.gateway.websocket.liveness import HEARTBEAT_SECONDS
from services.gateway.websocket.market_streams import Wanted
from tests.integration.market_follower import Follower, ManualTimer
from tests.integration.venue import RunningVenue, running_venue
from tests.patience import AsyncHttpClient

pytestmark = pytest.mark.anyio

SYMBOL = "PRND-OX"
MINUTE_NS = 60_000_000_000


class Stage(NamedTuple):
    """A venue whose streams wait for the test's timer."""

    venue: RunningVenue
    timer: ManualTimer
    alice: AsyncHttpClient
    bob: AsyncHttpClient
    operator: AsyncHttpClient

    @property
    def number(self) -> int:
        return self.venue.state.by_symbol[SYMBOL].number

    def follow(self, channel: str, levels: int = 0, interval: int = 0, *, everywhere: bool = False) -> Follower:
        wanted = Wanted(channel, levels, interval)
        return Follower(self.venue.channels).subscribe(wanted, None if everywhere else [self.number])

    async def place(self, client: AsyncHttpClient, side: str, price: int, quantity: int) -> dict[str, Any]:
        body = {"symbol": SYMBOL, "side": side, "price": f"{price}.00", "quantity": quantity}
        order: dict[str, Any] = (await client.post("/v1/orders", json=body)).json()
        return order

    async def trade(self, price: int, quantity: int) -> str:
        """Bob sells to Alice; returns the id of the trade."""
        await self.place(self.bob, "sell", price, quantity)
        await self.place(self.alice, "buy", price, quantity)
        return str(self.venue.market.recent_trades(self.number, 1)[0].trade_id)


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    timer = ManualTimer()
    async with running_venue(tmp_path, timer=timer) as venue:
        yield Stage(venue, timer, *(venue.client(name) for name in ("alice", "bob", "operator")))


@pytest.mark.parametrize(("levels", "interval"), [(10, 0), (0, 100)])
async def test_a_limited_and_throttled_book_is_the_venues(stage: Stage, levels: int, interval: int) -> None:
    rng, book, pushed = random.Random(levels + interval), DepthBook(), 0
    market, orders = stage.venue.market, 150
    follower = stage.follow("depth", levels, interval)
    for _ in range(orders):
        price = 473_000 + 100 * rng.randint(-15, 15)
        await stage.place(rng.choice((stage.alice, stage.bob)), rng.choice(("buy", "sell")), price, rng.randint(1, 3))
        if rng.random() < 0.3:
            stage.timer.advance(rng.choice((0.05, 0.3)))
        if rng.random() < 0.3:
            for push in follower.pushes():
                book.apply(push)  # It checks the chain of prev_seq, and the checksum.
                pushed += 1
    stage.timer.advance(2)
    for push in follower.pushes():
        book.apply(push)
        pushed += 1
    price_text = stage.venue.state.instruments[stage.number].price_text
    for shown, side in zip((book.bids, book.asks), market.depth(stage.number, levels or None), strict=True):
        assert shown == [(price_text(level.price_ticks), level.quantity_lots, level.orders) for level in side]
    assert market.depth(stage.number) != market.depth(stage.number, 10), "the limit has to leave something out"
    assert pushed < orders / 2 if interval else pushed > orders / 10


async def test_a_late_follower_of_a_throttled_book_gets_the_same_updates(stage: Stage) -> None:
    early = stage.follow("depth", 10, 500)
    early.pushes()
    await stage.place(stage.alice, "buy", 473_000, 1)
    stage.timer.advance(1)
    await stage.place(stage.alice, "buy", 473_100, 1)
    await stage.place(stage.alice, "buy", 473_200, 1)  # It waits for its time.
    late = stage.follow("depth", 10, 500)
    (shown,) = late.pushes()
    assert [level["price"] for level in shown["data"]["bids"]] == ["473100.00", "473000.00"]
    stage.timer.advance(1)
    (update,) = late.pushes()
    assert (update["prev_seq"], [level["price"] for level in update["data"]["bids"]]) == (shown["seq"], ["473200.00"])
    assert early.pushes()[-1] == update


async def test_a_level_that_leaves_the_view_is_said_to_be_gone(stage: Stage) -> None:
    follower = stage.follow("depth", 10)
    for step in range(10):
        await stage.place(stage.alice, "buy", 472_000 + 100 * step, 1)
    follower.pushes()
    await stage.place(stage.alice, "buy", 473_000, 2)
    (push,) = follower.pushes()
    changed = [(level["price"], level["quantity"]) for level in push["data"]["bids"]]
    assert changed == [("473000.00", 2), ("472000.00", 0)]
    await stage.place(stage.alice, "buy", 471_000, 1)
    assert follower.pushes() == []


async def test_another_depth_of_the_same_symbol_takes_the_place_of_the_first(stage: Stage) -> None:
    follower = stage.follow("depth")
    follower.subscribe(Wanted("depth", 10), [stage.number])
    await stage.place(stage.alice, "buy", 473_000, 1)
    assert [push["type"] for push in follower.pushes()] == ["snapshot"]
    await stage.place(stage.alice, "buy", 473_000, 1)
    assert len(follower.pushes()) == 1
    follower.channels.market.unsubscribe(follower, Wanted("depth"), [stage.number])
    await stage.place(stage.alice, "buy", 473_000, 1)
    assert (follower.pushes(), follower.channels.market.subscribed(follower)) == ([], [])


async def test_the_top_is_pushed_when_it_changes(stage: Stage) -> None:
    follower = stage.follow("top")
    assert follower.pushes()[0]["data"] == {"phase": "continuous", "bid": None, "ask": None}
    await stage.place(stage.alice, "buy", 473_000, 2)
    await stage.place(stage.alice, "buy", 472_000, 2)
    best = await stage.place(stage.bob, "sell", 473_000, 1)
    pushes = follower.pushes()
    assert [push["data"]["bid"] for push in pushes] == [
        {"price": "473000.00", "quantity": 2, "orders": 1},
        {"price": "473000.00", "quantity": 1, "orders": 1},
    ]
    assert (pushes[1]["seq"], pushes[1]["prev_seq"]) == (best["seq"], pushes[0]["seq"])


async def test_the_depth_says_the_phase_in_which_its_sides_may_cross(stage: Stage) -> None:
    whole, limited, auction = stage.follow("depth"), stage.follow("depth", 10), stage.follow("auction")
    for follower in (whole, limited):
        assert follower.pushes()[0]["data"]["phase"] == "continuous"
    assert auction.pushes()[0]["data"]["indicative_price"] is None
    path = f"/v1/admin/instruments/{SYMBOL}/phase"
    await stage.operator.put(path, json={"phase": "call_auction"})
    await stage.place(stage.alice, "buy", 473_500, 3)
    await stage.place(stage.bob, "sell", 472_500, 5)
    for follower in (whole, limited):
        pushes = follower.pushes()
        assert [push["data"]["phase"] for push in pushes] == ["call_auction"] * 3
        assert (pushes[0]["data"]["bids"], pushes[0]["data"]["asks"]) == ([], [])
    shown = auction.pushes()[-1]["data"]
    asked = (await stage.venue.client(None).get(f"/v1/market/{SYMBOL}/auction")).json()
    assert (shown["indicative_price"], shown["indicative_volume"], shown["indicative_imbalance"]) == (
        "473000.00",
        3,
        -2,
    )
    assert {name: asked[name] for name in shown} == shown


async def test_candles_run_close_and_lose_their_busted_trades(stage: Stage) -> None:
    minutes, day = stage.follow("candles", interval=60), stage.follow("candles", interval=86_400)
    assert minutes.pushes()[0]["data"] == {"interval": "1m", "candles": [], "removed": []}
    day.pushes()
    await stage.trade(473_000, 2)
    high = await stage.trade(473_500, 1)
    stage.timer.advance(1)
    (first, running) = minutes.pushes()
    assert running["prev_seq"] == first["seq"]
    (candle,) = running["data"]["candles"]
    assert (candle["open"], candle["high"], candle["quantity"], candle["closed"]) == (
        "473000.00",
        "473500.00",
        3,
        False,
    )
    stage.venue.clock.now_ns += MINUTE_NS
    await stage.trade(472_000, 1)
    stage.timer.advance(1)
    closed, opened = minutes.pushes()[-1]["data"]["candles"]
    assert (closed, opened["closed"], opened["start"] > closed["start"]) == (candle | {"closed": True}, False, True)
    day.pushes()
    await stage.operator.post(f"/v1/admin/trades/{high}/bust", json={"reason": "fat finger"})
    stage.timer.advance(1)
    (corrected,) = (await minutes.next_pushes())[-1]["data"]["candles"]
    assert corrected == closed | {"high": "473000.00", "close": "473000.00", "quantity": 2, "trades": 1,
                                  "amount": corrected["amount"]}  # fmt: skip
    stage.timer.advance(1)
    (of_day,) = day.pushes()[-1]["data"]["candles"]
    assert (of_day["start"], of_day["high"], of_day["quantity"], of_day["trades"]) == ("2023-12-01", "473000.00", 3, 2)


async def test_a_candle_whose_only_trade_is_busted_is_removed(stage: Stage) -> None:
    trade = await stage.trade(473_000, 2)
    minutes = stage.follow("candles", interval=300)
    (snapshot,) = minutes.pushes()
    start = snapshot["data"]["candles"][0]["start"]
    await stage.operator.post(f"/v1/admin/trades/{trade}/bust", json={"reason": "fat finger"})
    (push,) = await minutes.next_pushes()
    assert (push["data"], push["prev_seq"]) == (
        {"interval": "5m", "candles": [], "removed": [start]},
        snapshot["seq"],
    )


async def test_the_status_tells_halts_switches_and_the_next_session(stage: Stage) -> None:
    follower = stage.follow("status", everywhere=True)
    (snapshot,) = follower.pushes()
    assert len(snapshot["data"]["instruments"]) == len(stage.venue.state.instruments)
    assert snapshot["data"]["next_changes"][0] == {
        "time": "2023-12-01T09:00:00.000000Z",
        "phase": "continuous",
        "trading_date": "2023-12-04",
    }
    await stage.place(stage.alice, "buy", 473_000, 1)
    halted = (await stage.operator.post(f"/v1/admin/instruments/{SYMBOL}/halt")).json()
    await stage.operator.post("/v1/admin/kill_switch/on")
    halt, switch = follower.pushes()
    assert halt["data"]["instruments"] == [{"symbol": SYMBOL, "phase": "halted", "auction_ends_at": None}]
    assert (halt["symbol"], halt["seq"], halt["prev_seq"]) == (None, halted["seq"], snapshot["seq"])
    assert (switch["data"]["kill_switch"], switch["data"]["instruments"]) == (True, [])


async def test_the_turnover_is_the_reports(stage: Stage) -> None:
    follower = stage.follow("turnover", everywhere=True)
    (snapshot,) = await follower.next_pushes()
    assert snapshot["data"] == {"trading_date": "2023-12-01", "day": "0.00", "year": "0.00"}
    trade = await stage.trade(473_000, 2)
    assert follower.pushes() == [], "at most once a second"
    stage.timer.advance(1)
    (push,) = await follower.next_pushes()
    report = (await stage.alice.get(f"/v1/reports/turnover/2023?at_least_seq={push['seq']}")).json()
    assert (push["data"]["year"], push["data"]["day"]) == (report["net"], report["net"])
    assert push["prev_seq"] == snapshot["seq"]
    await stage.operator.post(f"/v1/admin/trades/{trade}/bust", json={"reason": "fat finger"})
    stage.timer.advance(1)
    assert (await follower.next_pushes())[0]["data"] == snapshot["data"]


async def test_a_heartbeat_tells_the_last_seq_to_those_who_asked(stage: Stage) -> None:
    asked, other, liveness = (
        Follower(stage.venue.channels),
        Follower(stage.venue.channels),
        stage.venue.channels.liveness,
    )
    liveness.heartbeat(asked, on=True)
    await stage.place(stage.alice, "buy", 473_000, 1)
    for _ in range(2):
        stage.timer.advance(HEARTBEAT_SECONDS)
        (beat,) = asked.pushes()
        assert (beat["channel"], beat["seq"]) == ("heartbeat", stage.venue.state.last_seq)
    liveness.heartbeat(asked, on=False)
    stage.timer.advance(HEARTBEAT_SECONDS)
    assert (asked.pushes(), other.pushes()) == ([], [])


async def test_who_follows_all_follows_each_until_it_leaves(stage: Stage) -> None:
    follower = stage.follow("top", everywhere=True)
    assert len(follower.pushes()) == len(stage.venue.state.instruments)
    assert follower.channels.market.subscribed(follower) == [(Wanted("top"), None)]
    follower.channels.leave(follower)
    await stage.place(stage.alice, "buy", 473_000, 1)
    assert follower.pushes() == []


async def test_a_snapshot_of_trades_has_as_many_as_were_asked_for_and_updates_are_the_same(stage: Stage) -> None:
    for price in (473_000, 473_100, 473_200):
        await stage.trade(price, 1)
    two, all_of_them = stage.follow("trades", 2), stage.follow("trades")
    prices = [[trade["price"] for trade in one.pushes()[0]["data"]["trades"]] for one in (two, all_of_them)]
    assert prices == [["473100.00", "473200.00"], ["473000.00", "473100.00", "473200.00"]]
    await stage.trade(473_300, 1)
    updates = [one.pushes() for one in (two, all_of_them)]
    assert updates[0] == updates[1]
    assert [trade["price"] for trade in updates[0][0]["data"]["trades"]] == ["473300.00"]
