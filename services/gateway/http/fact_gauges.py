"""What a process says of itself in /healthz and /readyz, as gauges of /metrics."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

Facts = Mapping[str, str | int | float | bool | None]
"""Role, epoch, sequence numbers, seconds, whether a store is well. None: not known."""


class FactGauges(Collector):
    """The numbers among the facts, as gauges `rex_<name>`."""

    def __init__(self, facts: Callable[[], Facts]) -> None:
        self._facts = facts

    def collect(self) -> Iterator[Metric]:
        """The current numbers."""
        for name, value in self._facts().items():
            if isinstance(value, int | float):
                yield GaugeMetricFamily(f"rex_{name}", f"The process's {name.replace('_', ' ')}", value=value)
