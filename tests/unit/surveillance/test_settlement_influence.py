"""Influence on the settlement price, by hand. A day has commands 1 to 100 and one product; prices are in fen per lot."""

from __future__ import annotations

from fractions import Fraction

from services.surveillance.settlement_influence import Influence, influence_alerts, influences
from tests.unit.surveillance.trades_by_hand import FIRST_DATE, Deal, trades_of

MEMBER = 7


def deal(price: int, lots: int, seq: int, aggressor: int, day: int = 0) -> Deal:
    """A trade of the member with somebody."""
    return Deal(8, MEMBER, price * lots, day, lots=lots, aggressor=aggressor, seq=1000 * day + seq)


def morning(day: int = 0) -> list[Deal]:
    """90 lots at 1000, and the day's last command."""
    return [deal(1000, 90, 1, 8, day), deal(1000, 1, 101, 8, day)]


def late(price: int, lots: int, day: int = 0, seq: int = 96, aggressor: int = MEMBER) -> Deal:
    """A trade in the last 7 % of the commands."""
    return deal(price, lots, seq, aggressor, day)


def test_late_aggressive_trades_that_move_the_price_are_an_influence() -> None:
    """9 lots at 1100 after 91 at 1000: (91,000 + 9,900) / 100 = 1009, 0.9 % above 1000."""
    (found,) = influences(trades_of([*morning(), late(1100, 9)]), {})
    assert found == Influence(FIRST_DATE, MEMBER, 0, float(Fraction(9, 1000)), (3,))


def test_a_move_below_half_a_percent_is_none() -> None:
    """4 lots at 1100: 400 / 95 lots = 4.2 above 1000."""
    assert influences(trades_of([*morning(), late(1100, 4)]), {}) == []


def test_exactly_half_a_percent_is_one() -> None:
    """5 lots at 1096 after 91: 480 / 96 = 5 above 1000."""
    assert len(influences(trades_of([*morning(), late(1096, 5)]), {})) == 1


def test_a_low_price_is_an_influence_too() -> None:
    (found,) = influences(trades_of([*morning(), late(900, 9)]), {})
    assert found.moved == float(Fraction(-9, 1000))


def test_trades_before_the_last_7_percent_are_none() -> None:
    """Command 94 is the first of the last 7 % of the commands 1 to 101."""
    assert influences(trades_of([*morning(), late(1100, 9, seq=93)]), {}) == []
    assert len(influences(trades_of([*morning(), late(1100, 9, seq=94)]), {})) == 1


def test_who_was_hit_or_in_an_auction_did_not_do_it() -> None:
    (found,) = influences(trades_of([*morning(), late(1100, 9, aggressor=8)]), {})
    assert found.member == 8
    assert influences(trades_of([*morning(), late(1100, 9, aggressor=0)]), {}) == []


def test_a_small_part_of_the_late_turnover_is_none() -> None:
    """9,900 of 9,900 + 1,000 + 30,000."""
    assert influences(trades_of([*morning(), late(1100, 9), late(1000, 30, aggressor=9)]), {}) == []


def test_the_only_trades_of_a_day_are_compared_with_the_price_before() -> None:
    other = Deal(8, 9, 1, instrument=1, lots=1, seq=1)
    trades = trades_of([other, late(1100, 9)])
    assert influences(trades, {}) == []
    (found,) = influences(trades, {(FIRST_DATE, 0): Fraction(1000)})
    assert found.moved == float(Fraction(1, 10))
    assert influences(trades, {(FIRST_DATE, 0): Fraction(1099)}) == []


def test_two_days_of_twenty_are_an_alert() -> None:
    def found_on(*days: int) -> list[Influence]:
        return influences(trades_of([one for day in days for one in (*morning(day), late(1100, 9, day))]), {})

    calendar = range(FIRST_DATE, FIRST_DATE + 40)
    assert influence_alerts(found_on(3), calendar) == []
    assert influence_alerts(found_on(3, 23), calendar) == []
    (alert,) = influence_alerts(found_on(3, 22), calendar)
    assert (alert.member, alert.instrument) == (MEMBER, 0)
    assert [one.trading_date for one in alert.influences] == [FIRST_DATE + 3, FIRST_DATE + 22]
