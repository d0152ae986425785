"""What the page of the figure says in words of its own is what the venue says, and what docs/forecast.md measured."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from services.data.instruments import TERMS_ARE_ASSUMED
from services.pages.catalogue import catalogue
from services.reporting.breakdown.context import NOTICE
from services.reporting.breakdown.year_documents import FEE_ASSUMPTION
from services.reporting.exports.seal import COUNTING_RULE_ZH, IS_SIMULATED_ZH
from services.reporting.forecast import wording
from services.reporting.market import documents
from services.reporting.report import COUNTING_RULE, IS_SIMULATED

ROOT = Path(__file__).parents[3]
SENTENCES = {
    "METHOD": wording.METHOD,
    "TUNED": wording.TUNED,
    "CALENDAR": wording.CALENDAR,
    "NO_PAST_YEAR": wording.NO_PAST_YEAR,
    "LUNAR_NEW_YEAR_UNKNOWN": wording.LUNAR_NEW_YEAR_UNKNOWN,
    "HALF_DAYS": wording.HALF_DAYS,
    "IS_SIMULATED": IS_SIMULATED,
    "TERMS_ARE_ASSUMED": TERMS_ARE_ASSUMED,
    "FEE_ASSUMPTION": FEE_ASSUMPTION,
    "NOTICE": NOTICE,
    "RULE": documents.RULE,
}


@pytest.mark.parametrize("name", SENTENCES)
def test_a_sentence_of_the_api_has_its_chinese(name: str) -> None:
    """`figure/said.js` finds it by its first four words."""
    sentence = SENTENCES[name]
    key = "_".join(re.findall("[a-z]+", sentence.lower())[:4])
    assert catalogue("figure")[f"said.{key}"][0] == sentence


def test_the_rule_and_the_simulation_are_told_as_the_files_tell_them() -> None:
    assert catalogue("figure")["counting_rule"] == (COUNTING_RULE, COUNTING_RULE_ZH)
    assert IS_SIMULATED_ZH in {chinese for _, chinese in catalogue("figure").values()}


def test_the_coverage_is_the_mean_of_what_was_measured() -> None:
    script = (ROOT / "services/pages/static/figure/coverage.js").read_text("utf-8")
    shown = {
        (generator, int(past)): [None if number == "null" else int(number) for number in numbers.split(", ")]
        for generator, past, numbers in re.findall(r'generator: "(\w+)", past: (\d), percent: \[(.*?)\]', script)
    }
    page = (ROOT / "docs/forecast.md").read_text("utf-8")
    measured = {}
    for generator, past, cells in re.findall(r"^\| (base|hard|broken) \| (\d) \|(.*)\|$", page, re.MULTILINE):
        seeds = [[int(text) for text in cell.split("·") if text.strip()] for cell in cells.split("|")]
        measured[generator, int(past)] = [round(sum(found) / len(found)) if found else None for found in seeds]
    assert shown == measured
