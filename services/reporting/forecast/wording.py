"""The forecast's method and assumptions, as sentences that stand beside its numbers."""

from __future__ import annotations

from services.reporting.forecast.contract import ForecastInput

METHOD = (
    "Block kriging: net turnover of the completed days is exact. The days left are predicted from blocks of ten completed days "
    "by generalised least squares, with a level of the year's own, a drift of unknown strength, effects of month, Lunar New "
    "Year, year end and trend, and noise. P10, P50, P90 and the probability of reaching the target are those of a mixture of "
    "lognormal distributions. The same days give the same forecast: no random numbers are used."
)

TUNED = (
    "No daily turnover of a rare-earth venue is public: the constants of the method, above all the widening of its range, were "
    "tuned on simulated years."
)
MEASURED = (
    "Measured on simulated years of eleven classes after 60 to 230 days: the range from P10 to P90 held the year's end in "
    "68 to 98 of 100 years with three past years, in 70 to 98 without any, and in 63 to 95 without any where the year "
    "ended far stronger than it began; 80 would be perfect."
)
LEVEL = (
    "A year has a level of its own: past years tell the shape of a year and its noise, not how much it turns over, which is "
    "learned from the days of this year; whatever they show, it may move for good by about 1.1 % a day."
)
CALENDAR = "The trading days left are those of the calendar; a day without trading is not foreseen."
NO_PAST_YEAR = (
    "No past year is known: months are assumed to be alike, the six trading days on either side of Lunar New Year to turn "
    "over 0.72 of any other, and the last ten of December 1.25. A year end that is much stronger than that, and that "
    "nobody has seen, cannot be known: amounts and probability are then too low, and the range holds fewer years than it "
    "says."
)
LUNAR_NEW_YEAR_UNKNOWN = "The date of Lunar New Year is not known: the days around it count as any others."


def assumptions_of(given: ForecastInput) -> tuple[str, ...]:
    """What the forecast rests on besides the venue's own turnover, one sentence each."""
    found = [TUNED, MEASURED, LEVEL, CALENDAR]
    if not given.past_years:
        found.append(NO_PAST_YEAR)
    if given.lunar_new_year is None:
        found.append(LUNAR_NEW_YEAR_UNKNOWN)
    return tuple(found)
