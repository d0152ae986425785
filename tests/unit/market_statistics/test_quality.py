"""The quality of a day, each measure computed by hand. Prices are ticks; a market at (99, 101) has the middle 100."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from matching_engine.records import CommandKind, OrderType, Phase, TimeInForce
from services.market_statistics.contracts import Quality
from services.market_statistics.quality import day_quality
from tests.unit.market_statistics.days_by_hand import BUY, MONDAY, SECOND_NS, SELL, TUESDAY, Market, opened

NOTHING: dict[str, Any] = {
    "spread_ticks": None,
    "spread_share": None,
    "median_spread_ticks": None,
    "buy_depth_lots": None,
    "sell_depth_lots": None,
    "effective_spread_ticks": None,
    "effective_spread_share": None,
    "recovery_ns": None,
}


def quality(market: Market, date: int = MONDAY) -> Quality:
    return day_quality(market.day(date))[0]


def shown(found: Quality, *names: str) -> tuple[Any, ...]:
    return tuple(getattr(found, name) for name in names)


def quoted(market: Market, buy: int = 990, sell: int = 1010, lots: int = 10) -> tuple[int, int]:
    """Account 2's quotes; the ids of its orders."""
    return market.order(BUY, lots, buy), market.order(SELL, lots, sell)


def closed_at(market: Market, second: int) -> Market:
    """Trading ends at this second, the day half an hour later."""
    market.at(second).phase(Phase.CLOSED)
    market.at(second + 1800).roll(TUESDAY)
    return market


# Spread and two-sided time


def test_the_spread_is_weighted_by_time() -> None:
    """20 ticks for 300 s, then 10 for 100 s: (20·300 + 10·100) / 400 = 17.5. The middles are 1000 and 1005, so the average
    middle is 1001.25 and the share 17.5 / 1001.25. Half of the 400 s had a spread of at most 20."""
    market = opened()
    quoted(market)
    market.at(300).order(BUY, 1, 1000)
    found = quality(closed_at(market, 400))
    assert shown(found, "continuous_ns", "two_sided_ns") == (400 * SECOND_NS, 400 * SECOND_NS)
    assert found.spread_ticks == Fraction(35, 2)
    assert found.spread_share == Fraction(35, 2) / Fraction(100_125, 100)
    assert found.median_spread_ticks == 20


def test_half_of_the_time_is_enough_for_the_median() -> None:
    """200 s at 20 ticks, 200 s at 10: half of the time had at most 10."""
    market = opened()
    quoted(market)
    market.at(200).order(BUY, 1, 1000)
    assert quality(closed_at(market, 400)).median_spread_ticks == 10


def test_one_side_only_is_not_two_sided() -> None:
    """A buy alone for 100 s, both sides for 60 s, a buy alone for 40 s: 60 of 200 s."""
    market = opened()
    market.order(BUY, 5, 990)
    ask = market.at(100).order(SELL, 5, 1010)
    market.at(160).cancel(ask)
    found = quality(closed_at(market, 200))
    assert shown(found, "continuous_ns", "two_sided_ns") == (200 * SECOND_NS, 60 * SECOND_NS)
    assert found.spread_ticks == 20


def test_a_day_of_one_side_has_nothing_but_its_time() -> None:
    market = opened()
    market.order(SELL, 5, 1010)
    expected = Quality(
        0, continuous_ns=200 * SECOND_NS, two_sided_ns=0, trades=0, large_trades=0, unrecovered_trades=0, amihud=None,
        **NOTHING,
    )  # fmt: skip
    assert quality(closed_at(market, 200)) == expected


def test_a_day_without_continuous_trading_has_nothing() -> None:
    """An auction alone: 4 lots at 1,010, 1 % above the settlement price of the day before, 4,040 yuan, so Amihud is
    0.01 / 0.00404. The quotes that stand in the auction and after it are nobody's to trade with."""
    market = Market()
    market.roll(MONDAY)
    market.phase(Phase.CALL_AUCTION)
    market.order(BUY, 4, 1010)
    market.order(SELL, 9, 1010, account=3)
    market.order(BUY, 4, 990)
    found = quality(closed_at(market, 100))
    assert found == Quality(
        0, continuous_ns=0, two_sided_ns=0, trades=0, large_trades=0, unrecovered_trades=0,
        amihud=Fraction(1, 100) / Fraction(4040, 10**6), **NOTHING,
    )  # fmt: skip


def test_a_halt_is_no_trading_time() -> None:
    """60 s of trading at 20 ticks, 100 s halted, 40 s of trading: at 30 ticks, because the sell was withdrawn in the halt."""
    market = opened()
    _, ask = quoted(market)
    market.order(SELL, 1, 1020)
    market.at(60).tell(CommandKind.HALT, instrument=0)
    market.at(100).cancel(ask)
    market.at(160).tell(CommandKind.RESUME, instrument=0)
    found = quality(closed_at(market, 200))
    assert shown(found, "continuous_ns", "two_sided_ns") == (100 * SECOND_NS, 100 * SECOND_NS)
    assert found.spread_ticks == Fraction(20 * 60 + 30 * 40, 100)


def test_orders_of_the_day_before_stand_from_the_beginning() -> None:
    """Good-till-canceled quotes of Monday are Tuesday's until one is canceled after 50 s; a DAY order is not."""
    market = opened()
    good = {"time_in_force": TimeInForce.GTC}
    bid = market.order(BUY, 5, 990, **good)
    market.order(SELL, 5, 1010, **good)
    market.order(SELL, 5, 1005)
    market.at(1000).roll(TUESDAY)
    market.at(1050).cancel(bid)
    market.at(1100).roll(20230104)
    found = quality(market, TUESDAY)
    assert shown(found, "continuous_ns", "two_sided_ns") == (100 * SECOND_NS, 50 * SECOND_NS)
    assert shown(found, "spread_ticks", "sell_depth_lots") == (20, 5)


def test_a_day_under_way_ends_with_its_last_command() -> None:
    market = opened()
    quoted(market)
    market.at(70).order(BUY, 1, 980)
    day = market.day()
    assert (day.complete, day.ended_ns, day.last_seq) == (False, 70 * SECOND_NS, len(market.commands))
    assert quality(market).two_sided_ns == 70 * SECOND_NS


def test_a_product_listed_in_the_day_begins_with_its_listing() -> None:
    market = opened()
    market.at(30).tell(
        CommandKind.LIST_INSTRUMENT, instrument=1, amount_fen=1, price_ticks=10, rate_ppm=1, quantity_lots=5
    )
    found = day_quality(closed_at(market, 100).day())
    assert {number: one.continuous_ns for number, one in found.items()} == {0: 100 * SECOND_NS, 1: 70 * SECOND_NS}


# Depth


def test_depth_is_what_lies_within_one_percent_of_the_middle() -> None:
    """The middle is 1000. Buys from 990 count: 10 + 4, not those at 989. Sells up to 1010: 10 + 7, not those at 1011."""
    market = opened()
    quoted(market)
    for side, lots, price in ((BUY, 4, 990), (BUY, 100, 989), (SELL, 7, 1010), (SELL, 100, 1011)):
        market.order(side, lots, price)
    assert shown(quality(closed_at(market, 10)), "buy_depth_lots", "sell_depth_lots") == (14, 17)


def test_depth_follows_the_middle_and_the_time() -> None:
    """For 100 s the middle is 1000 and 990 is near; then 1007 is bought up to and sold from 1027, so the middle is 1017 and
    only prices from 1006.83 to 1027.17 are near. Buys: (10·100 + 3·300) / 400; sells: (10·100 + 2·300) / 400."""
    market = opened()
    _, ask = quoted(market)
    market.at(100).cancel(ask)
    market.order(BUY, 3, 1007)
    market.order(SELL, 2, 1027)
    market.order(SELL, 50, 1028)
    found = quality(closed_at(market, 400))
    assert shown(found, "buy_depth_lots", "sell_depth_lots") == (Fraction(1900, 400), Fraction(1600, 400))


def test_hidden_lots_are_no_depth() -> None:
    market = opened()
    market.order(BUY, 50, 990, display_lots=5)
    market.order(SELL, 50, 1010)
    assert shown(quality(closed_at(market, 10)), "buy_depth_lots", "sell_depth_lots") == (5, 50)


# Effective spread


def test_the_effective_spread_is_weighted_by_lots() -> None:
    """The middle is 1000. 10 lots bought at 1010 and 5 at 1016 by one order, both 2·(p − 1000): 20 and 32; then, with the
    market at (990, 1020) and the middle 1005, 5 lots sold at 990: 30. (10·20 + 5·32 + 5·30) / 20 = 25.5."""
    market = opened()
    quoted(market)
    market.order(SELL, 5, 1016)
    market.order(SELL, 5, 1020)
    market.at(50).order(BUY, 15, 1016, account=3)
    market.order(SELL, 5, 990, account=3)
    found = quality(closed_at(market, 100))
    assert (found.trades, found.effective_spread_ticks) == (3, Fraction(510, 20))
    assert found.effective_spread_share == Fraction(510, 15 * 1000 + 5 * 1005)


def test_trades_without_a_middle_before_them_are_left_out() -> None:
    """The market is one-sided before the first trade and two-sided before the second, at (985, 1010)."""
    market = opened()
    market.order(BUY, 3, 990)
    market.order(BUY, 3, 985)
    market.order(SELL, 3, 990, account=3)
    market.order(SELL, 3, 1010)
    market.order(SELL, 1, 985, account=3)
    found = quality(closed_at(market, 100))
    assert found.trades == 2
    assert found.effective_spread_ticks == 25


def test_busted_trades_are_left_out() -> None:
    market = opened()
    quoted(market)
    market.bust(market.order(BUY, 4, 1010, account=3))
    found = quality(closed_at(market, 100))
    assert shown(found, "trades", "effective_spread_ticks", "amihud") == (0, None, None)


# Recovery


def many_small(market: Market, trades: int = 5) -> None:
    """Trades of one lot that leave the best prices as they are."""
    for _ in range(trades):
        market.order(BUY, 1, 1010, account=3)


def test_seconds_until_the_spread_is_back() -> None:
    """The median spread is 20, the median trade 1 lot. 45 lots are bought at second 100: the spread is 50 until a sell at 1012
    at second 130 makes it 22, and one at 1010 at second 150 makes it 20: 50 s."""
    market = opened()
    quoted(market, lots=50)
    market.order(SELL, 1, 1040)
    many_small(market)
    market.at(100).order(BUY, 45, 1010, account=3)
    market.at(130).order(SELL, 1, 1012)
    market.at(150).order(SELL, 10, 1010)
    found = quality(closed_at(market, 1000))
    assert shown(found, "large_trades", "unrecovered_trades", "median_spread_ticks") == (1, 0, 20)
    assert found.recovery_ns == 50 * SECOND_NS


def test_five_times_the_median_is_large_and_less_is_not() -> None:
    """Five commands of 1 lot; 4 lots are not large, 5 are, by two trades of one command. The best prices stay: 0 s."""
    market = opened()
    quoted(market, lots=50)
    many_small(market)
    market.order(BUY, 4, 1010, account=3)
    assert quality(closed_at(market, 100)).large_trades == 0
    market = opened()
    quoted(market, lots=8)
    market.order(SELL, 50, 1010, account=4)
    many_small(market)
    market.at(50).order(BUY, 5, 1010, account=3)
    found = quality(closed_at(market, 100))
    assert shown(found, "trades", "large_trades", "recovery_ns") == (7, 1, 0)


def test_what_is_not_back_before_trading_ends_is_longer_than_all_known() -> None:
    """Two large trades: the first is back after 10 s, the second at second 300 not before the halt at 400 ends trading, even
    though the sell comes back in the closing hours. One of two is unknown, so there is no median; with a third, back after
    30 s, the median is 30 s."""

    def market_of(trades: int) -> Market:
        market = opened()
        quoted(market, lots=100)
        many_small(market, 9)
        for number, back_s in enumerate((10, 30)[: trades - 1]):
            market.at(100 * (number + 1)).order(BUY, 500, 1010, account=3, time_in_force=TimeInForce.IOC)
            market.at(100 * (number + 1) + back_s).order(SELL, 100, 1010)
        market.at(300).order(BUY, 500, 1010, account=3, time_in_force=TimeInForce.IOC)
        market.at(400).tell(CommandKind.HALT, instrument=0)
        return market

    found = quality(closed_at(market_of(2), 500))
    assert shown(found, "large_trades", "unrecovered_trades", "recovery_ns") == (2, 1, None)
    found = quality(closed_at(market_of(3), 500))
    assert shown(found, "large_trades", "unrecovered_trades", "recovery_ns") == (3, 1, 30 * SECOND_NS)


def test_a_trade_that_begins_a_volatility_auction_is_not_back() -> None:
    """An order of 30 lots trades 10 at 1010 and would trade beyond 3 %: the auction begins with its command."""
    market = opened()
    quoted(market)
    market.tell(CommandKind.SET_VOLATILITY_BAND, rate_ppm=30_000, time_s=60)
    market.order(SELL, 50, 1050)
    for _ in range(3):
        market.order(SELL, 1, 990, account=3)
    market.at(10).order(BUY, 30, 1060, account=3)
    found = quality(closed_at(market, 20))
    assert shown(found, "continuous_ns", "large_trades", "unrecovered_trades", "recovery_ns") == (
        10 * SECOND_NS, 1, 1, None,
    )  # fmt: skip


# Amihud


def test_amihud_is_the_return_per_million_yuan() -> None:
    """The reference is 1000, the last trade at 1010: 1 %. 10 lots at 1010 are 10,100 yuan: 0.01 / 0.0101."""
    market = opened()
    quoted(market)
    market.order(BUY, 10, 1010, account=3)
    assert quality(closed_at(market, 100)).amihud == Fraction(1, 100) / Fraction(10_100, 10**6)


def test_amihud_is_from_the_settlement_price_of_the_day_before() -> None:
    """Monday's 10 lots at 1010 settle it at 1010; Tuesday's last trade at 1000 is 10/1010 lower, on 2,000 yuan."""
    market = opened()
    quoted(market)
    market.order(BUY, 10, 1010, account=3)
    market.at(100).roll(TUESDAY)
    market.order(SELL, 2, 1000)
    market.order(BUY, 2, 1000, account=3)
    market.at(200).roll(20230104)
    assert quality(market, TUESDAY).amihud == Fraction(10, 1010) / Fraction(2000, 10**6)


@pytest.mark.parametrize("order_type", [OrderType.MARKET, OrderType.LIMIT])
def test_a_day_without_trades_has_no_amihud_and_a_quality_all_the_same(order_type: OrderType) -> None:
    market = opened()
    market.order(BUY, 1, 0 if order_type == OrderType.MARKET else 990, order_type=order_type,
                 time_in_force=TimeInForce.IOC)  # fmt: skip
    quoted(market)
    found = quality(closed_at(market, 100))
    assert shown(found, "amihud", "trades", "spread_ticks", "large_trades") == (None, 0, 20, 0)
