"""docs/ccxt.md: its example runs, and its table has every method."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from rex_client import ccxt
from rex_client.ccxt.has import HAS, MARKET_TYPES

from tests.integration.ccxt_market import CcxtMarket

PAGE = (Path(__file__).parents[2] / "docs" / "ccxt.md").read_text(encoding="utf-8")
OUTPUT = r"\d+ open 1\nInvalidOrder price_below_band\nbest bid \[Decimal\('444700.00'\), Decimal\('1'\)\]\ncanceled\n"


@pytest.mark.anyio
async def test_the_example_runs(ccxt_market: CcxtMarket, capsys: pytest.CaptureFixture[str]) -> None:
    example: dict[str, Any] = {"__name__": "example"}
    exec(PAGE.partition("```python\n")[2].partition("```")[0], example)
    await example["main"](ccxt_market.served.url, ccxt_market.served.venue.keys["bob"].key)
    assert re.fullmatch(OUTPUT, capsys.readouterr().out)


def test_the_table_has_every_method() -> None:
    table = PAGE.partition("## Methods")[2].partition("\n\nA `watch")[0]
    assert set(re.findall(r"`([a-z]+[A-Z]\w+)`", table)) == {
        name for name, is_there in HAS.items() if is_there and name not in MARKET_TYPES
    }


def test_the_page_has_every_exception() -> None:
    listed = set(re.findall(r"`(\w+)`", PAGE.partition("## Exceptions")[2]))
    assert set(ccxt.__all__) - {"RexCcxt"} <= listed
