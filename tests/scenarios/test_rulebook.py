"""docs/rulebook.md and the scenarios link to each other; its links resolve; its diagrams and reasons equal the code."""

from __future__ import annotations

import re

import pytest

from matching_engine.records import Reason
from tests.scenarios.draw import RULEBOOK, drawn
from tests.scenarios.reading import scenarios

TEXT = RULEBOOK.read_text(encoding="utf-8")
RULES = dict(re.findall(r"^### (\d+\.\d+) [^\n]+\n(.*?)(?=^##|\Z)", TEXT, re.MULTILINE | re.DOTALL))
SCENARIOS = scenarios()


def test_rules_are_numbered_without_a_gap() -> None:
    numbers = [tuple(map(int, rule.split("."))) for rule in RULES]
    expected = [(1, 1)]
    for section, paragraph in numbers[1:]:
        expected.append((section, 1) if section == expected[-1][0] + 1 else (expected[-1][0], expected[-1][1] + 1))
        assert (section, paragraph) == expected[-1]
    assert len(numbers) == len(re.findall(r"^### ", TEXT, re.MULTILINE))


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_names_its_source_and_its_scenarios(rule: str) -> None:
    own = [scenario for scenario in SCENARIOS if scenario.rule == rule]
    found = re.search(r"^(\S+) ·\n((?:\[.+\n)+)", RULES[rule], re.MULTILINE)
    assert found is not None, "ends with its source and links to its scenarios"
    assert {scenario.source for scenario in own} == {found[1]}
    links = re.findall(r"\[([^\]]+)\]\(\.\./tests/scenarios/([^)]+)\)", found[2])
    assert links == [(scenario.title, scenario.address) for scenario in own]


def test_every_scenario_names_a_rule() -> None:
    assert {scenario.rule for scenario in SCENARIOS} <= set(RULES)
    names = [scenario.name for scenario in SCENARIOS]
    assert len(set(names)) == len(names)


def test_every_link_within_the_rulebook_leads_to_a_heading() -> None:
    headings = re.findall(r"^##+ (.+)$", TEXT, re.MULTILINE)
    anchors = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
    assert set(re.findall(r"\]\(#([^)]+)\)", TEXT)) <= anchors


def test_the_drawings_are_up_to_date() -> None:
    assert drawn(TEXT) == TEXT, "run python -m tests.scenarios.draw"


def test_the_reasons_are_all_listed_and_so_are_the_rules_they_come_from() -> None:
    rows = re.findall(r"^\| (\d+) \| (\w+) \| [^|]+ \| ?([^|]*) \|$", TEXT, re.MULTILINE)
    assert [(int(number), name) for number, name, _ in rows] == [(r.value, r.name) for r in Reason if r]
    assert {rule for _, _, rules in rows for rule in rules.strip().split(", ") if rule} <= set(RULES)
