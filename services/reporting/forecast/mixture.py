"""A mixture of lognormal distributions: its distribution function and its quantiles."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_BISECTIONS = 50
"""Halvings of an interval of log amounts: enough for fourteen digits of an amount."""

_FARTHEST = 9.0
"""Standard deviations beyond which a normal distribution has no weight that a float can tell from none."""


@dataclass(frozen=True)
class Lognormals:
    """Lognormal distributions, each with a weight; the weights add up to 1."""

    weights: NDArray[np.float64]
    log_medians: NDArray[np.float64]
    deviations: NDArray[np.float64]
    """Standard deviations of the logarithm; above zero."""

    def below(self, log_amount: float) -> float:
        """Probability of an amount whose logarithm is at most `log_amount`."""
        parts = zip(self.weights.tolist(), self.log_medians.tolist(), self.deviations.tolist(), strict=True)
        root = math.sqrt(2)
        return math.fsum(weight * math.erfc((median - log_amount) / (root * sd)) / 2 for weight, median, sd in parts)

    def quantile(self, probability: float) -> float:
        """The amount that is not exceeded with this probability, which is above 0 and below 1."""
        spread = _FARTHEST * float(self.deviations.max())
        low, high = float(self.log_medians.min()) - spread, float(self.log_medians.max()) + spread
        for _ in range(_BISECTIONS):
            middle = (low + high) / 2
            if self.below(middle) < probability:
                low = middle
            else:
                high = middle
        return math.exp(high)
