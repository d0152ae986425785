"""How far a reader is behind the journal: the commands that it has not applied, and since when the first of them is known."""

from __future__ import annotations

from itertools import takewhile

from hypothesis import given
from hypothesis import strategies as st

from services.journal.postgres.lag import LOOKS, Ends, Lag


class Clock:
    """Seconds that the test sets."""

    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def looked(clock: Clock, *last_seqs: int) -> Ends:
    """A look at each of these ends, one a second; the clock then stands a second after the last."""
    ends = Ends(clock)
    for last_seq in last_seqs:
        ends.find(last_seq)
        clock.now_s += 1
    return ends


def test_age_counts_from_the_look_that_found_the_first_command_not_applied() -> None:
    ends = looked(Clock(), 5, 5, 9, 12)
    assert [ends.lag(applied) for applied in (0, 5, 8, 11)] == [(12, 4), (7, 2), (4, 2), (1, 1)]
    assert ends.lag(12) == ends.lag(20) == Lag(0, 0.0)


@given(looks=st.lists(st.integers(0, 50), max_size=30), applied_seq=st.integers(0, 60))
def test_the_last_look_says_how_many_and_the_age_is_of_the_first_since_when_all_saw_some(
    looks: list[int], applied_seq: int
) -> None:
    behind = list(takewhile(lambda last_seq: last_seq > applied_seq, reversed(looks)))
    expected = Lag(behind[0] - applied_seq, len(behind)) if behind else Lag(0, 0.0)
    assert looked(Clock(), *looks).lag(applied_seq) == expected


def test_a_row_that_a_failover_took_back_is_no_lag() -> None:
    assert looked(Clock(), 5, 6, 5).lag(5) == Lag(0, 0.0)


def test_of_many_looks_the_newest_are_kept() -> None:
    assert looked(Clock(), *range(1, 2 * LOOKS + 1)).lag(0) == Lag(2 * LOOKS, LOOKS)
