"""Every scenario of this folder, on the engine and on the naive one; the rulebook and the scenarios name each other."""

from __future__ import annotations

import re
from itertools import zip_longest
from pathlib import Path

import pytest

from matching_engine import Engine
from tests.property.naive_engine import NaiveEngine
from tests.scenarios.reading import Scenario, scenarios
from tests.scenarios.sentences import UnknownSentence, command
from tests.scenarios.venue import Venue
from tests.scenarios.names import Names

SCENARIOS = scenarios()


@pytest.mark.parametrize("build", [Engine, NaiveEngine])
@pytest.mark.parametrize("scenario", SCENARIOS, ids=[scenario.name for scenario in SCENARIOS])
def test_scenario(scenario: Scenario, build: type[Engine] | type[NaiveEngine]) -> None:
    venue = Venue(build())
    report = []
    differences = 0
    for step in scenario.steps:
        events, market_data = venue.say(step.text, scenario.with_money)
        got = [f"{words}   {money}".rstrip() for words, money in events] + [f"  {line}" for line in market_data]
        expected = [f"{words}   {money}".rstrip() for words, money in step.events]
        expected += [f"  {line}" for line in step.market_data]
        differences += got != expected
        report.append(f"{step.text}")
        for wanted, found in zip_longest(expected, got, fillvalue=""):
            report.append(f"  {'  ' if wanted == found else '≠ '}{wanted:<60} {found}")
    if differences:
        pytest.fail(f"{scenario.file}: {scenario.name}\n{'':4}{'expected':<60} got\n" + "\n".join(report), pytrace=False)
