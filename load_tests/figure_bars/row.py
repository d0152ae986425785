"""How much a bar measures, and one line of its result."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Effort:
    """How much is measured."""

    seed: int = 1
    years: int = 300
    """Simulated years."""


@dataclass(frozen=True)
class Row:
    """A measured value, and the bar it must hold."""

    bar: str
    name: str
    value: float
    unit: str
    at_least: float | None = None
    at_most: float | None = None
    note: str = ""

    @property
    def holds(self) -> bool:
        """Whether the value is within its bounds."""
        above = self.at_least is None or self.value >= self.at_least
        return above and (self.at_most is None or self.value <= self.at_most)

    def to_json(self) -> dict[str, Any]:
        """All fields, and whether the bar holds."""
        return {**asdict(self), "holds": self.holds}
