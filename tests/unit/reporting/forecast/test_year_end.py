"""The forecast of the year's end: its edges, and laws for any turnover."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.data.calendar import TradingCalendar
from services.reporting.forecast import ForecastInput, PastYear, YearEnd, forecast_year_end
from services.reporting.forecast.season import YEAR_END_DAYS, YEAR_END_WEIGHT
from services.reporting.forecast.wording import LUNAR_NEW_YEAR_UNKNOWN, NO_PAST_YEAR
from services.reporting.forecast.year_end import TOO_WIDE_PERMILLE, rounding_fen
from tests.long import examples

CALENDAR = TradingCalendar.load()
BILLION_FEN = 10**11
DAY_FEN = 9_504_000_000
"""23 billion yuan over 242 trading days."""
STRONGER_END_FEN = round(YEAR_END_DAYS * (YEAR_END_WEIGHT - 1) * DAY_FEN)
"""What the year's last days are assumed to turn over more than others."""


def dates(year: int) -> tuple[int, ...]:
    return tuple(day.year * 10_000 + day.month * 100 + day.day for day in CALENDAR.days(year))


YEAR = dates(2023)


def steady(completed: int, day_fen: int = DAY_FEN, target_fen: int = 23 * BILLION_FEN) -> ForecastInput:
    """A year whose completed days all turn over the same, and as much less near the holiday as is assumed."""
    ordinary = (day_fen,) * completed
    near = slice(7, min(19, completed))
    holiday = tuple(amount * 72 // 100 for amount in ordinary[near])
    net_fen = ordinary[: near.start] + holiday + ordinary[near.stop :]
    return ForecastInput(YEAR, net_fen, target_fen, lunar_new_year=20230122)


def test_a_steady_year_goes_on_as_it_is() -> None:
    given = steady(121)
    forecast = forecast_year_end(given)
    assert forecast.year_end is not None
    assert (forecast.net_fen, forecast.days_completed, forecast.days_left) == (sum(given.net_fen), 121, 121)
    as_before = sum(given.net_fen) + 121 * DAY_FEN + STRONGER_END_FEN
    assert forecast.year_end.p50_fen == pytest.approx(as_before, rel=0.01)
    assert forecast.year_end.p10_fen < as_before < forecast.year_end.p90_fen
    assert not forecast.too_early


def test_rounded_for_the_eye_to_ten_million_yuan() -> None:
    forecast = forecast_year_end(steady(121))
    assert forecast.year_end is not None
    assert forecast.year_end_rounded is not None
    assert forecast.year_end_rounded.p50_fen % 10**9 == 0
    assert abs(forecast.year_end_rounded.p50_fen - forecast.year_end.p50_fen) <= 10**9 // 2


@pytest.mark.parametrize(
    ("amount_fen", "step_fen"), [(10**14, 10**9), (10**11, 10**9), (10**11 - 1, 10**8), (5_000, 10), (99, 1), (0, 1)]
)
def test_a_small_venue_is_rounded_finer(amount_fen: int, step_fen: int) -> None:
    assert rounding_fen(amount_fen) == step_fen


def test_with_all_days_completed_the_forecast_is_the_net_turnover() -> None:
    given = steady(242)
    net_fen = sum(given.net_fen)
    forecast = forecast_year_end(given)
    assert forecast.year_end == YearEnd(net_fen, net_fen, net_fen)
    assert (forecast.days_left, forecast.width_permille, forecast.too_early) == (0, 0, False)
    assert forecast_year_end(replace(given, target_fen=net_fen)).reach_permille == 1_000
    assert forecast_year_end(replace(given, target_fen=net_fen + 1)).reach_permille == 0


def test_a_target_that_is_reached_is_certain() -> None:
    given = steady(121)
    net_fen = sum(given.net_fen)
    assert forecast_year_end(replace(given, target_fen=net_fen)).reach_permille == 1000
    assert forecast_year_end(replace(given, target_fen=net_fen + 1)).reach_permille == 999
    reached_today = replace(given, target_fen=net_fen + 5, today_net_fen=5)
    assert forecast_year_end(reached_today).reach_permille == 1000


def test_as_long_as_days_are_left_nothing_is_impossible() -> None:
    assert forecast_year_end(replace(steady(241), target_fen=10**18)).reach_permille == 1


def test_what_is_traded_today_bounds_the_forecast() -> None:
    given = replace(steady(241), today_net_fen=50 * DAY_FEN)
    traded_fen = sum(given.net_fen) + 50 * DAY_FEN
    assert forecast_year_end(given).year_end == YearEnd(traded_fen, traded_fen, traded_fen)


def test_without_a_completed_day_and_without_past_years_there_is_none() -> None:
    for empty in (steady(0), ForecastInput(YEAR, (0,) * 50, 1)):
        forecast = forecast_year_end(empty)
        assert (forecast.year_end, forecast.year_end_rounded, forecast.width_permille) == (None, None, None)
        assert (forecast.reach_permille, forecast.too_early, forecast.net_fen) == (None, True, 0)
    assert forecast_year_end(replace(steady(0), today_net_fen=7, target_fen=7)).reach_permille == 1_000


def test_before_the_first_day_past_years_make_the_forecast() -> None:
    past = tuple(PastYear(dates(year), (DAY_FEN,) * len(dates(year))) for year in (2020, 2021, 2022))
    forecast = forecast_year_end(replace(steady(0), lunar_new_year=None, past_years=past))
    assert forecast.year_end is not None
    assert forecast.year_end.p50_fen == pytest.approx(242 * DAY_FEN, rel=0.02)
    assert NO_PAST_YEAR not in forecast.assumptions


@pytest.mark.parametrize("completed", [1, 2, 9, 10, 19, 20, 241])
def test_one_day_one_block_and_the_last_day_have_a_forecast(completed: int) -> None:
    forecast = forecast_year_end(steady(completed))
    assert forecast.year_end is not None
    assert forecast.net_fen < forecast.year_end.p10_fen < forecast.year_end.p50_fen < forecast.year_end.p90_fen
    assert forecast.too_early == (completed < 30)


def test_too_early_is_a_matter_of_the_range() -> None:
    for completed in range(20, 130, 10):
        forecast = forecast_year_end(steady(completed))
        assert forecast.year_end is not None
        assert forecast.width_permille is not None
        end = forecast.year_end
        assert forecast.too_early == (10 * (end.p90_fen - end.p10_fen) > 4 * end.p50_fen)
        assert forecast.too_early == (forecast.width_permille > TOO_WIDE_PERMILLE)


def test_a_past_year_with_a_strong_end_lifts_the_forecast() -> None:
    def past(december: int) -> PastYear:
        days = dates(2022)
        return PastYear(days, tuple(DAY_FEN * (december if day > 20221200 else 100) // 100 for day in days))

    def p50_fen(december: int) -> int:
        end = forecast_year_end(replace(steady(182), past_years=(past(december),))).year_end
        assert end is not None
        return end.p50_fen

    assert p50_fen(200) > p50_fen(100) > p50_fen(50)


def test_a_venue_born_in_the_middle_of_a_year() -> None:
    days = tuple(day for day in YEAR if day >= 20230703)
    forecast = forecast_year_end(ForecastInput(days, (DAY_FEN,) * 60, 12 * BILLION_FEN, lunar_new_year=20230122))
    assert forecast.days_left == len(days) - 60
    assert forecast.year_end is not None
    assert forecast.year_end.p50_fen == pytest.approx(len(days) * DAY_FEN + STRONGER_END_FEN, rel=0.02)
    opened_in_year = PastYear(days, (DAY_FEN,) * len(days), 20230122)
    after = forecast_year_end(ForecastInput(dates(2024), (), 23 * BILLION_FEN, 20240210, past_years=(opened_in_year,)))
    assert after.year_end is not None
    assert after.year_end.p50_fen == pytest.approx(242 * DAY_FEN, rel=0.05)


def test_assumptions_are_named() -> None:
    assert NO_PAST_YEAR in forecast_year_end(steady(50)).assumptions
    assert LUNAR_NEW_YEAR_UNKNOWN not in forecast_year_end(steady(50)).assumptions
    assert LUNAR_NEW_YEAR_UNKNOWN in forecast_year_end(replace(steady(50), lunar_new_year=None)).assumptions


amounts = st.one_of(st.just(0), st.integers(1, 10**11))
turnovers = st.lists(amounts, min_size=1, max_size=60).filter(any)


@st.composite
def given_years(draw: st.DrawFn) -> ForecastInput:
    """A year of a venue born on 1 August 2023 at the earliest, or one with a past year; some days may be empty."""
    net_fen = tuple(draw(turnovers))
    past_fen = tuple(draw(st.lists(amounts, max_size=60)))
    past_days = dates(2022)[-len(past_fen) :]
    past = (PastYear(past_days, past_fen),) if past_fen else ()
    return ForecastInput(YEAR[-100:], net_fen, draw(st.integers(0, 10**13)), past_years=past)


@settings(max_examples=examples(25))
@given(given=given_years(), times=st.integers(2, 1000))
def test_k_times_the_turnover_and_target_gives_k_times_the_forecast(given: ForecastInput, times: int) -> None:
    one = forecast_year_end(given)
    past = tuple(replace(year, net_fen=tuple(times * fen for fen in year.net_fen)) for year in given.past_years)
    scaled = replace(
        given, net_fen=tuple(times * fen for fen in given.net_fen), target_fen=times * given.target_fen, past_years=past
    )
    many = forecast_year_end(scaled)
    assert one.year_end is not None
    assert many.year_end is not None
    assert many.net_fen == times * one.net_fen
    for name in ("p10_fen", "p50_fen", "p90_fen"):
        amount = times * getattr(one.year_end, name)
        assert abs(getattr(many.year_end, name) - amount) <= times + amount // 10**8
    assert many.reach_permille == pytest.approx(one.reach_permille, abs=1)


@settings(max_examples=examples(25))
@given(given=given_years(), more_fen=st.integers(1, 10**13), today_fen=st.integers(0, 10**12))
def test_laws(given: ForecastInput, more_fen: int, today_fen: int) -> None:
    given = replace(given, today_net_fen=today_fen)
    forecast = forecast_year_end(given)
    assert forecast.year_end is not None
    assert forecast.net_fen == sum(given.net_fen)
    traded_fen = forecast.net_fen + today_fen
    assert traded_fen <= forecast.year_end.p10_fen <= forecast.year_end.p50_fen <= forecast.year_end.p90_fen
    assert forecast == forecast_year_end(given), "the same days give the same forecast"
    harder = forecast_year_end(replace(given, target_fen=given.target_fen + more_fen))
    assert harder.year_end == forecast.year_end
    assert harder.reach_permille is not None
    assert forecast.reach_permille is not None
    assert harder.reach_permille <= forecast.reach_permille
    assert (forecast.reach_permille == 1000) == (traded_fen >= given.target_fen)


@settings(max_examples=examples(15))
@given(given=given_years())
def test_the_probability_agrees_with_the_quantiles(given: ForecastInput) -> None:
    end = forecast_year_end(given).year_end
    assert end is not None
    for amount_fen, permille in ((end.p10_fen, 900), (end.p50_fen, 500), (end.p90_fen, 100)):
        if amount_fen > 10**6:
            assert forecast_year_end(replace(given, target_fen=amount_fen)).reach_permille == pytest.approx(
                permille, abs=2
            )
