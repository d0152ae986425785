"""Latencies from a message's due time to its reply, in an HdrHistogram."""

from __future__ import annotations

from hdrh.histogram import HdrHistogram

HIGHEST_US = 600_000_000
PERCENTILES = {"p50": 50.0, "p90": 90.0, "p99": 99.0, "p99_9": 99.9}


class Latencies:
    """Records latencies in microseconds, exact to three digits, up to ten minutes (HIGHEST_US)."""

    def __init__(self) -> None:
        self._histogram = HdrHistogram(1, HIGHEST_US, 3)

    def record(self, seconds: float) -> None:
        """Records one reply that arrived `seconds` after its message was due."""
        self._histogram.record_value(min(max(int(seconds * 1_000_000), 1), HIGHEST_US))

    def encoded(self) -> str:
        """The recorded latencies as text, for `add`."""
        return str(self._histogram.encode().decode())

    def add(self, encoded: str) -> None:
        """Adds the latencies that another process recorded."""
        self._histogram.decode_and_add(encoded.encode())

    @property
    def count(self) -> int:
        """How many replies were recorded."""
        return int(self._histogram.get_total_count())

    def summary_us(self) -> dict[str, int]:
        """Percentiles and the maximum, in microseconds; zeros if nothing was recorded."""
        summary = {name: int(self._histogram.get_value_at_percentile(at)) for name, at in PERCENTILES.items()}
        return {**summary, "max": int(self._histogram.get_max_value())}
