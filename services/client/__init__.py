"""The Python client: REX's public API, nothing else. docs/traders.md shows how a program trades with it.

    async with RexClient("http://127.0.0.1:8000", key) as client:
        order = await client.place_order({"symbol": "PRND-OX", "side": "buy", "price": "463000.00", "quantity": 1})
        async for push in client.subscribe(["trades"], ["PRND-OX"]):
            print(push["data"]["trades"])

What goes in and what comes out are the API's own JSON objects (docs/api.md, docs/websocket.md) as dicts.
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
