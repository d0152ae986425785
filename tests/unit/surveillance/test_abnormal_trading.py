"""Abnormal trading: the limits, accounts under one control, and the ladder."""

from __future__ import annotations

import pytest

from services.surveillance.abnormal_trading import Behaviour, Breach, DayCounts, Measure, breaches, ladder

DATE = 20230201


def counts(
    member: int = 2, attempts: int = 0, cancels: int = 0, large: int = 0, *, date: int = DATE, instrument: int = 0
) -> DayCounts:
    return DayCounts(date, member, instrument, attempts, cancels, large)


@pytest.mark.parametrize(
    ("behaviour", "limit"),
    [(Behaviour.SELF_TRADE_ATTEMPTS, 5), (Behaviour.CANCELS, 500), (Behaviour.LARGE_CANCELS, 50)],
)
def test_a_count_is_abnormal_from_its_limit_on(behaviour: Behaviour, limit: int) -> None:
    def with_count(count: int) -> DayCounts:
        return DayCounts(DATE, 2, 0, **{one.value: count if one == behaviour else 0 for one in Behaviour})

    assert breaches([with_count(limit - 1)]) == []
    assert breaches([with_count(limit)]) == [Breach(DATE, (2,), 0, behaviour, limit)]


def test_products_and_days_are_counted_apart() -> None:
    assert breaches([counts(cancels=400), counts(cancels=400, instrument=1), counts(cancels=400, date=DATE + 1)]) == []


def test_members_under_one_control_are_added_up() -> None:
    both = [counts(2, attempts=3), counts(3, attempts=2)]
    assert breaches(both) == []
    assert breaches(both, control={2: 1, 3: 1}) == [Breach(DATE, (2, 3), 0, Behaviour.SELF_TRADE_ATTEMPTS, 5)]


def test_a_control_group_is_not_the_member_with_its_number() -> None:
    """Member 1 stands alone, and the control group of members 2 and 3 has the number 1."""
    assert breaches([counts(1, attempts=4), counts(2, attempts=4)], control={2: 1, 3: 1}) == []


def test_the_ladder_goes_from_a_warning_to_a_ban() -> None:
    found = breaches([counts(cancels=500, date=DATE + day) for day in (0, 3, 5, 9)])
    assert [(step.trading_date - DATE, step.measure) for step in ladder(found)] == [
        (0, Measure.WARNING),
        (3, Measure.WATCH_LIST),
        (5, Measure.OPENING_BAN),
        (9, Measure.OPENING_BAN),
    ]


def test_a_day_counts_once() -> None:
    found = breaches([counts(attempts=9, cancels=900), counts(cancels=900, instrument=1)])
    (step,) = ladder(found)
    assert (step.measure, step.breaches) == (Measure.WARNING, tuple(found))
    assert len(found) == 3


def test_each_member_has_a_ladder_of_its_own() -> None:
    found = breaches([counts(2, cancels=500), counts(3, cancels=500, date=DATE + 1)])
    assert [(step.members, step.measure) for step in ladder(found)] == [
        ((2,), Measure.WARNING),
        ((3,), Measure.WARNING),
    ]
