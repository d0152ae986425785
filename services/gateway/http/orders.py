"""Orders and fills over HTTP. Placing is a hot route: served at the door, without FastAPI in between."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse

from matching_engine.records import Phase
from services.decimals import yuan_text
from services.gateway.http.caller import AccountQuery, Caller, one_account, visible_account
from services.gateway.http.doorway import BATCH_PATH, DirectRoute
from services.gateway.http.metrics import GatewayMetrics
from services.gateway.order_entry.history import OrderHistory, cursor_id, cursor_text
from services.gateway.order_entry.order_body import decode_batch, decode_order
from services.gateway.order_entry.order_command import listed
from services.gateway.order_entry.order_entry import OrderEntry, Outcome
from services.gateway.problems import ProblemError, field_problem
from services.gateway.replies.execution_report import date_text, mass_canceled_json, order_json, time_text
from services.gateway.schemas import AmendRequest, FillsPage, MassCanceled, Order, OrdersPage, SideName
from services.venue_state.keys import ApiKey
from services.venue_state.orders import SIDE_NAMES, VenueOrder
from services.venue_state.state import VenueState

ORDERS_PATH = "/v1/orders"

Limit = Annotated[int, Query(ge=1, le=500)]
ClientOrderIdQuery = Annotated[str, Query(pattern="^[!-~]{1,36}$")]
Cursor = Annotated[str | None, Query(description="`next_cursor` of the page before")]

_encode = msgspec.json.Encoder().encode


def direct_routes(
    state: VenueState, order_entry: OrderEntry, metrics: GatewayMetrics
) -> dict[tuple[str, str], DirectRoute]:
    """POST of one order and of a batch. `openapi.py` describes them from the same models."""

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


def routes(state: VenueState, order_entry: OrderEntry, history: OrderHistory) -> APIRouter:
    """Everything about orders that may take FastAPI's time."""
    router = APIRouter(tags=["orders"])

    @router.get(ORDERS_PATH, response_model=OrdersPage, summary="Orders, newest first")
    async def list_orders(
        key: Caller,
        state_is: Annotated[Literal["open", "closed", "all"], Query(alias="state")] = "all",
        symbol: str | None = None,
        client_order_id: str | None = None,
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

    @router.get(f"{ORDERS_PATH}/{{order_id}}", response_model=Order, summary="One order")
    async def read_order(key: Caller, order_id: str) -> JSONResponse:
        account = visible_account(key, None)
        order = await history.order(_order_id(order_id))
        if order is None or account not in (None, order.account):
            raise unknown_order()
        return JSONResponse(order_json(order, state.instruments))

    @router.delete(f"{ORDERS_PATH}/{{order_id}}", response_model=Order, summary="Cancel an order")
    async def cancel_order(key: Caller, order_id: str) -> JSONResponse:
        order = await order_entry.cancel(key, order_id=_order_id(order_id))
        return JSONResponse(order_json(order, state.instruments))

    @router.delete(
        ORDERS_PATH,
        response_model=Order | MassCanceled,
        summary="Cancel an order by its client_order_id, or many by symbol",
    )
    async def cancel_by_client_order_id_or_symbol(
        key: Caller,
        client_order_id: ClientOrderIdQuery | None = None,
        symbol: Annotated[str | None, Query(description="of a mass cancel; `*`: every instrument")] = None,
        side: SideName | None = None,
        account: AccountQuery = None,
    ) -> JSONResponse:
        if client_order_id is not None:
            if symbol is not None or side is not None or account is not None:
                raise field_problem(
                    "validation_failed", "client_order_id", "names one order: nothing else goes with it"
                )
            order = await order_entry.cancel(key, client_order_id=client_order_id)
            return JSONResponse(order_json(order, state.instruments))
        if symbol is None:
            raise field_problem(
                "validation_failed", "symbol", "name an order's client_order_id, or a symbol (*: all of them)"
            )
        event = await order_entry.mass_cancel(key, symbol, side, account)
        return JSONResponse(mass_canceled_json(event, state.instruments))

    @router.patch(f"{ORDERS_PATH}/{{order_id}}", response_model=Order, summary="Amend an order")
    async def amend_order(key: Caller, order_id: str, body: AmendRequest) -> JSONResponse:
        order = await order_entry.amend(key, body, order_id=_order_id(order_id))
        return JSONResponse(order_json(order, state.instruments))

    @router.patch(ORDERS_PATH, response_model=Order, summary="Amend an order by its client_order_id")
    async def amend_by_client_order_id(
        key: Caller, client_order_id: ClientOrderIdQuery, body: AmendRequest
    ) -> JSONResponse:
        order = await order_entry.amend(key, body, client_order_id=client_order_id)
        return JSONResponse(order_json(order, state.instruments))

    @router.get("/v1/fills", response_model=FillsPage, summary="Fills of an account, newest first")
    async def list_fills(
        key: Caller,
        symbol: str | None = None,
        account: AccountQuery = None,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> JSONResponse:
        number = one_account(key, account)
        found = await history.fills(
            number, instrument=instrument_number(state, symbol), before_id=cursor_id(cursor), limit=limit
        )
        page = [fill_json(trade, number, state) for trade in found]
        return JSONResponse({"fills": page, "next_cursor": _next([trade["trade_id"] for trade in found], limit)})

    return router


def unknown_order() -> ProblemError:
    """There is none, or it is another account's: which of the two is nobody's business."""
    return ProblemError(404, "unknown_order", "There is no such order.")


def instrument_number(state: VenueState, symbol: str | None) -> int | None:
    """The number behind a symbol in a query; a 422 problem where it is not listed."""
    return None if symbol is None else listed(state, symbol).number


def fill_json(trade: Mapping[Any, Any], account: int, state: VenueState) -> dict[str, Any]:
    """`schemas.Fill` of a row of the read database's trades: the side that is the account's."""
    role = "taker" if trade["taker_account"] == account else "maker"
    instrument = state.instruments[trade["instrument"]]
    side = trade["taker_side"] if role == "taker" else 1 - trade["taker_side"]
    return {
        "trade_id": str(trade["trade_id"]),
        "order_id": str(trade[f"{role}_order_id"]),
        "client_order_id": trade[f"{role}_client_order_id"] or None,
        "symbol": instrument.symbol,
        "side": SIDE_NAMES[side],
        "liquidity": "auction" if trade["phase"] == Phase.CALL_AUCTION else role,
        "price": instrument.price_text(trade["price_ticks"]),
        "quantity": trade["quantity_lots"],
        "amount": yuan_text(trade["amount_fen"]),
        "fee": yuan_text(trade[f"{role}_fee_fen"]),
        "trading_date": date_text(trade["trading_date"]),
        "time": time_text(trade["time_ns"]),
        "seq": trade["seq"],
        "busted": trade["busted_seq"] is not None,
    }


def _order_id(text: str) -> int:
    order_id = int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0
    if not order_id:
        raise unknown_order()
    return order_id


def _next(ids: list[int], limit: int) -> str | None:
    return cursor_text(ids[-1]) if len(ids) == limit else None
