"""The forecast's method and assumptions, as sentences that stand beside its numbers."""

from __future__ import annotations

from services.reporting.forecast.contract import ForecastInput

METHOD = (
    "Block kriging: net turnover of the completed days is exact. The days left are predicted from blocks of ten completed days "
    "by generalised least squares, with a drift of unknown strength, effects of month and Lunar New Year, and noise. P10, P50, "
    "P90 and the probability of reaching the target are those of a mixture of lognormal distributions. The same days give the "
    "same forecast: no random numbers are used."
)

TUNED = (
    "No daily turnover of a rare-earth venue is public: the constants of the method, above all the widening of its range, were "
    "tuned on simulated years."
)
CALENDAR = "The trading days left are those of the calendar; a day without trading is not foreseen."
NO_PAST_YEAR = (
    "No past year is known: months are assumed to be alike, and the six trading days on either side of Lunar New Year to turn "
    "over 0.72 of any other. If the year ends stronger than it began, amounts and probability are too low."
)
LUNAR_NEW_YEAR_UNKNOWN = "The date of Lunar New Year is not known: the days around it count as any others."
HALF_DAYS = "A day with half a session is assumed to turn over half."


def assumptions_of(given: ForecastInput) -> tuple[str, ...]:
    """What the forecast rests on besides the venue's own turnover, one sentence each."""
    found = [TUNED, CALENDAR]
    if not given.past_years:
        found.append(NO_PAST_YEAR)
    if given.lunar_new_year is None:
        found.append(LUNAR_NEW_YEAR_UNKNOWN)
    if given.half_days:
        found.append(HALF_DAYS)
    return tuple(found)
