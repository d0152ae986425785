"""How long no order is acknowledged after the leading sequencer was harmed, as clients of two gateways see it."""

from __future__ import annotations

from load_tests.benchmarks.measurement import Effort, Measurement
from tests.faults.scaled import LEADER, run

TAKE_OVERS_A_RUN = 4
PROMISED_S = 3.0
HARMS = {"sigkill": "kill", "sigstop": "hang", "sigterm": "clean stop"}


def take_over_measurements(effort: Effort) -> list[Measurement]:
    """The longest silence of each harm that the seed draws. Raises RuntimeError if a promise was broken."""
    report = run(LEADER, TAKE_OVERS_A_RUN * effort.runs, effort.seed, lambda: None)
    if not report.holds:
        raise RuntimeError(report.line())
    return [
        Measurement(
            f"take-over after a {name}, longest silence",
            report.counts[f"longest_silence_after_{harm}_ms"] / 1000,
            "s",
            "the promise",
            PROMISED_S,
            at_least="at most 100 %",
            note=f"{report.counts[harm]} trials; {report.counts['acknowledged']:,} orders acknowledged in all",
        )
        for harm, name in HARMS.items()
        if harm in report.counts
    ]
