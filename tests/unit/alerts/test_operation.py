from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.alerts.conditions import Condition
from services.alerts.operation import LAG_S, Operation, Quiet, ReaderLag, operation_conditions
from services.reporting.proven import ProofAge, Proven
from services.venue_state.alerts import VenueAlert

S = 10**9
WELL = Operation(
    lag_ns=0,
    lag_is_known=True,
    quiet_ns=0,
    quiet_is_known=True,
    quiet_s=900,
    proofs={},
    proof_age=None,
    calendar_year=None,
)


def proven(year: int, *, agree: bool) -> Proven:
    return Proven(year, 1_000, 1, {"agree": agree}, None)


def age(age_s: float, *, every_s: float = 3600.0, seq: int | None = 1_000) -> ProofAge:
    return ProofAge(seq, 0, age_s, every_s)


def keys(seen: Operation, *is_open: VenueAlert) -> list[str]:
    return [one.key for one in operation_conditions(seen, {alert.key: alert for alert in is_open})]


def seen(**changes: Any) -> Operation:
    return Operation(**{**vars(WELL), **changes})


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"lag_ns": LAG_S * S}, []),
        ({"lag_ns": LAG_S * S + 1}, ["projector_lag"]),
        ({"quiet_ns": 900 * S}, []),
        ({"quiet_ns": 900 * S + 1}, ["journal_quiet"]),
        ({"quiet_ns": 10**18, "quiet_s": 0}, []),
        ({"proof_age": age(86_400)}, []),
        ({"proof_age": age(86_400.001)}, ["proof_late"]),
        ({"proof_age": age(86_401, seq=None)}, ["proof_late"]),
        ({"proof_age": age(86_400, every_s=1)}, []),
        ({"proof_age": age(86_401, every_s=7200)}, []),
        ({"calendar_year": 2027}, ["calendar_missing:2027"]),
        ({"proofs": {2026: proven(2026, agree=False), 2025: proven(2025, agree=True)}}, ["proof_failed:2026"]),
        ({"proofs": {2026: Proven(2026, 7, 1, None, "no space")}}, ["proof_failed:2026"]),
    ],
)
def test_what_holds(changes: dict[str, Any], expected: list[str]) -> None:
    assert keys(seen(**changes)) == expected


def test_a_failed_proof_holds_until_one_of_its_year_agrees() -> None:
    (failed,) = operation_conditions(seen(proofs={2026: proven(2026, agree=False)}), {})
    alert = VenueAlert(
        1, 1, failed.kind, failed.key, failed.subject, failed.severity, failed.sentence, failed.sentence_zh
    )
    assert operation_conditions(WELL, {alert.key: alert}) == [failed]  # after a restart, before the first proof
    assert keys(seen(proofs={2025: proven(2025, agree=True)}), alert) == ["proof_failed:2026"]
    assert keys(seen(proofs={2026: proven(2026, agree=True)}), alert) == []


def test_a_late_proof_holds_until_one_agrees() -> None:
    (late,) = operation_conditions(seen(proof_age=age(86_401)), {})
    assert late.sentence == (
        "No proof of the figure has agreed for more than 24 hours: the last one is of seq 1,000 and ended at "
        "1970-01-01T00:00:00.000000Z."
    )
    is_open = {late.key: alert_of(late)}
    assert operation_conditions(seen(proof_age=age(1, seq=None)), is_open) == [late]  # a restart alone ends nothing
    assert operation_conditions(seen(proof_age=age(1)), is_open) == []
    assert operation_conditions(seen(proof_age=None), is_open) == []  # the schedule was taken away


def alert_of(found: Condition) -> VenueAlert:
    return VenueAlert(1, 1, found.kind, found.key, found.subject, found.severity, found.sentence, found.sentence_zh)


@pytest.mark.parametrize(
    ("holding", "unknown"),
    [({"lag_ns": 10**18}, {"lag_is_known": False}), ({"quiet_ns": 10**18}, {"quiet_is_known": False})],
)
def test_an_open_alert_holds_until_there_is_evidence(holding: dict[str, Any], unknown: dict[str, Any]) -> None:
    (held,) = operation_conditions(seen(**holding), {})
    assert operation_conditions(seen(**unknown), {held.key: alert_of(held)}) == [held]  # after a restart
    assert operation_conditions(seen(**unknown), {}) == []
    assert operation_conditions(WELL, {held.key: alert_of(held)}) == []
    assert keys(seen(quiet_is_known=False, quiet_s=0), alert_of(held)) == []  # the bound was taken away


def test_a_lag_is_known_once_the_commands_of_the_first_look_are_there() -> None:
    lag, known = ReaderLag(), list[bool]()
    for now, (last_seq, projected) in enumerate([(20, 10), (30, 15), (30, 20), (40, 20)]):
        lag.look(now, last_seq, projected)
        known.append(lag.is_known)
    assert known == [False, False, True, True]


@pytest.mark.parametrize(
    "looks", [[(7, True), (7, True), (8, True), (8, True)], [(7, True), (7, True), (7, False), (7, True)]]
)
def test_silence_is_known_once_a_command_came_or_the_session_was_over(looks: list[tuple[int, bool]]) -> None:
    quiet, known = Quiet(), list[bool]()
    for now, (commands, in_session) in enumerate(looks):
        quiet.look(now, commands, in_session=in_session)
        known.append(quiet.is_known)
    assert known == [False, False, True, True]


def test_the_lag_is_the_age_of_the_oldest_missing_command() -> None:
    lag = ReaderLag()
    assert lag.look(100, 10, 10) == 0
    assert lag.look(200, 20, 10) == 0  # first seen now
    assert lag.look(300, 30, 10) == 100
    assert lag.look(400, 30, 20) == 100  # 20 is there, the commands up to 30 were seen at 300
    assert lag.look(500, 30, 30) == 0
    assert lag.look(600, 30, 31) == 0  # the projector may be faster than the look


def test_a_read_database_that_never_moves_is_behind_by_all_the_time() -> None:
    lag = ReaderLag()
    assert [lag.look(at, at, 0) for at in range(1, 2_000)] == list(range(1_999))


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=40))
def test_the_lag_is_never_more_than_it_is(steps: list[tuple[int, int]]) -> None:
    """`last_seq` and the position grow by these steps: compared with the true time at which each missing seq was first seen."""
    lag, last_seq, projected, first_seen = ReaderLag(), 0, 0, dict[int, int]()
    for now, (more, done) in enumerate(steps):
        for seq in range(last_seq + 1, last_seq + more + 1):
            first_seen[seq] = now
        last_seq, projected = last_seq + more, min(projected + done, last_seq + more)
        missing = [at for seq, at in first_seen.items() if seq > projected]
        assert lag.look(now, last_seq, projected) == (now - min(missing) if missing else 0)


def test_quiet_begins_with_the_session_and_ends_with_a_command() -> None:
    quiet = Quiet()
    assert quiet.look(100, 7, in_session=False) == 0
    assert quiet.look(900, 7, in_session=False) == 0
    assert quiet.look(1_000, 8, in_session=True) == 0  # the phase began by a command
    assert quiet.look(1_500, 8, in_session=True) == 500
    assert quiet.look(1_600, 9, in_session=True) == 0
    assert quiet.look(1_700, 9, in_session=False) == 0
    assert quiet.look(1_800, 9, in_session=True) == 100
