"""How much the simulated traders trade: a part of the plan's year in 24 hours, however many orders they place.

The plan is 23 billion yuan a year. A venue of schedule `always` trades around the clock, so a day of the plan is spread over 24
hours. Takers begin trades at random times whose mean distance follows from that and from what their orders are worth.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from services.simulator.accounts import VALUE_SHARE_BP
from services.simulator.market import Quote
from services.simulator.traders import mean_taken_lots
from services.values.decimals import short_yuan

PLAN_FEN, TRADING_DAYS = 2_300_000_000_000, 242
PLAN_DAY_FEN = PLAN_FEN // TRADING_DAYS
"""A day of the plan, 95 million yuan: 23 billion a year, which has 242 trading days as a rule (243 to 245 in some years)."""

DEFAULT_PACE = 1.5
"""Days of the plan that the traders trade in 24 hours."""

FASTEST_UNCOMPRESSED = 2.0
"""Beyond this pace a demo says that its time is compressed."""

DAY_SECONDS = 86_400

TAKING_PART = 0.35
"""The largest share of the orders that may take. A pace that needs more makes all orders larger, quotes as well."""

PLAN_DAYS_OF_AN_ORDER = 1_000
"""The most plan days that an order a second carries: orders have then about 70 times their ordinary size. Where they grow
further, members lack the lots and the money for them, and takers find less than they want."""


@dataclass(frozen=True)
class Pace:
    """`plan_days`: days of the plan in 24 hours. `rate_per_s`: orders of all traders together in a second."""

    rate_per_s: float
    plan_days: float = DEFAULT_PACE

    @property
    def day_fen(self) -> int:
        """What the traders trade in 24 hours, as expected, in fen."""
        return round(self.plan_days * PLAN_DAY_FEN)

    @property
    def carried(self) -> bool:
        """Whether so few orders can trade so much."""
        return self.plan_days <= PLAN_DAYS_OF_AN_ORDER * self.rate_per_s

    def weights(self, quotes: Sequence[Quote]) -> list[float]:
        """The taking orders of a second in each instrument, as expected, if each has its ordinary size: so turnover follows
        VALUE_SHARE_BP."""
        fen_per_s = self.day_fen / DAY_SECONDS
        return [fen_per_s * _share(quote) / (mean_taken_lots(quote) * quote.lot_value_fen) for quote in quotes]

    def times(self, taking_per_s: float) -> float:
        """The factor of the orders' size, at least 1, if so many taking orders a second of ordinary size are wanted."""
        return max(1.0, taking_per_s / (TAKING_PART * self.rate_per_s))

    def quoting_per_s(self, taking_per_s: float) -> float:
        """The part of the rate that is left for orders which do not take."""
        return self.rate_per_s - taking_per_s / self.times(taking_per_s)

    def lines(self) -> tuple[str, str, str]:
        """What a demo says about it at its start."""
        compressed = self.plan_days > FASTEST_UNCOMPRESSED
        return (
            f"about {self.rate_per_s:g} orders a second",
            f"about {short_yuan(self.day_fen)} in 24 hours, {self.plan_days:g} × the plan's {short_yuan(PLAN_DAY_FEN)} a day",
            f"time compressed: {self.plan_days:g} days of the plan in 24 hours"
            if compressed
            else "no time compression; `rex demo --pace 100` is a livelier market",
        )


def _share(quote: Quote) -> float:
    return VALUE_SHARE_BP.get(quote.symbol, 10) / 10_000
