from __future__ import annotations

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from services.alerts.conditions import changes
from services.alerts.pace import KINDS, Standing, pace_conditions
from services.reporting.verdict import Outcome
from services.venue_state.alerts import VenueAlerts
from tests.unit.alerts.test_conditions import carry_out

LEVELS = (None, "green", "amber", "red")
BAD = frozenset({"open", "behind", "out_of_reach", "closed_missed", "amber", "red"})
DAY = 20260407


def standing(outcome: Outcome, level: str | None = None) -> Standing:
    return Standing(outcome, level, f"It is {outcome}.", f"{outcome}。", None if level is None else "1.2500")


def keys(stands: Standing) -> list[str]:
    return [one.key for one in pace_conditions(2026, DAY, stands)]


def test_a_bad_verdict_and_a_bad_level_are_conditions_of_their_own() -> None:
    verdict, level = pace_conditions(2026, DAY, standing(Outcome.BEHIND, "amber"))
    assert (verdict.key, verdict.severity) == ("pace:2026:behind", "critical")
    assert "at the end of 2026-04-07: It is behind." in verdict.sentence
    assert "2026-04-07收盘后" in verdict.sentence_zh
    assert (level.key, level.severity) == ("pace:2026:amber", "warning")
    assert "needs 1.2500 times the recent mean" in level.sentence


def test_what_is_good_or_says_nothing_is_no_condition() -> None:
    good = {Outcome.REACHED, Outcome.CLOSED_REACHED, Outcome.ON_TRACK}
    silent = {Outcome.TOO_EARLY, Outcome.NOT_BEGUN, Outcome.NOT_OPEN}
    for outcome in good | silent:
        assert keys(standing(outcome)) == keys(standing(outcome, "green")) == []
    assert {outcome for outcome in Outcome if keys(standing(outcome))} == set(Outcome) - good - silent


looks = st.lists(st.builds(standing, st.sampled_from(Outcome), st.sampled_from(LEVELS)), min_size=1, max_size=12)


@given(looks)
def test_the_open_alerts_are_what_is_bad_at_the_last_look(found: list[Standing]) -> None:
    """Whichever days were judged: what began on one that was not is raised at the next look."""
    alerts, seq = VenueAlerts(), 1
    for date, stands in enumerate(found, start=20260105):
        for _ in range(2):
            seq = carry_out(alerts, seq, *changes(alerts.open, pace_conditions(2026, date, stands), KINDS))
        bad = BAD & {str(stands.outcome), str(stands.level)}
        assert alerts.open.keys() == {f"pace:2026:{one}" for one in bad}


def test_every_standing_has_a_sentence_in_both_languages() -> None:
    each = [standing(outcome, level) for outcome, level in product(Outcome, LEVELS)]
    for one in (one for stands in each for one in pace_conditions(2026, DAY, stands)):
        assert one.sentence.endswith(".")
        assert one.sentence_zh.endswith("。")
