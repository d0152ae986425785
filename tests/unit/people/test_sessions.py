from __future__ import annotations

import pytest

from services.commands.attachments import UserAdded, UserPasswordChanged, UserRemoved, UserRoleChanged
from services.people.links import FIRST_ADMIN, LINK_S, Links
from services.people.sessions import ABSOLUTE_S, IDLE_S, OF_ONE_USER, Sessions
from services.venue_state.keys import ApiKey
from services.venue_state.users import User, Users


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def users() -> Users:
    found = Users()
    found.apply(7, UserAdded(name="li.na", role="trader", account=2, password_hash="h"))
    found.apply(8, UserAdded(name="wang.fang", role="auditor", password_hash="h"))
    return found


@pytest.fixture
def li_na(users: Users) -> User:
    return users.by_id[7]


def test_a_session_is_a_caller_with_the_scopes_of_the_role(users: Users, li_na: User) -> None:
    sessions = Sessions(users)
    secret, session = sessions.start(li_na)
    assert sessions.find(secret) is session
    assert session.caller == ApiKey(7, 2, "li.na", frozenset({"read", "trade"}))
    assert (len(secret), secret[:5]) == (5 + 43, "rexs_")  # 43 characters of base64 are 32 bytes
    assert sessions.find(secret[:-1]) is sessions.find("") is None


def test_every_session_has_a_secret_of_its_own(users: Users, li_na: User) -> None:
    sessions = Sessions(users)
    assert len({sessions.start(li_na)[0] for _ in range(OF_ONE_USER)}) == OF_ONE_USER


def test_a_session_ends_when_it_is_idle_and_not_while_it_is_used(users: Users, li_na: User, clock: Clock) -> None:
    sessions = Sessions(users, clock)
    secret, _ = sessions.start(li_na)
    for _ in range(3):
        clock.now += IDLE_S - 1
        assert sessions.find(secret) is not None
    clock.now += IDLE_S
    assert sessions.count(7) == 0
    assert sessions.find(secret) is None


def test_an_open_websocket_uses_a_session_up_to_its_absolute_end(users: Users, li_na: User, clock: Clock) -> None:
    sessions = Sessions(users, clock)
    secret, session = sessions.start(li_na)
    closed: list[str] = []
    session.on_end.add(lambda: closed.append("closed"))
    clock.now += ABSOLUTE_S - 1
    assert sessions.find(secret) is session
    assert session.most_seconds_left() == 1
    clock.now += 1
    assert sessions.find(secret) is None
    assert closed == ["closed"]


@pytest.mark.parametrize(
    "change",
    [
        UserPasswordChanged(user_id=7, password_hash="other"),
        UserRoleChanged(user_id=7, role="visitor"),
        UserRemoved(user_id=7),
    ],
)
def test_a_change_of_the_user_ends_their_sessions_and_no_others(
    users: Users, li_na: User, change: UserPasswordChanged | UserRoleChanged | UserRemoved
) -> None:
    sessions = Sessions(users)
    first, second = sessions.start(li_na), sessions.start(li_na)
    others, _ = sessions.start(users.by_id[8])
    closed: list[int] = []
    first[1].on_end.add(lambda: closed.append(1))
    second[1].on_end.add(lambda: closed.append(2))
    users.apply(9, change)
    assert sessions.find(first[0]) is sessions.find(second[0]) is None
    assert sorted(closed) == [1, 2]
    assert sessions.find(others) is not None


def test_one_log_in_too_many_ends_the_session_that_is_idle_for_the_longest(
    users: Users, li_na: User, clock: Clock
) -> None:
    """The first has a WebSocket, the second was used again: the third and the fourth are idle for the longest."""
    sessions, secrets = Sessions(users, clock), []
    for _ in range(OF_ONE_USER):
        secrets.append(sessions.start(li_na)[0])
        clock.now += 1
    first = sessions.find(secrets[0])
    assert first is not None
    first.on_end.add(lambda: None)
    clock.now += 60
    sessions.find(secrets[1])
    for _ in range(2):
        sessions.start(li_na)
    assert [sessions.find(secret) is not None for secret in secrets[:6]] == [True, True, False, False, True, True]


def test_one_log_in_too_many_ends_the_oldest_session(users: Users, li_na: User) -> None:
    sessions = Sessions(users)
    secrets = [sessions.start(li_na)[0] for _ in range(OF_ONE_USER + 1)]
    assert [sessions.find(secret) is not None for secret in secrets] == [False] + [True] * OF_ONE_USER


def test_a_link_works_once_until_its_end_and_a_newer_one_replaces_it(clock: Clock) -> None:
    links = Links(clock)
    old, new, first = links.make(7), links.make(7), links.make(FIRST_ADMIN)
    assert links.take(old) is None
    taken = links.take(new)
    assert taken is not None
    assert taken.user_id == 7
    assert links.take(new) is None
    links.put_back(new, taken)
    assert links.take(new) == taken
    clock.now += LINK_S
    assert links.take(first) is None
