"""The outlook: which days and which past years the forecast gets."""

from __future__ import annotations

from services.data.calendar import TradingCalendar
from services.reporting.outlook import look_ahead
from services.reporting.target import measure_progress, year_days

CALENDAR = TradingCalendar.load()
A_DAY_FEN = 100 * 10**8


def test_a_year_that_trades_as_the_one_before_ends_as_it_did() -> None:
    before, days = year_days(CALENDAR, 2022, {}), year_days(CALENDAR, 2023, {})
    earlier = dict.fromkeys(before, A_DAY_FEN)
    net = dict.fromkeys(days[:120], A_DAY_FEN)
    progress = measure_progress(days, net, days[120], 240 * A_DAY_FEN, first_trading_date=before[0])
    forecast = look_ahead(progress, earlier, CALENDAR, before[0]).forecast
    assert forecast is not None
    assert (forecast.days_completed, forecast.days_left, forecast.net_fen) == (120, 122, 120 * A_DAY_FEN)
    assert forecast.year_end is not None
    assert abs(forecast.year_end.p50_fen - 242 * A_DAY_FEN) < 5 * A_DAY_FEN
    assert not forecast.too_early


def test_the_days_before_the_opening_are_no_days_of_a_forecast() -> None:
    days = year_days(CALENDAR, 2023, {})
    first_trading_date = days[100]
    progress = measure_progress(
        days, dict.fromkeys(days[100:160], A_DAY_FEN), days[160], 142 * A_DAY_FEN, first_trading_date=first_trading_date
    )
    outlook = look_ahead(progress, {}, CALENDAR, first_trading_date)
    assert outlook.forecast is not None
    assert (outlook.forecast.days_completed, outlook.forecast.days_left) == (60, 82)
    assert len(outlook.pace_fen) == 142
    assert outlook.pace_fen[-1] == 142 * A_DAY_FEN


def test_a_year_that_is_not_under_way_has_a_pace_and_no_forecast() -> None:
    days = year_days(CALENDAR, 2023, {})
    for today in (20221230, 20240102):
        outlook = look_ahead(
            measure_progress(days, {}, today, 242, first_trading_date=20221230), {}, CALENDAR, 20221230
        )
        assert outlook.forecast is None
        assert outlook.pace_fen == tuple(range(1, 243))
