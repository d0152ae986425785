"""docs/client.md: every example runs against a real venue, and the page says the code's own numbers and names."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import rex_client
from rex_client import calls, records, retries, socket, subscription

from tests.integration.served_venue import Served, served_venue
from tests.patience import PATIENCE_S

PAGE = (Path(__file__).parents[2] / "docs/client.md").read_text(encoding="utf-8")
EXAMPLES = dict(re.findall(r"## ([^\n]+)\n(?:(?!\n## ).)*?```python\n(.*?)```", PAGE, flags=re.DOTALL))
OUTPUT = {
    "Patience": r"new 1 canceled\n",
    "Resume": r"paid 473236\.50\n",
    "Safety nets": r"{'enabled': True, 'after_close': True}\nall orders end without a sign of life in 60 seconds\n",
    "Lists": r"the ledger adds up to the cash: True\n",
    "Records": r"new True True\n",
}


@pytest.fixture(scope="module")
async def served(tmp_path_factory: pytest.TempPathFactory, anyio_backend: str) -> AsyncIterator[Served]:
    async with served_venue(tmp_path_factory.mktemp("served")) as running:
        bob = await running.client("bob")
        await bob.place_order({"symbol": "PRND-OX", "side": "sell", "price": "473000", "quantity": 5})
        yield running


def test_every_example_is_expected_to_print_something() -> None:
    assert set(EXAMPLES) == set(OUTPUT)


@pytest.mark.anyio
@pytest.mark.parametrize("title", OUTPUT)
async def test_an_example_runs(title: str, served: Served, capsys: pytest.CaptureFixture[str]) -> None:
    example: dict[str, Any] = {"__name__": "example"}
    exec(EXAMPLES[title], example)
    async with asyncio.timeout(PATIENCE_S):
        await example["main"](served.url, served.venue.keys["alice"].key)
    assert re.fullmatch(OUTPUT[title], capsys.readouterr().out)


@pytest.mark.parametrize(
    "sentence",
    [
        f"pauses that grow to {socket.LAST_BACKOFF_SECONDS:g} seconds",
        f"too large for one message ({socket.MAX_MESSAGE_BYTES // 1024} KiB)",
        f"{subscription.QUEUED_PUSHES:,} pushes were waiting",
        f"grow from {retries.FIRST_PAUSE_S:g} to {retries.LAST_PAUSE_S:g} seconds",
        f"one attempt may last {calls.TIMEOUT_SECONDS:g} seconds",
        f"no reply within {calls.TIMEOUT_SECONDS:g} seconds",
        *(f"`{code}`" for code in retries.NOT_TAKEN_IN if code != "request_timeout"),
        " and ".join(f"`{name}`" for name in subscription.RESUMABLE[-2:]),
    ],
)
def test_the_page_says_the_codes_own_numbers(sentence: str) -> None:
    assert sentence in PAGE


def test_the_page_lists_every_record() -> None:
    public = [getattr(rex_client, name) for name in rex_client.__all__]
    known = {each.__name__ for each in public if isinstance(each, type) and issubclass(each, records.Record)}
    table = PAGE.partition("\n## Records\n")[2].partition("```")[0]
    assert known <= set(re.findall(r"`(\w+)`", table))
