"""Short runs of `make fuzz`, and the proof that they find what is wrong. The long ones are counted in docs/security.md."""

from __future__ import annotations

import re
from collections import Counter
from functools import partial
from time import monotonic
from typing import NamedTuple

import pytest

from tests.faults.rig import Advance
from tests.faults.venue_process import Mutant
from tests.fuzz import frames, rest
from tests.fuzz.__main__ import perform
from tests.fuzz.breaking_off import FuzzReport
from tests.fuzz.mutants import forgetful_of_methods, mortal, swallowing, talkative
from tests.fuzz.stage import Stage, embedded
from tests.long import some
from tests.patience import PATIENCE_S, http_get

pytestmark = pytest.mark.slow

REQUESTS = 500
REFUSED = (401, 403, 404, 409, 422)
"""Statuses that only generated requests get: not the run's own, nor what the venue asks itself."""


class Generated(NamedTuple):
    """A run of generated requests, and how many refusals of each status its venue has counted."""

    report: FuzzReport
    counted: Counter[int]


@pytest.fixture(scope="module")
def generated() -> Generated:
    counted: Counter[int] = Counter()

    def run(stage: Stage, requests: int, seed: int, advance: Advance, report: FuzzReport) -> None:
        before = refusals(stage.urls[0])
        rest.run(stage, requests, seed, advance, report)
        deadline = monotonic() + PATIENCE_S
        while refusals(stage.urls[0]) - before != +sent_refusals(report) and monotonic() < deadline:
            pass  # /metrics is up to a second old
        counted.update(refusals(stage.urls[0]) - before)

    return Generated(perform("requests", run, REQUESTS, 3, embedded), counted)


def sent_refusals(report: FuzzReport) -> Counter[int]:
    return Counter({status: report.counts.get(f"answered_{status}", 0) for status in REFUSED})


def test_generated_requests_are_answered_as_documented(generated: Generated) -> None:
    report = generated.report
    assert report.broken == []
    assert report.counts["operations_answered_2xx"] > 70, "a run that is always refused proves little"


def test_every_request_is_counted_and_in_its_phase(generated: Generated) -> None:
    counts = generated.report.counts
    assert generated.counted == +sent_refusals(generated.report), "the venue counts as many of each status"
    assert counts["requests"] == sum(number for name, number in counts.items() if name.startswith("in_"))
    assert counts["requests"] == sum(number for name, number in counts.items() if name.startswith("answered_"))
    assert REQUESTS <= counts["requests"] < REQUESTS + 5, "but for those of the last checks, no more than asked for"


def refusals(url: str) -> Counter[int]:
    """How often a gateway has answered with each status of REFUSED."""
    counts: Counter[int] = Counter()
    text = http_get(f"{url}/metrics").text
    for status, number in re.findall(r'rex_requests_total\{method="\w+",status="(\d+)"\} (\S+)', text):
        if int(status) in REFUSED:
            counts[int(status)] += int(float(number))
    return counts


def test_generated_frames_are_answered_as_documented() -> None:
    report = perform("frames", frames.run, 6_000, 3, embedded)
    assert report.broken == []
    assert min(report.counts[name] for name in ("results", "errors", "pushes", "closed_1002", "closed_1009")) > 0


def test_a_wrong_allow_is_found() -> None:
    report = perform("requests", rest.run, 1, 3, partial(embedded, forgetful_of_methods))
    assert any("Allow" in found for found in report.broken)


def test_a_venue_that_ends_is_found() -> None:
    report = perform("requests", rest.run, 2_000, 3, partial(embedded, mortal))
    assert any("does not answer" in found for found in report.broken)


@pytest.mark.parametrize("mutant", some([talkative, swallowing]))
def test_a_reply_that_is_not_documented_is_found(mutant: Mutant) -> None:
    assert perform("frames", frames.run, 2_000, 3, partial(embedded, mutant)).broken
