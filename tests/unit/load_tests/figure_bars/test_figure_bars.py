"""The figure's bars in a short run: fewer years, and bounds as much wider as their sampling error asks for."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from load_tests.figure_bars import __main__ as figure_bars
from load_tests.figure_bars import forecast, pace
from load_tests.figure_bars.row import Effort, Row
from load_tests.figure_bars.simulated_years import (
    BASE,
    DAILY_FEN,
    GROWTH_22,
    MONTHS,
    SHIFT,
    SHUFFLED,
    SIMULATED,
    STRONG,
    TARGET_FEN,
    TWO_SHIFTS,
    Generator,
    simulate,
)
from services.venue.simulated_year import DEFAULT_REACH

YEARS = 120


def error(share: float, number: int) -> float:
    """Three standard errors of a share, in percentage points."""
    return 300 * math.sqrt(share * (1 - share) / number)


@pytest.fixture(scope="module")
def base_cases() -> list[forecast.Case]:
    return list(forecast.forecasts(BASE, YEARS, seed=11, days=forecast.BASE_DAYS, past_years=forecast.BAR_PAST_YEARS))


def test_the_range_covers_as_often_as_it_says(base_cases: list[forecast.Case]) -> None:
    """Each row within its bar and three standard errors of 120 years (11 points)."""
    rows = forecast.coverage_rows(base_cases)
    assert len(rows) == 6
    low, high = forecast.BASE_COVERAGE
    for row in rows:
        assert low - error(0.8, YEARS) <= row.value <= high + error(0.8, YEARS), row


@pytest.mark.parametrize(
    ("generator", "day"), [(GROWTH_22, 121), (SIMULATED, forecast.EVE_OF_RUSH)], ids=["growth", "rush"]
)
@pytest.mark.parametrize("past_years", forecast.BAR_PAST_YEARS)
def test_neither_growth_nor_a_rush_at_the_end_is_denied(generator: Generator, day: int, past_years: int) -> None:
    """Past years of another level, and a year end that is nearly twice as strong: within the bar and three standard errors."""
    cases = list(forecast.forecasts(generator, YEARS, seed=11, days=(day,), past_years=(past_years,)))
    assert forecast.coverage_rows(cases)[0].value >= forecast.COVERAGE - error(forecast.COVERAGE / 100, YEARS)


def test_each_class_has_its_bar() -> None:
    bounds = {
        (generator.name, day, past): forecast.coverage_bounds(generator.name, past, day)
        for generator in (BASE, TWO_SHIFTS, STRONG, GROWTH_22)
        for day in forecast.DAYS
        for past in forecast.BAR_PAST_YEARS
    }
    assert bounds["base", 182, 0] == (74, 90)
    assert bounds["two shifts", 60, 3] == (62, None)
    assert bounds["strong year end", 219, 0] == (55, None)
    assert set(bounds.values()) == {(74, 90), (62, None), (55, None), (70, None)}
    assert sum(bound == (70, None) for bound in bounds.values()) == 40 - 6 - 2 - 5


def test_the_range_is_not_bought_with_its_width(base_cases: list[forecast.Case]) -> None:
    """At mid-year P90 − P10 is about a quarter of the year: twice the error of the forecast that knows the season."""
    for count in (0, 3):
        widths = [
            (end.p90_fen - end.p10_fen) / case.ended_fen
            for case in base_cases
            if (case.day, case.past_years) == (121, count) and (end := case.forecast.year_end)
        ]
        assert 0.15 < float(np.mean(widths)) < 0.32


def test_past_years_make_the_forecast_of_a_year_with_a_shape_better() -> None:
    """They tell a strong end, which the level of this year does not: P50 misses the year's end by a tenth less."""
    cases = list(
        forecast.forecasts(STRONG, YEARS, seed=11, days=forecast.BASE_DAYS, past_years=forecast.BAR_PAST_YEARS)
    )

    def rms(count: int) -> float:
        ends = [(case.forecast.year_end, case.ended_fen) for case in cases if case.past_years == count]
        return math.sqrt(np.mean([(end.p50_fen / ended - 1) ** 2 for end, ended in ends if end]))

    assert rms(3) < 0.9 * rms(0)


def test_the_probability_of_reaching_the_target_is_true(
    base_cases: list[forecast.Case], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the forecasts of 120 years a class of 30 is of ten venues: within the bar and three standard errors."""
    monkeypatch.setattr(forecast, "FEWEST_IN_CLASS", 30)
    rows = [row for row in forecast.reach_rows(base_cases) if row.name.startswith("all")]
    assert len(rows) == 2 * (len(forecast.REACH_STEPS) - 1)
    judged = [row for row in rows if row.at_least is not None]
    assert len(judged) >= 4
    margin = error(0.5, 30 // len(forecast.BASE_DAYS))
    assert [row for row in judged if not row.at_least - margin <= row.value <= row.at_most + margin] == []  # type: ignore[operator]


def test_the_target_is_the_end_of_another_venue(base_cases: list[forecast.Case]) -> None:
    ends, targets = ({getattr(case, name) for case in base_cases} for name in ("ended_fen", "target_fen"))
    assert ends == targets
    assert all(case.ended_fen != case.target_fen for case in base_cases)


def test_a_year_that_will_reach_its_target_and_is_called_behind_is_counted() -> None:
    days = (219, 230, forecast.EVE_OF_RUSH)
    rows = forecast.red_rows(list(forecast.forecasts(SIMULATED, 40, seed=11, days=days, past_years=(0,))))
    assert [row.at_most for row in rows] == [forecast.CALLED_BEHIND] * 3
    assert [row for row in rows if not row.holds] == []


def test_simulated_years_are_those_of_the_seed() -> None:
    one, other, same = (simulate(np.random.default_rng(seed), BASE, (2022, 2023), venues=3) for seed in (1, 2, 1))
    assert [len(year.days) for year in one] == [242, 242]
    assert one[1].net_fen.shape == (3, 242)
    assert (one[1].net_fen == same[1].net_fen).all()
    assert (one[1].net_fen != other[1].net_fen).any()


def test_simulated_years_have_the_season_that_is_written_down() -> None:
    """In the mean of many venues the three middle days around the holiday are below two thirds, December above November."""
    (year,) = simulate(np.random.default_rng(3), BASE, (2023,), venues=400)
    mean_day = year.net_fen.mean(axis=0) / DAILY_FEN
    at = sum(day < year.lunar_new_year for day in year.days)
    months = np.array(year.days) // 100 % 100
    assert mean_day[at - 2 : at + 2].max() < 2 / 3
    assert mean_day[months == 12].mean() > mean_day[months == 11].mean() > mean_day[months == 2].mean()


def test_a_level_shifts_twice_in_the_last_year() -> None:
    calm, shifted = (simulate(np.random.default_rng(4), kind, (2022, 2023), venues=50) for kind in (BASE, TWO_SHIFTS))
    ratios = shifted[1].net_fen / calm[1].net_fen
    assert np.allclose(shifted[0].net_fen, calm[0].net_fen)
    assert np.allclose(ratios[:, 0], 1)
    steps = np.log(ratios[:, -1]) / math.log(SHIFT)
    assert np.allclose(steps, np.rint(steps), atol=1e-6)
    assert set(np.rint(steps).astype(int).tolist()) == {-2, 0, 2}


def test_a_growing_level_is_that_of_the_others_in_the_middle_of_the_last_year() -> None:
    calm, growing = (simulate(np.random.default_rng(4), kind, (2022, 2023), venues=2) for kind in (BASE, GROWTH_22))
    before, last = (growing[year].net_fen / calm[year].net_fen for year in (0, 1))
    assert np.allclose(last[:, 121], 1, atol=1e-3)
    assert np.allclose(before[:, 121], 1 / 1.22, atol=1e-3)
    assert np.allclose(last[:, -1] / last[:, 0], 1.22, rtol=0.01)


def test_the_simulated_years_are_those_of_the_plan() -> None:
    """They end on DEFAULT_REACH times the target, to the fen, and their last eight days turn over 1.5 times those before."""
    (year,) = simulate(np.random.default_rng(5), SIMULATED, (2023,), venues=30)
    assert set(year.net_fen.sum(axis=1).tolist()) == {int(DEFAULT_REACH * TARGET_FEN)}
    daily = year.net_fen.mean(axis=0)
    assert daily[-8:].mean() > 1.5 * daily[-16:-8].mean()


def test_shuffled_months_have_the_same_effects_in_another_order_in_all_years_of_a_venue() -> None:
    base, shuffled = (simulate(np.random.default_rng(5), kind, (2022, 2023), venues=8) for kind in (BASE, SHUFFLED))
    orders = set()
    for venue in range(8):
        effects = [
            {
                round(MONTHS[day // 100 % 100 - 1] * other / one, 3)
                for day, one, other in zip(year.days, year.net_fen[venue], moved.net_fen[venue], strict=True)
                if day // 100 % 100 == month
            }
            for month in range(1, 13)
            for year, moved in zip(base, shuffled, strict=True)
        ]
        assert all(len(of_month) == 1 for of_month in effects)
        of_years = [tuple(value for of_month in effects[start::2] for value in of_month) for start in (0, 1)]
        assert of_years[0] == of_years[1]
        assert sorted(of_years[0]) == sorted(MONTHS)
        orders.add(of_years[0])
    assert len(orders) == 8


def test_a_row_holds_within_its_bounds() -> None:
    row = Row("bar", "name", 5.0, "%", at_least=5.0, at_most=5.0)
    assert row.holds
    assert not Row("bar", "name", 4.9, "%", at_least=5.0).holds
    assert not Row("bar", "name", 5.1, "%", at_most=5.0).holds
    assert row.to_json()["holds"] is True


def test_the_seasonal_pace_is_measured_for_each_number_of_past_years() -> None:
    rows = pace.run(Effort(seed=1, years=10))
    assert [row.value > 0 for row in rows] == [True] * 3


def test_the_command_prints_json_and_its_status_says_whether_every_bar_holds(
    capsys: pytest.CaptureFixture[str],
) -> None:
    status = figure_bars.main(["pace", "--years", "10", "--seed", "2", "--json"])
    printed = json.loads(capsys.readouterr().out)
    assert (printed["seed"], printed["years"]) == (2, 10)
    assert [row["bar"] for row in printed["rows"]] == ["pace"] * 3
    assert status == (0 if all(row["holds"] for row in printed["rows"]) else 1)


def test_the_command_prints_a_table(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [Row("one", "what is measured", 3.0, "%", at_least=4.0), Row("one", "what else", 2.0, "ms")]
    monkeypatch.setitem(figure_bars.BARS, "one", lambda effort: rows)
    assert figure_bars.main(["one"]) == 1
    printed = capsys.readouterr().out
    assert "what is measured" in printed
    assert "NO" in printed


def test_the_command_refuses_no_years(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        figure_bars.main(["--years", "0"])
    assert "at least 1" in capsys.readouterr().err
