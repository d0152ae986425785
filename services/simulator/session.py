"""One simulated trader's connection: it follows the account and sends the actions of the trader's turns."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple, TypeVar

import structlog
from rex_client import FellBehind, RexClient, RexError

from services.simulator.accounts import DemoAccount
from services.simulator.book import Action, Amend, Cancel, NewOrder, TraderBook, TraderOrder
from services.simulator.market import Quote

T = TypeVar("T")


async def not_covered(work: Coroutine[Any, Any, T]) -> T:
    """What the work gives or raises; CancelledError where the present task is canceled meanwhile, whatever the work raises.

    For whoever catches the work's errors and goes on: where a child of a TaskGroup fails while it is being canceled, Python
    3.11 and 3.12 raise the child's error and drop the cancellation (python/cpython#116720). The work has a task of its own,
    since a TaskGroup there also leaves its task marked as canceled when it was not.
    """
    task, present = asyncio.create_task(work), asyncio.current_task()
    try:
        return await task
    except Exception:
        if present is not None and present.cancelling():
            raise asyncio.CancelledError from None
        raise


_OPEN = ("new", "partially_filled")
_RETRY_SECONDS = 1.0
_BALANCE_SECONDS = 10.0
"""The interval at which a trader reads its balances."""

log = structlog.get_logger("rex.simulator")


class TraderKey(NamedTuple):
    """The name of an account of `demo_accounts`, and the secret of a key that may trade for it."""

    name: str
    key: str


class TraderSession:
    """A trader's WebSocket and its book. At most one turn is under way, so it has at most one turn's requests open."""

    def __init__(self, url: str, key: TraderKey, account: DemoAccount, held_at_end: Mapping[str, int]) -> None:
        """`held_at_end`: the account's lots when the history of the venue ended, by symbol."""
        self.name = key.name
        self.role = account.role
        self.book = TraderBook(account.home_lots(held_at_end))
        self._url = url
        self._key = key.key
        self._client: RexClient | None = None
        self._in_turn = False

    @property
    def idle(self) -> bool:
        """Whether it is connected, knows its open orders and has no turn under way."""
        return self._client is not None and not self._in_turn

    async def run(self) -> None:
        """Follows the account until it is canceled. Raises RexError if the venue does not know the key."""
        while True:
            try:
                await not_covered(self._follow())
            except* (FellBehind, ConnectionError) as trouble:
                log.warning("a simulated trader lost the venue", trader=self.name, why=str(trouble.exceptions[0]))
            finally:
                self._client = None
            await asyncio.sleep(_RETRY_SECONDS)

    async def _follow(self) -> None:
        async with RexClient(self._url, self._key) as client, asyncio.TaskGroup() as tasks:
            tasks.create_task(self._follow_orders(client))
            tasks.create_task(self._follow_balances(client))

    async def take_turn(self, quote: Quote, actions: Sequence[Action]) -> None:
        """Sends all actions, then waits for all replies. A refusal is normal and ignored."""
        client = self._client
        if client is None:
            return
        self._in_turn = True
        try:
            replies = [await _send(client, quote, action) for action in actions]
            for outcome in await asyncio.gather(*replies, return_exceptions=True):
                if isinstance(outcome, BaseException) and not isinstance(outcome, RexError | ConnectionError):
                    raise outcome
        except ConnectionError:
            pass  # `run` connects again, and the snapshot that follows holds the open orders.
        finally:
            self._in_turn = False

    async def _follow_orders(self, client: RexClient) -> None:
        tick_sizes = await _tick_sizes(client)
        async for push in client.subscribe(["orders"]):
            if push["type"] == "snapshot":
                self.book.open_orders.clear()
                self._client = client
            for order in push["data"]["orders"]:
                if order["symbol"] not in tick_sizes:  # It was listed meanwhile.
                    tick_sizes = await _tick_sizes(client)
                if order["state"] in _OPEN:
                    # An open order has a price or, as a stop, a trigger price: market orders never rest.
                    ticks = int(Decimal(order["price"] or order["stop_price"]) / tick_sizes[order["symbol"]])
                    self.book.open_orders[order["order_id"]] = TraderOrder(
                        order["order_id"], order["symbol"], order["side"], ticks, order["leaves_qty"]
                    )
                else:
                    self.book.open_orders.pop(order["order_id"], None)

    async def _follow_balances(self, client: RexClient) -> None:
        while True:
            account = await client.account()
            self.book.available_fen = int(Decimal(account["available"]) * 100)
            self.book.available_lots = {holding["symbol"]: holding["available"] for holding in account["holdings"]}
            await asyncio.sleep(_BALANCE_SECONDS)


async def _tick_sizes(client: RexClient) -> dict[str, Decimal]:
    return {entry["symbol"]: Decimal(entry["tick_size"]) for entry in await client.instruments()}


async def _send(client: RexClient, quote: Quote, action: Action) -> asyncio.Future[dict[str, Any]]:
    match action:
        case NewOrder():
            return await client.submit_order(order_body(quote, action))
        case Amend(order_id, price_ticks):
            return await client.submit_amend({"order_id": order_id, "price": quote.price(price_ticks)})
        case Cancel(order_id):
            return await client.submit_cancel(order_id=order_id)


def order_body(quote: Quote, order: NewOrder) -> dict[str, Any]:
    """A new order as the body of POST /v1/orders."""
    kind = "market" if order.price_ticks is None else "limit"
    if order.stop_ticks is not None:
        kind = "stop" if order.price_ticks is None else "stop_limit"
    body: dict[str, Any] = {
        "symbol": order.symbol,
        "side": order.side,
        "order_type": kind,
        "time_in_force": order.time_in_force,
        "price": None if order.price_ticks is None else quote.price(order.price_ticks),
        "quantity": order.quantity,
        "post_only": order.post_only,
        "display_quantity": order.display,
    }
    if order.stop_ticks is not None:
        body["stop_price"] = quote.price(order.stop_ticks)
    if order.lifetime_s is not None:
        expiry = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=order.lifetime_s)
        body["expire_time"] = expiry.strftime("%Y-%m-%dT%H:%M:%SZ")
    return body
