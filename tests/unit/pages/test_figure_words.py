"""What the page of the figure says in words of its own is what the venue says, and what docs/forecast.md measured."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from services.data.instruments import TERMS_ARE_ASSUMED
from services.pages.catalogue import catalogue
from services.reporting.breakdown.context import NOTICE
from services.reporting.breakdown.fees import FEE_ASSUMPTION
from services.reporting.exports.seal import COUNTING_RULE_ZH, IS_SIMULATED_ZH
from services.reporting.forecast import wording
from services.reporting.market.index import RULE
from services.reporting.report import COUNTING_RULE, IS_SIMULATED
from services.reporting.target import DEFAULT_TARGET_NAME, SIMULATED
from services.venue.first_start import TARGET_NAME
from tests.unit.pages.measured_coverage import measured_coverage

ROOT = Path(__file__).parents[3]
SENTENCES = {
    "METHOD": wording.METHOD,
    "TUNED": wording.TUNED,
    "MEASURED": wording.MEASURED,
    "LEVEL": wording.LEVEL,
    "CALENDAR": wording.CALENDAR,
    "NO_PAST_YEAR": wording.NO_PAST_YEAR,
    "LUNAR_NEW_YEAR_UNKNOWN": wording.LUNAR_NEW_YEAR_UNKNOWN,
    "IS_SIMULATED": IS_SIMULATED,
    "TERMS_ARE_ASSUMED": TERMS_ARE_ASSUMED,
    "FEE_ASSUMPTION": FEE_ASSUMPTION,
    "NOTICE": NOTICE,
    "RULE": RULE,
}


@pytest.mark.parametrize("name", SENTENCES)
def test_a_sentence_of_the_api_has_its_chinese(name: str) -> None:
    """`figure/said.js` finds it by its first four words."""
    sentence = SENTENCES[name]
    key = "_".join(re.findall("[a-z]+", sentence.lower())[:4])
    assert catalogue("figure")[f"said.{key}"][0] == sentence


@pytest.mark.parametrize("name", [TARGET_NAME, DEFAULT_TARGET_NAME, SIMULATED])
def test_the_name_of_a_target_that_the_venue_sets_has_its_chinese(name: str) -> None:
    """`app/target_name.js` finds it by the whole name; that of a simulated year goes on with the year and the seed."""
    rest = ": {year}, seed {seed}" if name == SIMULATED else ""
    assert catalogue("all")["target_name." + re.sub("[^a-z0-9]+", "_", name.lower())][0] == name + rest


def test_the_rule_and_the_simulation_are_told_as_the_files_tell_them() -> None:
    assert catalogue("figure")["counting_rule"] == (COUNTING_RULE, COUNTING_RULE_ZH)
    assert IS_SIMULATED_ZH in {chinese for _, chinese in catalogue("figure").values()}


def test_the_coverage_is_the_mean_of_what_was_measured() -> None:
    """Without and with three past years, of each class."""
    script = (ROOT / "services/pages/static/figure/coverage.js").read_text("utf-8")
    shown = {
        (generator, int(past)): [None if number == "null" else int(number) for number in numbers.split(", ")]
        for generator, past, numbers in re.findall(r'generator: "(\w+)", past: (\d), percent: \[(.*?)\]', script)
    }
    means = {
        (re.sub("[^a-z0-9]+", "_", name).strip("_"), past): [
            round(sum(day) / len(day)) if day else None for day in days
        ]
        for (name, past), days in measured_coverage().items()
        if past != 1
    }
    assert shown == means
    assert {f"coverage.{name}" for name, _ in shown} <= set(catalogue("figure"))


def test_the_forecast_says_what_was_measured() -> None:
    """The least and the most of 100 years after 60 to 230 days; a strong end that nobody has seen stands apart."""
    numbers: dict[str, list[int]] = {"three": [], "none": [], "unseen": []}
    for (name, past), days in measured_coverage().items():
        kind = "three" if past == 3 else "unseen" if name == "strong year end" else "none"
        if past != 1:
            numbers[kind] += [percent for day in days[:5] for percent in day]
    ranges = [f"{min(numbers[kind])} to {max(numbers[kind])}" for kind in ("three", "none", "unseen")]
    assert re.findall(r"in (\d+ to \d+)", wording.MEASURED) == ranges
    said = catalogue("figure")["said.measured_on_simulated_years"][1]
    assert all(text.replace("to", "至") in said for text in ranges)
