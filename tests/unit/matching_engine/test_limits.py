"""The C mirror of the limits says the same numbers."""

from __future__ import annotations

import re
from pathlib import Path

import matching_engine
from matching_engine import limits
from matching_engine.faults import Fault

FOLDER = Path(matching_engine.__file__).parent


def test_the_mirror_of_the_limits() -> None:
    text = (FOLDER / "limits.pxd").read_text()
    found = re.findall(r"^    (\w+) = (\d+)$", text, re.M) + re.findall(r"#define REX_(\w+) (\d+)ll", text)
    expected = {name: value for name, value in vars(limits).items() if name.isupper() and isinstance(value, int)}
    for imported in ("MAX_AMOUNT_FEN", "MAX_PRICE_TICKS"):
        del expected[imported]
    assert {name: int(value) for name, value in found} == expected


def test_the_mirror_of_the_faults() -> None:
    found = re.findall(r"^    (\w+) = (\d+)$", (FOLDER / "faults.pxd").read_text(), re.M)
    assert {name: int(value) for name, value in found} == {fault.name: fault.value for fault in Fault}
