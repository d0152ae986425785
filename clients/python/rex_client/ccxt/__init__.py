"""An adapter in the shape of ccxt's unified methods, for programs that were written for it. docs/ccxt.md tells the differences.

    async with RexCcxt("http://127.0.0.1:8000", key) as rex:
        order = await rex.create_order("PRND-OX/CNY", "limit", "buy", 1, "463000.00")
        book = await rex.watch_order_book("PRND-OX/CNY")

Names, arguments, keys of the structures and exceptions are ccxt's; ccxt itself is not needed. Amounts, prices and money are
Decimal: never a float.
"""

from rex_client.ccxt.errors import (
    AccountSuspended,
    AuthenticationError,
    BadRequest,
    BadSymbol,
    BaseError,
    DuplicateOrderId,
    ExchangeError,
    ExchangeNotAvailable,
    InsufficientFunds,
    InvalidOrder,
    MarketClosed,
    NetworkError,
    NotSupported,
    OnMaintenance,
    OrderImmediatelyFillable,
    OrderNotFound,
    PermissionDenied,
    RateLimitExceeded,
    RequestTimeout,
)
from rex_client.ccxt.exchange import RexCcxt

__all__ = [
    "AccountSuspended",
    "AuthenticationError",
    "BadRequest",
    "BadSymbol",
    "BaseError",
    "DuplicateOrderId",
    "ExchangeError",
    "ExchangeNotAvailable",
    "InsufficientFunds",
    "InvalidOrder",
    "MarketClosed",
    "NetworkError",
    "NotSupported",
    "OnMaintenance",
    "OrderImmediatelyFillable",
    "OrderNotFound",
    "PermissionDenied",
    "RateLimitExceeded",
    "RequestTimeout",
    "RexCcxt",
]
