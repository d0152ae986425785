from __future__ import annotations

from services.read_model.names import member_names


def test_a_member_is_called_by_the_account_of_its_number_or_else_by_its_first() -> None:
    assert member_names([(5, 900, "east"), (4, 900, "west")]) == {900: "west"}
    assert member_names([(2, 3, "subsidiary"), (3, 3, "parent")]) == {3: "parent"}
    assert member_names([(2, 2, "alice"), (3, 2, "her second"), (4, 3, "bob")]) == {2: "alice", 3: "bob"}
