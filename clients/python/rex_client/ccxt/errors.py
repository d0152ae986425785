"""The exceptions of the ccxt adapter: ccxt's names and tree, as its manual lists them, without ccxt.

BaseError
├── ExchangeError              the same call would fail again
│   ├── AuthenticationError        PermissionDenied, AccountSuspended
│   ├── BadRequest                 BadSymbol
│   ├── InsufficientFunds
│   ├── InvalidOrder               OrderNotFound, DuplicateOrderId, OrderImmediatelyFillable
│   ├── MarketClosed
│   └── NotSupported
└── NetworkError               the same call may pass later
    ├── RateLimitExceeded
    ├── ExchangeNotAvailable       OnMaintenance
    └── RequestTimeout             sent, and no reply came: the outcome is unknown
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from rex_client.errors import FellBehind, OutcomeUnknown, RexError


class BaseError(Exception):
    """Any error of the adapter. `info` is what the venue answered: a problem (`status`, `code`, `detail` …) or an order."""

    def __init__(self, message: str, info: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.info: dict[str, Any] = dict(info or {})
        self.code: str | None = self.info.get("code", self.info.get("reason"))
        """The venue's code of the problem, or its reason to decline the order."""


class ExchangeError(BaseError):
    """The venue, or the adapter before it, refused the call."""


class AuthenticationError(ExchangeError):
    """There is no key, or it is unknown, revoked or expired."""


class PermissionDenied(AuthenticationError):
    """The key may not do this, or not from this address."""


class AccountSuspended(AuthenticationError):
    """The account's kill switch is on: only cancels are taken."""


class BadRequest(ExchangeError):
    """An argument is wrong; the message names it."""


class BadSymbol(BadRequest):
    """There is no such market."""


class InsufficientFunds(ExchangeError):
    """The account has too little cash or goods available."""


class InvalidOrder(ExchangeError):
    """The venue does not take an order, or a change of one, like this."""


class OrderNotFound(InvalidOrder):
    """There is no such order, or it has ended already."""


class DuplicateOrderId(InvalidOrder):
    """The client order id was used for another order."""


class OrderImmediatelyFillable(InvalidOrder):
    """A post-only order would have traded at once."""


class MarketClosed(ExchangeError):
    """The market takes no such order in its present phase."""


class NotSupported(ExchangeError):
    """REX has nothing that this method could ask: `has` says False."""


class NetworkError(BaseError):
    """The call did not get through, or the venue could not take it just now."""


class RateLimitExceeded(NetworkError):
    """The key has used up a limit; `info["retry_after_ms"]` says how long to wait."""


class ExchangeNotAvailable(NetworkError):
    """The venue does not answer, or has no room; nothing was carried out."""


class OnMaintenance(ExchangeNotAvailable):
    """The venue's kill switch is on: only cancels are taken."""


class RequestTimeout(NetworkError):
    """No reply came: the outcome is unknown. An order with the same clientOrderId may be sent again, and is placed once."""


KIND_OF_STATUS: dict[int, type[BaseError]] = {
    401: AuthenticationError,
    403: PermissionDenied,
    429: RateLimitExceeded,
    500: RequestTimeout,
    503: ExchangeNotAvailable,
}
KIND_OF_CODE: dict[str, type[BaseError]] = {
    "account_kill_switch": AccountSuspended,
    "venue_kill_switch": OnMaintenance,
    "unknown_symbol": BadSymbol,
    "unknown_instrument": BadSymbol,
    "unknown_order": OrderNotFound,
    "order_not_open": OrderNotFound,
    "client_order_id_reused": DuplicateOrderId,
    "insufficient_funds": InsufficientFunds,
    "insufficient_inventory": InsufficientFunds,
    "post_only_would_trade": OrderImmediatelyFillable,
    "no_longer_listed": MarketClosed,
    "market_closed": MarketClosed,
    "instrument_halted": MarketClosed,
    "not_in_auction": MarketClosed,
    "too_many": InvalidOrder,
    "outcome_unknown": RequestTimeout,
}
"""By the code of a problem, or the reason of a rejected order; those of orders that are missing here are an InvalidOrder."""

OF_ORDERS = (
    "price_", "invalid_price", "invalid_quantity", "invalid_time", "invalid_trigger", "invalid_expiry", "invalid_display",
    "invalid_option", "order_", "open_orders_", "value_", "turnover_",
)  # fmt: skip
"""How the codes of invalid orders begin."""


def error_of_code(code: str, status: int, message: str, info: Mapping[str, Any]) -> BaseError:
    """The exception for a code of the venue."""
    kind = KIND_OF_CODE.get(code) or KIND_OF_STATUS.get(status)
    if kind is None:
        kind = InvalidOrder if code.startswith(OF_ORDERS) else BadRequest if status < 500 else ExchangeError
    return kind(message, info)


def error_of_rejection(order: Mapping[str, Any]) -> BaseError:
    """The exception for an order that the engine declined."""
    kind = KIND_OF_CODE.get(order["reason"], InvalidOrder)
    return kind(f"{order['reason']}: {order['reason_text']}", order)


def with_ids(unknown: RequestTimeout, ids: dict[str, Any]) -> RequestTimeout:
    """The same with the ids by which the program can ask for the outcome, or send the order again."""
    message = "; ".join([str(unknown), *[f"{name} {value}" for name, value in ids.items()]])
    return RequestTimeout(message, unknown.info | ids)


@contextmanager
def ccxt_errors(**ids: Any) -> Iterator[None]:
    """Raises the client's exceptions as those of this module. A RequestTimeout has the `ids` in its message and its `info`."""
    try:
        yield
    except RexError as error:
        failure = error_of_code(error.code, error.status, str(error), vars(error))
        raise (with_ids(failure, ids) if isinstance(failure, RequestTimeout) else failure) from error
    except OutcomeUnknown as error:
        raise with_ids(RequestTimeout(str(error)), ids) from error
    except (FellBehind, ConnectionError) as error:
        raise (NetworkError if isinstance(error, FellBehind) else ExchangeNotAvailable)(str(error)) from error
