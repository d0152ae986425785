from __future__ import annotations

from services.times import date_text


def test_date_text() -> None:
    assert date_text(20231201) == "2023-12-01"
    assert date_text(0) == ""
