"""Every scenario of this folder, on the engine and on the naive engine; a mistyped sentence is an error."""

from __future__ import annotations

from itertools import zip_longest
from pathlib import Path

import pytest

from matching_engine import Engine
from tests.model.naive_engine import NaiveEngine
from tests.scenarios import reading
from tests.scenarios.reading import Scenario, UnreadableScenario, scenarios
from tests.scenarios.sentences import UnknownSentence
from tests.scenarios.venue import Answer, Venue

RUNS = [
    pytest.param(scenario, build, id=f"{scenario.name} ({build.__name__})")
    for scenario in scenarios()
    for build in (Engine, NaiveEngine)
    if build is Engine or not scenario.is_long
]


@pytest.mark.parametrize(("scenario", "build"), RUNS)
def test_scenario(scenario: Scenario, build: type[Engine] | type[NaiveEngine]) -> None:
    venue = Venue(build())
    report = [f"{scenario.file}: {scenario.name}", f"{'':4}{'expected':<60} got"]
    differences = 0
    for step in scenario.steps:
        events, market_data = venue.say(step.text, scenario.with_money)
        expected, got = lines(step.events, step.market_data), lines(events, market_data)
        differences += got != expected
        report += [step.text, *side_by_side(expected, got)]
    if differences:
        pytest.fail("\n".join(report), pytrace=False)


def lines(events: Answer, market_data: list[str]) -> list[str]:
    """The results of a step, one a line."""
    return [f"{words}   {money}".rstrip() for words, money in events] + [f"  {line}" for line in market_data]


def side_by_side(expected: list[str], got: list[str]) -> list[str]:
    """Both columns side by side, with a mark where they differ."""
    pairs = zip_longest(expected, got, fillvalue="")
    return [f"  {'  ' if wanted == found else '≠ '}{wanted:<60} {found}" for wanted, found in pairs]


@pytest.mark.parametrize(
    "text",
    [
        "#1 Ann buy 5 @ 100",
        "#1 Eve buys 5 @ 100",
        "#1 Ann buys 5 Tb @ 100",
        "#1 Ann buys 5 @ 100, GTX",
        "#1 Ann buys 5",
        "#2 Ann buys 5 @ 100",
        "#1 Ann buys 5 @ 100, colour=3",
        "Ann cancels #1",
        "Ann amends #1: prize 5",
        "phase LUNCH",
        "MAKE_TEA",
        "books",
        "Ann deposits 0.001 yuan",
    ],
)
def test_what_cannot_be_read_is_an_error(text: str) -> None:
    with pytest.raises(UnknownSentence):
        Venue(Engine()).say(text)


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ("## Nothing\n\nSource: K.\n", "no rule's number"),
        ("## 1.1 No source\n\n| in | events | market data |\n|---|---|---|\n| book | empty | |\n", "source"),
        ("## 1.1 No table\n\nSource: K.\n", "table"),
        ("## 1.1 Columns\n\nSource: K.\n\n| in | out |\n|---|---|\n| book | empty |\n", "columns"),
        ("## 1.1 Cells\n\nSource: K.\n\n| in | events | market data |\n|---|---|---|\n| book | empty |\n", "Cells"),
        ("## 1.1 Book\n\nSource: K.\n\n| in | events | market data |\n|---|---|---|\n| halt | X | |\n", "book"),
    ],
)
def test_a_file_that_breaks_the_form_is_an_error(body: str, complaint: str, tmp_path: Path) -> None:
    file = tmp_path / "file.md"
    file.write_text(body, encoding="utf-8")
    with pytest.raises(UnreadableScenario, match=complaint):
        reading.read(file)


def test_nothing_of_an_event_is_left_out() -> None:
    venue = Venue(Engine())
    venue.say("fees 1 % maker, 2 % taker")
    venue.say("#1 Ann sells 5 @ 100")
    events, _ = venue.say("#2 Bob buys 5 @ 100")
    assert events == [
        ("ACCEPTED #2 reserve_fen=51000", ""),
        ("TRADE #2 x #1 5 @ 100 fee_fen=1000 maker_fee_fen=500 reserve_fen=-51000", ""),
    ]
