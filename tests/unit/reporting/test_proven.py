"""What the public health says of a proof."""

from __future__ import annotations

import pytest

from services.reporting.proven import Proven


@pytest.mark.parametrize(
    ("trouble", "why"),
    [
        ("services.journal.errors.JournalFailed: /srv/rex/journal.sqlite of Inner Rare is cut", "JournalFailed"),
        ("OSError", "OSError"),
        ("its process ended with status 137", "the log has the reason"),
        ("密码: secret", "the log has the reason"),
        ("asyncpg://rex:secret@db", "the log has the reason"),
    ],
)
def test_an_alarm_holds_the_type_of_a_trouble_alone(trouble: str, why: str) -> None:
    assert Proven(2026, 1_200, 1, None, trouble).alarm == (
        f"The proof of 2026 at seq 1,200 failed: it could not be made ({why})."
    )
