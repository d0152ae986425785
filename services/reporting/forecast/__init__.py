"""The forecast of the year's end, and the seasonal pace. Pure: records in, records out; no database, no clock, no randomness.

    contract    what goes in and what comes out
    season      groups of days: months, Lunar New Year
    blocks      completed days cut into blocks of ten
    kriging     the prediction of the blocks to come
    mixture     quantiles and probabilities
    year_end    exact net turnover plus the prediction
    pace        a target distributed over the year

Amounts are integer fen. Floats are used for estimates only, never for an amount that is accounted.
"""

from services.reporting.forecast.contract import Forecast, ForecastInput, PastYear, YearEnd
from services.reporting.forecast.pace import seasonal_pace
from services.reporting.forecast.year_end import forecast_year_end

__all__ = ["Forecast", "ForecastInput", "PastYear", "YearEnd", "forecast_year_end", "seasonal_pace"]
