"""The routes that place, amend and cancel orders as methods. `RexClient` uses its WebSocket for the same, once it has one."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote

from rex_client.calls import Calls, Fields, Json


class OrderCalls(Calls):
    """Order entry over REST. The fields of an order are those of `POST /v1/orders`; a price may be a str or a Decimal."""

    async def post_order(self, order: Fields) -> Json:
        """Places an order over REST. Raises OutcomeUnknown if no reply comes."""
        return await self._object("POST", "/v1/orders", body=order, is_repeatable=has_id(order))

    async def place_batch(self, orders: Iterable[Fields]) -> list[Json]:
        """Places up to 100 orders. The results, in the order of the request, each have `order` or `error`."""
        body = {"orders": list(orders)}
        return await self._results("/v1/orders/batch", body, is_repeatable=all(map(has_id, body["orders"])))

    async def delete_order(self, *, order_id: str | None = None, client_order_id: str | None = None) -> Json:
        """Cancels the order with one of these ids over REST."""
        if order_id is not None:
            return await self._object("DELETE", f"/v1/orders/{quote(order_id, safe='')}", is_repeatable=True)
        query = {"client_order_id": client_order_id}
        return await self._object("DELETE", "/v1/orders", query=query, is_repeatable=True)

    async def patch_order(
        self, changes: Fields, *, order_id: str | None = None, client_order_id: str | None = None
    ) -> Json:
        """Amends the order with one of these ids over REST. It is not sent again after an unknown outcome."""
        if order_id is not None:
            path = f"/v1/orders/{quote(order_id, safe='')}"
            return await self._object("PATCH", path, body=changes)
        query = {"client_order_id": client_order_id}
        return await self._object("PATCH", "/v1/orders", query=query, body=changes)

    async def delete_orders(self, symbol: str, side: str | None = None, *, account: int | None = None) -> Json:
        """Cancels every open order in an instrument, or in all ("*"), over REST."""
        return await self._object("DELETE", "/v1/orders", query={"symbol": symbol, "side": side, "account": account})

    async def test_order(self, order: Fields) -> Json:
        """What placing the order now would give: `verdict`, cost, fees. Nothing is placed."""
        return await self._object("POST", "/v1/orders/test", body=order, is_repeatable=True)

    async def mixed_batch(self, requests: Iterable[Fields]) -> list[Json]:
        """Carries out up to 500 requests in this order, with no command of others between them.

        Each is {"place": order}, {"amend": changes with an id} or {"cancel": an id}. The results, in the same order, each have
        `order` (as it stands after the whole batch) or `error`.
        """
        return await self._results("/v1/orders/mixed_batch", {"requests": list(requests)})

    async def cancel_orders(self, order_ids: Iterable[str] = (), client_order_ids: Iterable[str] = ()) -> list[Json]:
        """Cancels 1 to 500 orders by their ids, first those of `order_ids`. The results each have `order` or `error`."""
        body = {"order_ids": list(order_ids), "client_order_ids": list(client_order_ids)}
        return await self._results("/v1/orders/cancel", body)

    async def cancel_all_after(self, seconds: int) -> Json:
        """The dead-man timer of the key: cancels all orders of its account after so many seconds, unless called again.

        0 switches it off. The gateway that was asked keeps the timer in memory: it does not survive that gateway.
        """
        body = {"seconds": seconds}
        return await self._object("PUT", "/v1/orders/cancel_all_after", body=body, is_repeatable=True)

    async def _results(self, path: str, body: Json, *, is_repeatable: bool = False) -> list[Json]:
        reply = await self._object("POST", path, body=body, is_repeatable=is_repeatable)
        results: list[Json] = reply["results"]
        return results


def has_id(order: Fields) -> bool:
    """Whether an order may be sent again: the venue places it once, because it has a `client_order_id`."""
    return order.get("client_order_id") is not None
