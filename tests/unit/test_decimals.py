from __future__ import annotations

import pytest

from services.decimals import fixed_text, scaled


@pytest.mark.parametrize(
    ("text", "decimals", "value"), [("-0.5", 1, -5), ("-0.05", 2, -5), ("1.10", 1, 11), ("1.11", 1, None)]
)
def test_scaled(text: str, decimals: int, value: int | None) -> None:
    assert scaled(text, decimals) == value


@pytest.mark.parametrize(
    ("value", "decimals", "text"), [(5, 2, "0.05"), (-5, 2, "-0.05"), (100, 2, "1.00"), (7, 0, "7")]
)
def test_fixed_text(value: int, decimals: int, text: str) -> None:
    assert fixed_text(value, decimals) == text
