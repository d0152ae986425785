"""The Python client of REX's public API. docs/client.md shows what it does, docs/traders.md how a program trades with it.

    async with RexClient("http://127.0.0.1:8000", key) as client:
        order = await client.place_order({"symbol": "PRND-OX", "side": "buy", "price": "463000.00", "quantity": 1})
        async for push in client.subscribe(["trades"], ["PRND-OX"]):
            print(push["data"]["trades"])

Arguments and results are the JSON objects of the API (docs/api.md, docs/websocket.md) as dicts. `Order.of(order)` and its like
make records of them, with Decimal and datetime.
"""

from rex_client.client import RexClient
from rex_client.depth_book import BookLevel, DepthBook, OutOfStep
from rex_client.errors import FellBehind, OutcomeUnknown, Proposed, RexError, Unreachable
from rex_client.market_records import Candle, Depth, Instrument, Level, Ticker, Trade
from rex_client.pages import pages
from rex_client.rate_limit import RateLimit
from rex_client.records import Account, Balances, CashMovement, Fill, Holding, LedgerLine, Order, OrderTest
from rex_client.subscription import Subscription

__all__ = [
    "Account",
    "Balances",
    "BookLevel",
    "Candle",
    "CashMovement",
    "Depth",
    "DepthBook",
    "FellBehind",
    "Fill",
    "Holding",
    "Instrument",
    "LedgerLine",
    "Level",
    "Order",
    "OrderTest",
    "OutOfStep",
    "OutcomeUnknown",
    "Proposed",
    "RateLimit",
    "RexClient",
    "RexError",
    "Subscription",
    "Ticker",
    "Trade",
    "Unreachable",
    "pages",
]
