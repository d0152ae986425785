from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from services.values.times import date_text, second_text, time_text


@given(st.integers(0, 4_102_444_800_000_000))
def test_times_are_rfc_3339_with_microseconds(microseconds: int) -> None:
    text = time_text(microseconds * 1_000 + 999)
    exact = datetime.fromtimestamp(microseconds // 1_000_000, UTC).replace(microsecond=microseconds % 1_000_000)
    assert text.endswith("Z")
    assert len(text) == len("2023-12-01T02:00:00.000000Z")
    assert datetime.fromisoformat(text) == exact


@given(st.integers(0, 2**32 - 1))
def test_whole_seconds_are_rfc_3339_without_a_fraction(second: int) -> None:
    text = second_text(second)
    assert len(text) == len("2023-12-01T02:00:00Z")
    assert datetime.fromisoformat(text) == datetime.fromtimestamp(second, UTC)


def test_dates() -> None:
    assert (date_text(20231201), date_text(0)) == ("2023-12-01", "")
