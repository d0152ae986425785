"""The Python client of REX's public API. docs/traders.md shows how a program trades with it.

    async with RexClient("http://127.0.0.1:8000", key) as client:
        order = await client.place_order({"symbol": "PRND-OX", "side": "buy", "price": "463000.00", "quantity": 1})
        async for push in client.subscribe(["trades"], ["PRND-OX"]):
            print(push["data"]["trades"])

Arguments and results are the JSON objects of the API (docs/api.md, docs/websocket.md) as dicts.
"""

from services.client.client import RexClient
from services.client.depth_book import BookLevel, DepthBook, OutOfStep
from services.client.errors import FellBehind, OutcomeUnknown, RexError, Unreachable
from services.client.subscription import Subscription

__all__ = [
    "BookLevel",
    "DepthBook",
    "FellBehind",
    "OutOfStep",
    "OutcomeUnknown",
    "RexClient",
    "RexError",
    "Subscription",
    "Unreachable",
]
