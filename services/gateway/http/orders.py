"""Orders and fills over HTTP. The POST of an order and of a batch are hot: the doorway serves them without FastAPI."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from starlette.routing import Match
from starlette.types import Scope

from services.gateway.http.caller import AccountQuery, Caller, needs, one_account, visible_account
from services.gateway.http.doorway import BATCH_PATH, DirectRoute
from services.gateway.http.metrics import GatewayMetrics
from services.gateway.ids import order_id_of, unknown_order
from services.gateway.order_entry.history import OrderHistory, cursor_id, cursor_text
from services.gateway.order_entry.order_body import decode_batch, decode_order
from services.gateway.order_entry.order_command import instrument_of
from services.gateway.order_entry.order_entry import OrderEntry, Outcome
from services.gateway.problems import field_problem
from services.gateway.replies.execution_report import mass_canceled_json, order_json
from services.gateway.replies.fills import past_fill_json
from services.gateway.schemas import (
    AmendRequest,
    BatchReply,
    BatchRequest,
    ClientOrderId,
    FillsPage,
    MassCanceled,
    Order,
    OrderRequest,
    OrdersPage,
    SideName,
)
from services.venue_state.keys import ApiKey
from services.venue_state.orders import VenueOrder
from services.venue_state.state import VenueState

ORDERS_PATH = "/v1/orders"
ORDER_PATH = "/v1/orders/{order_id}"

_TAGS: list[Any] = ["orders"]

Limit = Annotated[int, Query(ge=1, le=500, description="Page size.")]
SymbolQuery = Annotated[str | None, Query(description="Only this instrument.")]
Cursor = Annotated[str | None, Query(description="`next_cursor` of the previous page. Absent: the first page.")]

_encode = msgspec.json.Encoder().encode


def direct_routes(
    state: VenueState, order_entry: OrderEntry, metrics: GatewayMetrics
) -> dict[tuple[str, str], DirectRoute]:
    """The hot routes, by method and path: POST of one order and of a batch."""

    def report(order: VenueOrder) -> dict[str, Any]:
        answer = order_json(order, state.instruments)
        metrics.order(answer["state"], answer["reason"])
        return answer

    async def place_order(key: ApiKey, body: bytes) -> tuple[int, bytes]:
        key.trading_account()
        order, repeated = await order_entry.place(key, decode_order(body))
        return 200 if repeated else 201, _encode(report(order))

    def result(outcome: Outcome) -> dict[str, Any]:
        if outcome.order is None:
            return {"order": None, "error": outcome.problem.document() if outcome.problem else None}
        return {"order": report(outcome.order), "error": None}

    async def place_batch(key: ApiKey, body: bytes) -> tuple[int, bytes]:
        key.trading_account()
        outcomes = await order_entry.place_batch(key, decode_batch(body))
        return 200, _encode({"results": [result(outcome) for outcome in outcomes]})

    return {("POST", ORDERS_PATH): place_order, ("POST", BATCH_PATH): place_batch}


def routes(state: VenueState, order_entry: OrderEntry, history: OrderHistory) -> tuple[APIRouter, ...]:
    """/v1/orders and /v1/fills: a router for each scope. A router around them would cost every request 10 µs of matching."""
    return _placing(), _queries(state, history), _amends(state, order_entry), _cancels(state, order_entry)


class _OnlyRouteOfItsPath(APIRoute):
    """Takes its path from every later route that would match it too: any other method is answered 405."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """FULL where the path matches, whatever the method."""
        match, child_scope = super().matches(scope)
        return (Match.FULL if match is Match.PARTIAL else match), child_scope


def _placing() -> APIRouter:
    """The routes of `direct_routes` for /openapi.json and for the 405 of their paths. The doorway answers them, never these."""
    router = APIRouter(tags=_TAGS, dependencies=[needs("trade")])

    @router.post(
        ORDERS_PATH,
        operation_id="place_an_order",
        summary="Place an order",
        status_code=201,
        response_model=Order,
        response_description="The order after the engine has processed it: accepted, or in state `rejected` with a reason.",
        responses={
            200: {
                "model": Order,
                "description": "A repeat of an earlier request with the same client_order_id and body: the order as it stands.",
            }
        },
    )
    async def place_order(body: OrderRequest) -> None:
        raise NotImplementedError("the doorway answers this route")

    async def place_batch(body: BatchRequest) -> None:
        raise NotImplementedError("the doorway answers this route")

    router.add_api_route(
        BATCH_PATH,
        place_batch,
        methods=["POST"],
        route_class_override=_OnlyRouteOfItsPath,
        operation_id="place_up_to_100_orders_in_this_order",
        summary="Place up to 100 orders, in the order of the list",
        response_model=BatchReply,
        response_description="One result for each order, in the order of the request.",
    )
    return router


def _queries(state: VenueState, history: OrderHistory) -> APIRouter:
    router = APIRouter(tags=_TAGS, dependencies=[needs("read")])

    @router.get(ORDERS_PATH, response_model=OrdersPage, summary="List orders, newest first")
    async def list_orders(
        key: Caller,
        state_is: Annotated[
            Literal["open", "closed", "all"], Query(alias="state", description="Only open or only closed orders.")
        ] = "all",
        symbol: SymbolQuery = None,
        client_order_id: Annotated[str | None, Query(description="Only orders with this client_order_id.")] = None,
        account: AccountQuery = None,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> JSONResponse:
        found = await history.orders(
            visible_account(key, account),
            is_open=None if state_is == "all" else state_is == "open",
            instrument=instrument_number(state, symbol),
            client_order_id=client_order_id,
            before_id=cursor_id(cursor),
            limit=limit,
        )
        page = [order_json(order, state.instruments) for order in found]
        return JSONResponse({"orders": page, "next_cursor": _next([order.order_id for order in found], limit)})

    @router.get(ORDER_PATH, response_model=Order, summary="Read one order")
    async def read_order(key: Caller, order_id: str) -> JSONResponse:
        account = visible_account(key, None)
        order = await history.order(order_id_of(order_id))
        if order is None or account not in (None, order.account):
            raise unknown_order()
        return JSONResponse(order_json(order, state.instruments))

    @router.get("/v1/fills", response_model=FillsPage, summary="List the fills of one account, newest first")
    async def list_fills(
        key: Caller,
        symbol: SymbolQuery = None,
        account: AccountQuery = None,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> JSONResponse:
        number = one_account(key, account)
        found = await history.fills(
            number, instrument=instrument_number(state, symbol), before_id=cursor_id(cursor), limit=limit
        )
        page = [past_fill_json(trade, number, state) for trade in found]
        return JSONResponse({"fills": page, "next_cursor": _next([trade["trade_id"] for trade in found], limit)})

    return router


def _cancels(state: VenueState, order_entry: OrderEntry) -> APIRouter:
    """Order entry decides which of the two scopes a cancel needs: it knows the account."""
    router = APIRouter(tags=_TAGS, dependencies=[needs("trade", "operate")])

    @router.delete(ORDER_PATH, response_model=Order, summary="Cancel an order")
    async def cancel_order(key: Caller, order_id: str) -> JSONResponse:
        order = await order_entry.cancel(key, order_id=order_id_of(order_id))
        return JSONResponse(order_json(order, state.instruments))

    @router.delete(
        ORDERS_PATH,
        response_model=Order | MassCanceled,
        summary="Cancel one order by its client_order_id, or every order of an instrument (mass cancel)",
    )
    async def cancel_by_client_order_id_or_symbol(
        key: Caller,
        client_order_id: Annotated[
            ClientOrderId | None, Query(description="Cancels this order. No other parameter may accompany it.")
        ] = None,
        symbol: Annotated[
            str | None, Query(description="Mass cancel: the instrument, or `*` for every instrument. Has no default.")
        ] = None,
        side: Annotated[SideName | None, Query(description="Mass cancel: only this side. Absent: both.")] = None,
        account: AccountQuery = None,
    ) -> JSONResponse:
        if client_order_id is not None:
            if symbol is not None or side is not None or account is not None:
                message = "names one order: send no other parameter with it"
                raise field_problem("validation_failed", "client_order_id", message)
            order = await order_entry.cancel(key, client_order_id=client_order_id)
            return JSONResponse(order_json(order, state.instruments))
        if symbol is None:
            message = (
                "send client_order_id to cancel one order, or symbol to cancel many (* cancels in every instrument)"
            )
            raise field_problem("validation_failed", "symbol", message)
        event = await order_entry.mass_cancel(key, symbol, side, account)
        return JSONResponse(mass_canceled_json(event, state.instruments))

    return router


def _amends(state: VenueState, order_entry: OrderEntry) -> APIRouter:
    router = APIRouter(tags=_TAGS, dependencies=[needs("trade")])

    @router.patch(ORDER_PATH, response_model=Order, summary="Amend an order")
    async def amend_order(key: Caller, order_id: str, body: AmendRequest) -> JSONResponse:
        order = await order_entry.amend(key, body, order_id=order_id_of(order_id))
        return JSONResponse(order_json(order, state.instruments))

    @router.patch(ORDERS_PATH, response_model=Order, summary="Amend an order by its client_order_id")
    async def amend_by_client_order_id(
        key: Caller,
        client_order_id: Annotated[ClientOrderId, Query(description="The client_order_id of the order to amend.")],
        body: AmendRequest,
    ) -> JSONResponse:
        order = await order_entry.amend(key, body, client_order_id=client_order_id)
        return JSONResponse(order_json(order, state.instruments))

    return router


def instrument_number(state: VenueState, symbol: str | None) -> int | None:
    """The number of the instrument that a query names, or None; raises a 422 problem for a symbol that is not listed."""
    return None if symbol is None else instrument_of(state, symbol).number


def _next(ids: list[int], limit: int) -> str | None:
    return cursor_text(ids[-1]) if len(ids) == limit else None
