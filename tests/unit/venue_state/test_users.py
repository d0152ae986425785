from __future__ import annotations

from services.commands.attachments import UserAdded, UserPasswordChanged, UserRemoved, UserRoleChanged, read_decision
from services.venue_state.users import User, Users


def users() -> Users:
    found = Users()
    found.apply(7, UserAdded(name="Li Na", role="trader", account=2, password_hash="h1"))
    return found


def test_a_user_is_found_by_name_whatever_its_case_and_width() -> None:
    found = users()
    assert found.named("li na") == found.named("ＬＩ　ＮＡ") == User(7, "Li Na", "trader", 2, "h1")
    assert found.named("li") is None


def test_a_second_user_of_a_name_is_none_until_the_first_is_removed() -> None:
    found = users()
    again = UserAdded(name="LI NA", role="admin")
    found.apply(8, again)
    assert [*found.by_id] == [7]
    assert not found.has_admin()
    found.apply(9, UserRemoved(user_id=7))
    assert found.named("Li Na") is None
    found.apply(10, again)
    assert found.named("Li Na") == User(10, "LI NA", "admin", 0, "")
    assert found.has_admin()


def test_changes_reach_the_user_and_the_listeners_afterwards() -> None:
    found = users()
    seen: list[tuple[int, User | None]] = []
    found.listeners.append(lambda user_id: seen.append((user_id, found.by_id.get(user_id))))
    found.apply(8, UserPasswordChanged(user_id=7, password_hash="h2"))
    found.apply(9, UserRoleChanged(user_id=7, role="auditor"))
    found.apply(10, UserRemoved(user_id=7))
    assert seen == [
        (7, User(7, "Li Na", "trader", 2, "h2")),
        (7, User(7, "Li Na", "auditor", 0, "h2")),
        (7, None),
    ]


def test_a_change_of_nobody_changes_nothing() -> None:
    found = users()
    found.listeners.append(lambda user_id: (_ for _ in ()).throw(AssertionError(user_id)))
    for change in (
        UserPasswordChanged(user_id=8, password_hash="h2"),
        UserRoleChanged(user_id=8, role="admin"),
        UserRemoved(user_id=8),
    ):
        found.apply(9, change)
        assert read_decision(change.to_bytes()) == change
    assert [*found.by_id] == [7]
