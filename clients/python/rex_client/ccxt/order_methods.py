"""Placing, changing and canceling orders by ccxt's names."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import uuid4

from rex_client.ccxt import account_structures as structures
from rex_client.ccxt.errors import BadRequest, InvalidOrder, ccxt_errors, error_of_rejection
from rex_client.ccxt.market import Market, Number, plain
from rex_client.ccxt.markets import Markets
from rex_client.ccxt.params import Json, Params, known

ORDER_TYPES = {"limit": "limit", "market": "market"}
TRIGGERED_TYPES = {"limit": "stop_limit", "market": "stop"}


class OrderMethods(Markets):
    """Orders of the key's account. They go over the WebSocket once `client.connect()` was called, otherwise over REST."""

    async def create_order(
        self,
        symbol: str,
        type: str,
        side: str,
        amount: Number,
        price: Number | None = None,
        params: Params | None = None,
    ) -> Json:
        """Places an order and returns it as it stands. An order that the engine declines is raised: InsufficientFunds,
        MarketClosed, InvalidOrder …, with the order as `info`.

        `params`: `clientOrderId` (one is made up otherwise; `info["clientOrderId"]` of a RequestTimeout has it), `timeInForce`
        (GTC, IOC, FOK, GTD, DAY, PO; REX's default is DAY), `postOnly`, `triggerPrice`; anything else goes into the request by
        REX's name, `display_quantity` for example.
        """
        market = await self._market(symbol)
        body = order_body(market, type, side, amount, price, params)
        with ccxt_errors(clientOrderId=body["client_order_id"]):
            told = await self.client.place_order(body)
        if told["state"] == "rejected":
            raise error_of_rejection(told)
        return structures.order(market, told)

    async def create_orders(self, orders: Iterable[Json], params: Params | None = None) -> list[Json]:
        """Places up to 500 orders in this order, with none of others between them. Each has symbol, type, side, amount, and may
        have price and params.

        Raises nothing for a single order: one that was refused has the status `rejected`, and `info` says why. A RequestTimeout
        tells the ids of all in `info["clientOrderIds"]`.
        """
        known(params)
        asked = [(await self._market(order["symbol"]), order) for order in orders]
        requests = [
            {
                "place": order_body(
                    market, each["type"], each["side"], each["amount"], each.get("price"), each.get("params")
                )
            }
            for market, each in asked
        ]
        with ccxt_errors(clientOrderIds=[request["place"]["client_order_id"] for request in requests]):
            results = await self.client.mixed_batch(requests)
        return [
            structures.order(market, result["order"])
            if result["order"] is not None
            else structures.unknown_order(result["error"], status="rejected", symbol=market.symbol)
            for (market, _), result in zip(asked, results, strict=True)
        ]

    async def edit_order(
        self,
        id: str,
        symbol: str,
        type: str | None = None,
        side: str | None = None,
        amount: Number | None = None,
        price: Number | None = None,
        params: Params | None = None,
    ) -> Json:
        """Changes amount (the new total), price and, in `params`, triggerPrice; the order keeps its id. None: unchanged.

        Symbol, type and side cannot change: other ones than the order's are a BadRequest.
        """
        market, given = await self._market(symbol), known(params, "triggerPrice", "stopPrice", "display_quantity")
        with ccxt_errors():
            told = await self.client.order(id)
        before = structures.order(self._market_of_id(told["symbol"]), told)
        for name, wanted in (("symbol", symbol), ("type", type), ("side", side)):
            if wanted not in (None, before[name]):
                raise BadRequest(f"{name}: the order's is {before[name]}, and cannot change")
        trigger = given.pop("triggerPrice", given.pop("stopPrice", None))
        changes: Params = {
            "price": None if price is None else plain(price, "price"),
            "quantity": None if amount is None else market.lots(amount),
            "stop_price": None if trigger is None else plain(trigger, "triggerPrice"),
        }
        with ccxt_errors():
            return structures.order(market, await self.client.amend_order(order_id=id, **changes, **given))

    async def cancel_order(self, id: str | None, symbol: str | None = None, params: Params | None = None) -> Json:
        """Cancels the order with this id, or with the `clientOrderId` of `params`. OrderNotFound: it had ended before."""
        await self._id(symbol)
        client_order_id = known(params, "clientOrderId").get("clientOrderId")
        ids = {"order_id": id} if client_order_id is None else {"client_order_id": client_order_id}
        with ccxt_errors():
            told = await self.client.cancel_order(**ids)
        return structures.order(self._market_of_id(told["symbol"]), told)

    async def cancel_orders(
        self, ids: Iterable[str], symbol: str | None = None, params: Params | None = None
    ) -> list[Json]:
        """Cancels up to 500 orders. One that could not be canceled has no status, and `info` says why."""
        known(params)
        await self._id(symbol)
        asked = list(ids)
        with ccxt_errors():
            results = await self.client.cancel_orders(asked)
        return [
            structures.order(self._market_of_id(result["order"]["symbol"]), result["order"])
            if result["order"] is not None
            else structures.unknown_order(result["error"], id=id_)
            for id_, result in zip(asked, results, strict=True)
        ]

    async def cancel_all_orders(self, symbol: str | None = None, params: Params | None = None) -> list[Json]:
        """Cancels every open order of the account in a market, or in all. The venue tells how many: `info["canceled"]` of the
        one entry of the list."""
        side = known(params, "side").get("side")
        instrument = await self._id(symbol) or "*"
        with ccxt_errors():
            told = await self.client.mass_cancel(instrument, side)
        return [structures.unknown_order(told, symbol=symbol)]

    async def cancel_all_orders_after(self, timeout: int, params: Params | None = None) -> Json:  # noqa: ASYNC109  ccxt's name
        """Cancels every open order of the account after so many milliseconds (whole seconds), unless called again. 0: off."""
        known(params)
        if timeout % 1_000:
            raise BadRequest(f"timeout: {timeout} milliseconds are no whole seconds")
        with ccxt_errors():
            return {"info": await self.client.cancel_all_after(timeout // 1_000)}


def order_body(
    market: Market, type: str, side: str, amount: Number, price: Number | None, params: Params | None
) -> dict[str, Any]:
    """The body of `POST /v1/orders`."""
    given = dict(params or {})
    trigger = given.pop("triggerPrice", given.pop("stopPrice", None))
    order_type = (ORDER_TYPES if trigger is None else TRIGGERED_TYPES).get(type)
    if order_type is None:
        raise InvalidOrder(f"type: {type} is neither limit nor market; a stop order is one of them with a triggerPrice")
    body: dict[str, Any] = {
        "symbol": market.id,
        "side": side,
        "order_type": order_type,
        "quantity": market.lots(amount),
    }
    body["client_order_id"] = given.pop("clientOrderId", None) or uuid4().hex
    if price is not None:
        body["price"] = plain(price, "price")
    if trigger is not None:
        body["stop_price"] = plain(trigger, "triggerPrice")
    time_in_force = given.pop("timeInForce", None)
    if given.pop("postOnly", False) or time_in_force == "PO":
        body["post_only"] = True
    if time_in_force not in (None, "PO"):
        body["time_in_force"] = time_in_force.lower()
    return body | given
