"""The day roll: how prices are rounded, the ends of the range, the turnover of years. The rest: scenarios 4.8 and 8.8."""

from __future__ import annotations

import pytest

from matching_engine.records import CommandKind, EventKind, Reason, SettlementSource
from tests.unit.matching_engine.engine_talk import BUY, SELL, Talk


def test_the_settlement_price_is_the_volume_weighted_average_half_up(talk: Talk) -> None:
    trade_at(talk, 1000, 3)
    trade_at(talk, 1001, 3)
    assert talk.day_roll(20230103)[1].price_ticks == 1001
    trade_at(talk, 1000, 6)
    trade_at(talk, 1001, 2)
    assert talk.day_roll(20230104)[1].price_ticks == 1000
    settled = talk.day_roll(20230105)[1]
    assert settled == talk.event(EventKind.SETTLED, price_ticks=1000, number=SettlementSource.PREVIOUS)


def test_the_new_band_is_round_the_settlement_price_and_edges_round_inwards(talk: Talk) -> None:
    trade_at(talk, 1050, 5)
    talk.day_roll(20230103)
    # 1050 × 0.95 = 997.5 and 1050 × 1.05 = 1102.5
    assert talk.order(2, BUY, 1, 997)[0].reason == Reason.PRICE_BELOW_BAND
    assert talk.order(2, BUY, 1, 998)[0].kind == EventKind.ACCEPTED
    assert talk.order(2, BUY, 1, 1103)[0].reason == Reason.PRICE_ABOVE_BAND
    assert talk.order(2, BUY, 1, 1102)[0].kind == EventKind.ACCEPTED


def test_no_band_leaves_the_range_of_prices(talk: Talk) -> None:
    talk.list_instrument(1, price_ticks=2**31 - 1, rate_ppm=999_999, amount_fen=1)
    assert talk.order(2, BUY, 1, 2**31 - 1, instrument=1)[0].reason == Reason.INSUFFICIENT_FUNDS
    talk.list_instrument(2, price_ticks=1, rate_ppm=999_999, amount_fen=1)
    assert talk.order(2, BUY, 1, 1, instrument=2)[0].kind == EventKind.ACCEPTED
    assert talk.order(2, BUY, 1, 2, instrument=2)[0].reason == Reason.PRICE_ABOVE_BAND


@pytest.mark.parametrize("date", [20230102, 20230103, 2**32 - 1])
def test_a_day_must_be_a_later_date(talk: Talk, date: int) -> None:
    talk.day_roll(20230103)
    assert talk.day_roll(date) == [talk.rejected(Reason.INVALID_DATE)]
    assert talk.engine.trading_date == 20230103


def test_turnover_is_counted_once_and_in_the_year_of_its_trading_day(talk: Talk) -> None:
    trade_at(talk, 1000, 1)
    talk.day_roll(20231229)
    trade_at(talk, 1000, 2)
    talk.day_roll(20240102)
    trade_at(talk, 1000, 3)
    talk.day_roll(20240103)
    trade_at(talk, 1000, 4)
    assert [talk.engine.turnover_fen(year) for year in (0, 2023, 2024, 2025)] == [100_000, 200_000, 700_000, 0]


def trade_at(talk: Talk, price: int, lots: int) -> None:
    """A trade between accounts 2 and 4 that leaves no order behind."""
    talk.order(4, SELL, lots, price)
    assert [event.kind for event in talk.order(2, BUY, lots, price)][1] == EventKind.TRADE
    talk.tell(CommandKind.RECORD)
