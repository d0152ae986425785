"""The law of the comparison: after its changes the open alerts are those that hold, and the next comparison changes nothing."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from matching_engine.records import Command, CommandKind, Event, EventKind
from services.alerts.conditions import Condition, changes
from services.commands.attachments import AlertAcknowledged, AlertCleared, AlertKind, AlertRaised, read_decision
from services.journal.batch import Applied
from services.venue_state.alerts import VenueAlerts

KINDS: tuple[AlertKind, ...] = ("pace", "wash_finding", "projector_lag")


def condition(kind: AlertKind, number: int) -> Condition:
    return Condition(kind, f"{kind}:{number}", str(number), "warning", f"{kind} {number}.", f"{kind}{number}。")


def applied(seq: int) -> Applied:
    return Applied(
        Event(kind=EventKind.RECORDED, seq=seq), Command(kind=CommandKind.RECORD, seq=seq, time_ns=seq * 10), b""
    )


def carry_out(alerts: VenueAlerts, seq: int, *found: AlertRaised | AlertCleared | AlertAcknowledged) -> int:
    """As the journal would carry the changes: each becomes bytes and comes back. Returns the next seq."""
    for number, change in enumerate(found, start=seq):
        told: Any = read_decision(change.to_bytes())
        alerts.apply(applied(number), told)
    return seq + len(found)


looks = st.lists(
    st.tuples(
        st.lists(st.builds(condition, st.sampled_from(KINDS), st.integers(0, 3)), max_size=8),
        st.sets(st.sampled_from(KINDS), min_size=1),
    ),
    min_size=1,
    max_size=8,
)


@given(looks)
def test_after_each_look_the_open_alerts_are_those_that_hold(
    found: list[tuple[list[Condition], set[AlertKind]]],
) -> None:
    alerts, seq, expected = VenueAlerts(), 1, set[str]()
    for holding, looked_at in found:
        holding = [one for one in holding if one.kind in looked_at]
        expected = {key for key in expected if key.partition(":")[0] not in looked_at} | {one.key for one in holding}
        before = dict(alerts.open)
        seq = carry_out(alerts, seq, *changes(alerts.open, holding, looked_at))
        assert alerts.open.keys() == expected
        assert changes(alerts.open, holding, looked_at) == []
        assert all(alerts.open[key] is before[key] for key in before.keys() & alerts.open.keys())


def test_an_alert_that_is_raised_twice_is_one() -> None:
    alerts, one = VenueAlerts(), condition("pace", 1)
    seq = carry_out(alerts, 5, one.raised(), one.raised())
    assert [alert.seq for alert in alerts.open.values()] == [5]
    carry_out(alerts, seq, AlertCleared(alert=5), one.raised())
    assert [alert.seq for alert in alerts.open.values()] == [8]


def test_the_condition_of_an_open_alert_is_the_one_that_raised_it() -> None:
    alerts, one = VenueAlerts(), condition("wash_finding", 2)
    carry_out(alerts, 1, one.raised())
    assert Condition.of_alert(alerts.open[one.key]) == one


def test_the_first_acknowledgement_holds() -> None:
    alerts, heard = VenueAlerts(), list[tuple[int, int]]()
    alerts.listeners.append(lambda alert, seq: heard.append((alert.seq, seq)))
    first, second = AlertAcknowledged(alert=1, name="Li Na", note="seen"), AlertAcknowledged(alert=1, name="Wang")
    carry_out(alerts, 1, condition("pace", 1).raised(), first, second, AlertCleared(alert=9), AlertCleared(alert=1))
    assert heard == [(1, 1), (1, 2), (1, 5)]
    assert alerts.open == {}


def test_an_acknowledged_alert_stays_open() -> None:
    alerts = VenueAlerts()
    carry_out(alerts, 1, condition("pace", 1).raised(), AlertAcknowledged(alert=1, name="Li Na"))
    (alert,) = alerts.open.values()
    assert (alert.name, alert.acknowledged_seq, alert.acknowledged_ns, alert.last_seq) == ("Li Na", 2, 20, 2)
    assert changes(alerts.open, [condition("pace", 1)], KINDS) == []


def test_the_acknowledgement_of_a_cleared_alert_is_heard_once() -> None:
    alerts, heard = VenueAlerts(), list[tuple[int, int, str | None]]()
    alerts.listeners.append(lambda alert, seq: heard.append((alert.seq, seq, alert.name)))
    first, second = AlertAcknowledged(alert=1, name="Li Na"), AlertAcknowledged(alert=1, name="Wang")
    carry_out(alerts, 1, condition("pace", 1).raised(), AlertCleared(alert=1), first, second, AlertCleared(alert=1))
    assert heard == [(1, 1, None), (1, 2, None), (1, 3, "Li Na")]
    assert (alerts.open, alerts.cleared) == ({}, {})
