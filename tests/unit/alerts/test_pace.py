from __future__ import annotations

from itertools import pairwise, product

from hypothesis import given
from hypothesis import strategies as st

from services.alerts.conditions import changes
from services.alerts.pace import KINDS, Standing, Turn, pace_conditions
from services.reporting.verdict import Outcome
from services.venue_state.alerts import VenueAlerts
from tests.unit.alerts.test_conditions import carry_out

LEVELS = (None, "green", "amber", "red")
BAD = {"open": 1, "behind": 2, "out_of_reach": 3, "closed_missed": 4, "amber": 1, "red": 2}


def standing(outcome: Outcome, level: str | None = None) -> Standing:
    return Standing(outcome, level, f"It is {outcome}.", f"{outcome}。", None if level is None else "1.2500")


def turn(before: Standing, after: Standing, date: int = 20260407) -> Turn:
    return Turn(2026, date, before, after)


def keys(before: Standing, after: Standing) -> list[str]:
    return [one.key for one in pace_conditions(turn(before, after), {})]


def test_a_turn_for_the_worse_is_raised_once_for_verdict_and_level() -> None:
    worse = turn(standing(Outcome.ON_TRACK, "green"), standing(Outcome.BEHIND, "amber"))
    verdict, level = pace_conditions(worse, {})
    assert (verdict.key, verdict.severity) == ("pace:2026:behind", "critical")
    assert "at the end of 2026-04-07: It is behind." in verdict.sentence
    assert "2026-04-07收盘后" in verdict.sentence_zh
    assert (level.key, level.severity) == ("pace:2026:amber", "warning")
    assert "needs 1.2500 times the recent mean" in level.sentence


def test_a_turn_for_the_better_and_no_turn_raise_nothing() -> None:
    assert keys(standing(Outcome.BEHIND, "red"), standing(Outcome.OPEN, "amber")) == []
    assert keys(standing(Outcome.BEHIND, "red"), standing(Outcome.BEHIND, "red")) == []


def test_what_says_nothing_is_no_turn() -> None:
    for said in (Outcome.TOO_EARLY, Outcome.NOT_BEGUN, Outcome.NOT_OPEN):
        assert keys(standing(Outcome.ON_TRACK), standing(said)) == []
        assert keys(standing(said), standing(Outcome.OPEN)) == []
        assert keys(standing(said), standing(Outcome.BEHIND)) == ["pace:2026:behind"]


def test_the_first_level_counts_as_a_turn_from_green() -> None:
    assert keys(standing(Outcome.TOO_EARLY), standing(Outcome.TOO_EARLY, "red")) == ["pace:2026:red"]


days = st.lists(st.builds(standing, st.sampled_from(Outcome), st.sampled_from(LEVELS)), min_size=2, max_size=12)


@given(days)
def test_the_open_alerts_of_a_year_follow_its_days(found: list[Standing]) -> None:
    """Each open alert says how the year stands now; and what got worse today is open, however often one looks."""
    alerts, seq = VenueAlerts(), 1
    for date, (before, after) in enumerate(pairwise(found), start=20260105):
        for _ in range(2):
            told = changes(alerts.open, pace_conditions(turn(before, after, date), alerts.open), KINDS)
            seq = carry_out(alerts, seq, *told)
        stands = {f"pace:2026:{after.outcome}", f"pace:2026:{after.level}"}
        assert alerts.open.keys() <= stands
        for was, now in ((before.outcome, after.outcome), (before.level, after.level)):
            unknown = 1 if was in (Outcome.TOO_EARLY, Outcome.NOT_BEGUN, Outcome.NOT_OPEN) else 0
            if BAD.get(str(now), 0) > BAD.get(str(was), unknown):
                assert f"pace:2026:{now}" in alerts.open


def test_every_pair_of_standings_has_a_sentence_in_both_languages() -> None:
    each = [standing(outcome, level) for outcome in Outcome for level in LEVELS]
    for one in (one for before, after in product(each, each) for one in pace_conditions(turn(before, after), {})):
        assert one.sentence.endswith((".", "。"))
        assert one.sentence_zh.endswith("。")
