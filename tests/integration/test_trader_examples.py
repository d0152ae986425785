"""docs/traders.md: every example runs against a real venue. docs/websocket.md: its numbers are the code's."""

from __future__ import annotations

import asyncio
import inspect
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, get_args
from zlib import crc32

import pytest
from rex_client import RexClient

from services.gateway.resume import missed
from services.gateway.server import websocket_limits
from services.gateway.websocket import (
    client_queue,
    connection,
    liveness,
    market_models,
    private_models,
    private_stream,
    resumes,
    subscriber,
)
from services.gateway.websocket import messages as ws_messages
from services.gateway.websocket.asyncapi import CLOSE_CODES
from tests.integration.served_venue import Served, served_venue
from tests.patience import PATIENCE_S

DOCS = Path(__file__).parents[2] / "docs"
TRADERS = (DOCS / "traders.md").read_text(encoding="utf-8")
WEBSOCKET = (DOCS / "websocket.md").read_text(encoding="utf-8")
EXAMPLES = dict(re.findall(r"## ([^\n]+)\n(?:(?!\n## ).)*?```python\n(.*?)```", TRADERS, flags=re.DOTALL))
OUTPUT = {
    "One order": r"\d+ new None\n\d+ canceled requested\n",
    "An order that is placed exactly once": r"placed once: True\n",
    "Many orders": r"{'new': 100}\n{'canceled': 100}\n",
    "Follow a book": r"(\d+ 1 at 473000\.00\n\d+\n){2}",  # Before it, or after, stands one more push.
    "Change an order": r"new 20 all shown: True\nnothing changed: invalid_trigger\ncanceled: 1\n",
    "Wait for a price": r"new triggered: False at most 501300\.00\ncanceled requested\n",
    "Follow your own orders": r"open at the start: 0\nnew 2 left at \S+\ncanceled 0 left at \S+\n",
}


@pytest.fixture(scope="module")
async def served(tmp_path_factory: pytest.TempPathFactory, anyio_backend: str) -> AsyncIterator[Served]:
    async with served_venue(tmp_path_factory.mktemp("served")) as running:
        yield running


def test_every_example_is_expected_to_print_something() -> None:
    assert set(EXAMPLES) == set(OUTPUT)


async def busy(served: Served) -> None:
    """Places and cancels another account's orders, until canceled."""
    async with RexClient(served.url, served.venue.keys["bob"].key) as bob:
        while True:
            order = await bob.place_order({"symbol": "PRND-OX", "side": "buy", "price": "473000", "quantity": 1})
            await bob.cancel_order(order_id=order["order_id"])


@pytest.mark.anyio
@pytest.mark.parametrize("title", OUTPUT)
async def test_an_example_runs(title: str, served: Served, capsys: pytest.CaptureFixture[str]) -> None:
    example: dict[str, Any] = {"__name__": "example"}
    exec(EXAMPLES[title], example)
    async with asyncio.timeout(PATIENCE_S):
        market = asyncio.create_task(busy(served)) if title == "Follow a book" else None
        await example["main"](served.url, served.venue.keys["alice"].key)
        if market is not None:
            market.cancel()
            with pytest.raises(asyncio.CancelledError):
                await market
    assert re.search(OUTPUT[title], capsys.readouterr().out)


def test_every_method_of_the_client_is_listed() -> None:
    table = TRADERS.partition("## Every method")[2]
    listed = set(re.findall(r"`(\w+)`", table))
    assert listed == {name for name, _ in inspect.getmembers(RexClient, inspect.isfunction) if not name.startswith("_")}


def test_the_websocket_page_lists_every_channel_and_close_code() -> None:
    table = WEBSOCKET.partition("## Channels")[2].partition("## ")[0]
    assert re.findall(r"^\| `(\w+)` \|", table, flags=re.MULTILINE) == list(get_args(ws_messages.Channel))
    codes = {int(code) for code in re.findall(r"^\| (\d{4}) \|", WEBSOCKET, flags=re.MULTILINE)}
    assert codes == {
        websocket_limits.CLOSE_INVALID_DATA,
        connection.CLOSE_TOO_LARGE,
        connection.CLOSE_INTERNAL_ERROR,
        1012,  # uvicorn's, at its end
        subscriber.CLOSE_KEY_REVOKED,
        connection.CLOSE_NOT_AUTHENTICATED,
        client_queue.CLOSE_TOO_SLOW,
        resumes.CLOSE_NOT_RESUMED,
        liveness.CLOSE_CUT_OFF,
    }
    assert codes == CLOSE_CODES.keys()


@pytest.mark.parametrize(
    "sentence",
    [
        f"at most {connection.MAX_MESSAGE_BYTES} bytes",
        f"within {connection.AUTHENTICATE_SECONDS:g} seconds",
        f"at most {ws_messages.MAX_REQUEST_ID} characters",
        f"Beyond {client_queue.MARKET_MESSAGES} waiting messages",
        f"with {connection.IN_FLIGHT} unanswered orders and unread replies; beyond {client_queue.STRICT_MESSAGES} waiting",
        f"beyond {private_stream.HELD_PUSHES} updates",
        f"more than {resumes.RESUME_COMMANDS} commands",
        f"for {resumes.AHEAD_SECONDS:g} seconds",
        f"about {missed.PAGE_ENTRIES} entries each",
        f"### More than {private_models.PART_ROWS} open orders",
        f"last {market_models.SNAPSHOT_TRADES} at most",
        f'crc32("100.10:3|100.00:7/100.20:5") = {crc32(b"100.10:3|100.00:7/100.20:5")}',
    ],
)
def test_the_websocket_page_says_the_codes_own_numbers(sentence: str) -> None:
    assert sentence in WEBSOCKET
