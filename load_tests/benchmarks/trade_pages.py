"""Open trade pages as the venue sees them, as a process of their own: a WebSocket for each page, with what its scripts follow.

    python -m load_tests.benchmarks.trade_pages URL PAGES KEY...

prints one JSON line when every page has its first book. When standard input ends, prints how many pushes the pages got, and
ends. The keys are used in turn: a key may have 16 WebSockets. What a browser does with the pushes is measured by `pages`.
"""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from typing import Any

from rex_client import RexClient

from load_tests.benchmarks.report_readers import until_told
from services.processes.own_process import stand_back

EVERY_SYMBOL, OF_ITS_SYMBOL = ("ticker",), ("depth", "trades", "candles")
OPTIONS: dict[str, dict[str, Any]] = {"depth": {"interval_ms": 100}, "candles": {"interval": "1m"}}
"""The market channels that `services/pages/static/trade` follows, and how."""


async def follow(url: str, pages: int, keys: list[str]) -> None:
    """Keeps the pages open until standard input ends."""
    got: Counter[str] = Counter()
    clients = [RexClient(url, keys[number % len(keys)]) for number in range(pages)]
    symbols = [instrument["symbol"] for instrument in await clients[0].instruments()]
    filled = [asyncio.Event() for _ in clients]

    async def hear(number: int, channel: str, symbol: str) -> None:
        async for _ in clients[number].subscribe([channel], [symbol], **OPTIONS.get(channel, {})):
            got["pushes"] += 1
            if channel == "depth":
                filled[number].set()

    works = [
        hear(number, channel, symbol)
        for number in range(pages)
        for channel, symbol in [
            *((channel, "*") for channel in EVERY_SYMBOL),
            *((channel, symbols[number % len(symbols)]) for channel in OF_ITS_SYMBOL),
        ]
    ]
    await until_told(works, filled, got)


if __name__ == "__main__":
    stand_back()
    asyncio.run(follow(sys.argv[1], int(sys.argv[2]), sys.argv[3:]))
