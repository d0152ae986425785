"""Orders and fills over HTTP. direct_orders.py has the hot routes, which the access middleware serves without FastAPI."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from pydantic import WithJsonSchema
from starlette.routing import Match
from starlette.types import Scope

from services.data.instruments import SYMBOL_OR_ALL, Symbol
from services.gateway import order_schemas, schemas
from services.gateway.cursors import EndQuery, OrderQuery, StartQuery, page_of, span_of
from services.gateway.http.caller import AccountQuery, Caller, needs, one_account, visible_account
from services.gateway.http.direct_orders import TEST_PATH
from services.gateway.ids import ORDER_IDS
from services.gateway.limits.rate_class import (
    BATCH_PATH,
    CANCEL_ALL_AFTER_PATH,
    CANCEL_PATH,
    MIXED_BATCH_PATH,
    ORDERS_PATH,
)
from services.gateway.order_entry.history import OrderHistory
from services.gateway.order_entry.order_command import instrument_of
from services.gateway.order_entry.order_entry import OrderEntry
from services.gateway.problems import field_problem
from services.gateway.replies.execution_report import mass_canceled_json, order_json
from services.gateway.replies.fills import past_fill_json
from services.values.cursors import Cursors
from services.values.page_parameters import Cursor, Limit
from services.values.times import time_text
from services.venue_state.state import VenueState

ORDER_PATH = "/v1/orders/{order_id}"

_TAGS: list[Any] = ["orders"]
_ORDERS, _FILLS = Cursors("orders"), Cursors("fills")

_SymbolOrAll = Annotated[str, WithJsonSchema({"type": "string", "pattern": SYMBOL_OR_ALL})]
SymbolQuery = Annotated[Symbol | None, Query(description="Only this instrument.")]


def routes(
    state: VenueState, order_entry: OrderEntry, history: OrderHistory, clock: Callable[[], int]
) -> tuple[APIRouter, ...]:
    """/v1/orders and /v1/fills: a router for each scope. A router around them would cost every request 10 µs of matching."""
    return (
        _placing(),
        _cancel_list(),
        _dead_man(order_entry, clock),
        _queries(state, history),
        _amends(state, order_entry),
        _cancels(state, order_entry),
    )


class _OnlyRouteOfItsPath(APIRoute):
    """Takes its path from every later route that would match it too: any other method is answered 405."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """FULL where the path matches, whatever the method."""
        match, child_scope = super().matches(scope)
        return (Match.FULL if match is Match.PARTIAL else match), child_scope


def _placing() -> APIRouter:
    """The routes of `direct_routes` for /openapi.json and for the 405 of their paths. The access middleware answers."""
    router = APIRouter(tags=_TAGS, dependencies=[needs("trade")])

    @router.post(
        ORDERS_PATH,
        operation_id="place_an_order",
        summary="Place an order",
        status_code=201,
        response_model=order_schemas.Order,
        response_description="The order after the engine has processed it: accepted, or in state `rejected` with a reason.",
        responses={
            200: {
                "model": order_schemas.Order,
                "description": "A repeat of an earlier request with the same client_order_id and body: the order as it stands.",
            }
        },
    )
    async def place_order(body: order_schemas.OrderRequest) -> None:
        raise NotImplementedError("the access middleware answers this route")

    async def place_batch(body: order_schemas.BatchRequest) -> None:
        raise NotImplementedError("the access middleware answers this route")

    async def mixed_batch(body: order_schemas.MixedBatchRequest) -> None:
        raise NotImplementedError("the access middleware answers this route")

    async def test_order(body: order_schemas.OrderRequest) -> None:
        raise NotImplementedError("the access middleware answers this route")

    router.add_api_route(
        BATCH_PATH,
        place_batch,
        methods=["POST"],
        route_class_override=_OnlyRouteOfItsPath,
        operation_id="place_up_to_100_orders_in_this_order",
        summary="Place up to 100 orders, in the order of the list",
        response_model=order_schemas.BatchReply,
        response_description="One result for each order, in the order of the request.",
    )
    router.add_api_route(
        MIXED_BATCH_PATH,
        mixed_batch,
        methods=["POST"],
        route_class_override=_OnlyRouteOfItsPath,
        operation_id="place_amend_and_cancel_up_to_500_orders",
        summary="Place, amend and cancel up to 500 orders, in the order of the list",
        response_model=order_schemas.BatchReply,
        response_description="One result for each request, in their order.",
    )
    router.add_api_route(
        TEST_PATH,
        test_order,
        methods=["POST"],
        route_class_override=_OnlyRouteOfItsPath,
        operation_id="test_an_order",
        summary="Test an order: all checks and its cost; nothing is placed",
        response_model=order_schemas.OrderTested,
        response_description="What placing it would give at this moment.",
    )
    return router


def _dead_man(order_entry: OrderEntry, clock: Callable[[], int]) -> APIRouter:
    router = APIRouter(tags=_TAGS, dependencies=[needs("trade")])

    async def cancel_all_after(key: Caller, body: order_schemas.CancelAllAfterRequest) -> order_schemas.CancelAllAfter:
        order_entry.cancel_all.arm(key, body.seconds)
        cancels_at = time_text(clock() + body.seconds * 1_000_000_000) if body.seconds else None
        return order_schemas.CancelAllAfter(seconds=body.seconds, cancels_at=cancels_at)

    router.add_api_route(
        CANCEL_ALL_AFTER_PATH,
        cancel_all_after,
        methods=["PUT"],
        route_class_override=_OnlyRouteOfItsPath,
        summary="Cancel all orders of the account after some seconds, unless it is called again before",
    )
    return router


def _queries(state: VenueState, history: OrderHistory) -> APIRouter:
    router = APIRouter(tags=_TAGS, dependencies=[needs("read")])

    @router.get(ORDERS_PATH, response_model=order_schemas.OrdersPage, summary="List orders")
    async def list_orders(
        key: Caller,
        state_is: Annotated[
            Literal["open", "closed", "all"], Query(alias="state", description="Only open or only closed orders.")
        ] = "all",
        symbol: SymbolQuery = None,
        client_order_id: Annotated[
            schemas.ClientOrderId | None, Query(description="Only orders with this client_order_id.")
        ] = None,
        account: AccountQuery = None,
        start: StartQuery = None,
        end: EndQuery = None,
        order: OrderQuery = "newest",
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> JSONResponse:
        found = await history.orders(
            visible_account(key, account),
            is_open=None if state_is == "all" else state_is == "open",
            instrument=instrument_number(state, symbol),
            client_order_id=client_order_id,
            placed=span_of(start, end),
            page=page_of(limit, cursor, order, _ORDERS),
        )
        page = [order_json(order, state.instruments) for order in found]
        return JSONResponse({"orders": page, "next_cursor": _next(_ORDERS, [order.order_id for order in found], limit)})

    @router.get(ORDER_PATH, response_model=order_schemas.Order, summary="Read one order")
    async def read_order(key: Caller, order_id: schemas.IdText) -> JSONResponse:
        account = visible_account(key, None)
        order = await history.order(ORDER_IDS.number(order_id))
        if order is None or account not in (None, order.account):
            raise ORDER_IDS.unknown()
        return JSONResponse(order_json(order, state.instruments))

    @router.get("/v1/fills", response_model=order_schemas.FillsPage, summary="List the fills of one account")
    async def list_fills(
        key: Caller,
        symbol: SymbolQuery = None,
        order_id: Annotated[schemas.IdText | None, Query(description="Only fills of this order.")] = None,
        account: AccountQuery = None,
        start: StartQuery = None,
        end: EndQuery = None,
        order: OrderQuery = "newest",
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> JSONResponse:
        number = one_account(key, account)
        found = await history.fills(
            number,
            instrument=instrument_number(state, symbol),
            order_id=None if order_id is None else await _own_order(history, order_id, number),
            traded=span_of(start, end),
            page=page_of(limit, cursor, order, _FILLS),
        )
        page = [past_fill_json(trade, number, state) for trade in found]
        return JSONResponse(
            {"fills": page, "next_cursor": _next(_FILLS, [trade["trade_id"] for trade in found], limit)}
        )

    return router


def _cancel_list() -> APIRouter:
    """The route of a list of cancels, for /openapi.json and for the 405 of its path. The access middleware answers it."""
    router = APIRouter(tags=_TAGS, dependencies=[needs("trade", "operate")])

    async def cancel_orders(body: order_schemas.CancelOrdersRequest) -> None:
        raise NotImplementedError("the access middleware answers this route")

    router.add_api_route(
        CANCEL_PATH,
        cancel_orders,
        methods=["POST"],
        route_class_override=_OnlyRouteOfItsPath,
        operation_id="cancel_up_to_500_orders",
        summary="Cancel up to 500 orders by their ids",
        response_model=order_schemas.BatchReply,
        response_description="One result for each id, those of `order_ids` first.",
    )
    return router


def _cancels(state: VenueState, order_entry: OrderEntry) -> APIRouter:
    """Order entry decides which of the two scopes a cancel needs: it knows the account."""
    router = APIRouter(tags=_TAGS, dependencies=[needs("trade", "operate")])

    @router.delete(ORDER_PATH, response_model=order_schemas.Order, summary="Cancel an order")
    async def cancel_order(key: Caller, order_id: schemas.IdText) -> JSONResponse:
        order = await order_entry.cancel(key, order_id=ORDER_IDS.number(order_id))
        return JSONResponse(order_json(order, state.instruments))

    @router.delete(
        ORDERS_PATH,
        response_model=order_schemas.Order | order_schemas.MassCanceled,
        summary="Cancel one order by its client_order_id, or every order of an instrument (mass cancel)",
    )
    async def cancel_by_client_order_id_or_symbol(
        key: Caller,
        client_order_id: Annotated[
            schemas.ClientOrderId | None, Query(description="Cancels this order. No other parameter may accompany it.")
        ] = None,
        symbol: Annotated[
            _SymbolOrAll | None,
            Query(description="Mass cancel: the instrument, or `*` for every instrument. Has no default."),
        ] = None,
        side: Annotated[
            schemas.SideName | None, Query(description="Mass cancel: only this side. Absent: both.")
        ] = None,
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

    @router.patch(ORDER_PATH, response_model=order_schemas.Order, summary="Amend an order")
    async def amend_order(key: Caller, order_id: schemas.IdText, body: order_schemas.AmendRequest) -> JSONResponse:
        order = await order_entry.amend(key, body, order_id=ORDER_IDS.number(order_id))
        return JSONResponse(order_json(order, state.instruments))

    @router.patch(ORDERS_PATH, response_model=order_schemas.Order, summary="Amend an order by its client_order_id")
    async def amend_by_client_order_id(
        key: Caller,
        client_order_id: Annotated[
            schemas.ClientOrderId, Query(description="The client_order_id of the order to amend.")
        ],
        body: order_schemas.AmendRequest,
    ) -> JSONResponse:
        order = await order_entry.amend(key, body, client_order_id=client_order_id)
        return JSONResponse(order_json(order, state.instruments))

    return router


def instrument_number(state: VenueState, symbol: str | None) -> int | None:
    """The number of the instrument that a query names, or None; raises a 422 problem for a symbol that is not listed."""
    return None if symbol is None else instrument_of(state, symbol).number


async def _own_order(history: OrderHistory, order_id: str, account: int) -> int:
    """The id of an order of this account; raises a 404 problem for any other."""
    order = await history.order(ORDER_IDS.number(order_id))
    if order is None or order.account != account:
        raise ORDER_IDS.unknown()
    return order.order_id


def _next(cursors: Cursors, ids: list[int], limit: int) -> str | None:
    return cursors.text(ids[-1]) if len(ids) == limit else None
