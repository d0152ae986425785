"""An account's ledger over HTTP, and its deposits and withdrawals.

The cursor of the ledger carries the balances at its place, so that a page costs what its lines cost.
"""

from __future__ import annotations

import base64
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse
from pydantic import Field, StringConstraints, WithJsonSchema
from sqlalchemy import select

from services.gateway.cursors import EndQuery, OrderQuery, StartQuery, page_of, span_of
from services.gateway.http.account import known_account
from services.gateway.http.caller import AccountQuery, Caller, needs, one_account
from services.gateway.order_entry.history import Past
from services.gateway.problems import field_problem
from services.gateway.schemas import NextCursor, Reply
from services.read_model.ledger import LedgerBalances, LedgerWindow, balances_at, read_lines
from services.read_model.ledger_sources import LedgerKey, SourceLine
from services.read_model.spans import seq_conditions
from services.read_model.tables import cash_movements
from services.values.cursors import Cursors, InvalidCursor
from services.values.decimals import yuan_text
from services.values.page_parameters import Cursor, Limit
from services.values.times import date_text, time_text
from services.venue_state.state import VenueState

_MOVEMENTS = Cursors("cash movements")

_LedgerCursorText = Annotated[
    str,
    StringConstraints(max_length=2_000),
    WithJsonSchema({"type": "string", "pattern": "^[A-Za-z0-9_-]+$", "maxLength": 2_000}),
]
_LedgerCursor = Annotated[
    _LedgerCursorText | None, Query(description="`next_cursor` of the previous page. Absent: the first page.")
]


CauseName = Literal[
    "reserve", "amend", "release", "trade", "fee", "bust", "deposit", "withdrawal", "receipt", "goods_out"
]


class LedgerBalance(Reply):
    """What the account has after a change: its cash, and the goods of the change's instrument."""

    cash: str = Field(description="Yuan.")
    reserved: str = Field(description="Yuan of the cash that are reserved.")
    quantity: int | None = Field(description="Lots. Null for a change of cash alone.")
    reserved_quantity: int | None = Field(
        description="Lots of these that are reserved. Null for a change of cash alone."
    )


class LedgerLine(Reply):
    """One change of an account's cash, reserves and goods. Amounts are changes: negative ones go out."""

    seq: int
    time: str
    cause: CauseName = Field(
        description="`reserve`: an order's entry. `amend`: its reserve changed. `release`: a canceled, expired or prevented "
        "quantity gave its reserve back. `fee`: earned by the venue's own account. `bust`: a trade's amounts came back."
    )
    symbol: str | None = Field(description="Null for a change of cash alone.")
    order_id: str | None
    trade_id: str | None
    cash: str = Field(description="Change in yuan, the fee included.")
    fee: str = Field(description="The fee in it, in yuan; negative where it came back.")
    reserved: str = Field(description="Change of the reserved cash in yuan.")
    quantity: int = Field(description="Change in lots.")
    reserved_quantity: int = Field(description="Change of the reserved lots.")
    balance: LedgerBalance


class LedgerPage(Reply):
    """One page of an account's ledger."""

    account: int
    lines: list[LedgerLine]
    next_cursor: NextCursor


class CashMovement(Reply):
    """A deposit or a withdrawal."""

    seq: int
    time: str
    trading_date: str = Field(description="Empty before the venue's first trading day.")
    cause: Literal["deposit", "withdrawal"]
    amount: str = Field(description="Yuan; negative: a withdrawal.")


class CashMovementsPage(Reply):
    """One page of an account's deposits and withdrawals."""

    account: int
    cash_movements: list[CashMovement]
    next_cursor: NextCursor


class _Place(msgspec.Struct, array_like=True, frozen=True):
    """Where a page ended: whose ledger, its order, the last line, and the balances there."""

    account: int
    oldest_first: bool
    key: LedgerKey
    cash_fen: int
    reserved_fen: int
    goods: dict[int, tuple[int, int]]


_decode_place = msgspec.msgpack.Decoder(_Place).decode


def routes(state: VenueState, past: Past) -> APIRouter:
    """/v1/account/ledger and /v1/account/cash_movements"""
    router = APIRouter(prefix="/v1/account", tags=["account"], dependencies=[needs("read")])

    @router.get("/ledger", response_model=LedgerPage, summary="List every change of an account's cash and goods")
    async def list_ledger(
        key: Caller,
        account: AccountQuery = None,
        start: StartQuery = None,
        end: EndQuery = None,
        order: OrderQuery = "newest",
        limit: Limit = 100,
        cursor: _LedgerCursor = None,
    ) -> JSONResponse:
        number, oldest_first = known_account(state, one_account(key, account)).account, order == "oldest"
        span = span_of(start, end)
        place = None if cursor is None else _place_of(cursor, number, oldest_first)
        window = LedgerWindow(span, None if place is None else place.key)
        async with past.connection() as connection:
            lines = await read_lines(connection, number, window, limit, oldest_first=oldest_first)
            if place is not None:
                balances = LedgerBalances(place.cash_fen, place.reserved_fen, dict(place.goods))
            elif oldest_first and span.start_ns is None:
                balances = LedgerBalances()
            else:
                balances = await balances_at(connection, number, span.start_ns if oldest_first else span.end_ns)
        told = [_line_json(line, balances, state, oldest_first) for line in lines]
        next_cursor = _cursor_of(number, oldest_first, lines[-1], balances) if len(lines) == limit else None
        return JSONResponse({"account": number, "lines": told, "next_cursor": next_cursor})

    @router.get("/cash_movements", response_model=CashMovementsPage, summary="List deposits and withdrawals")
    async def list_cash_movements(
        key: Caller,
        account: AccountQuery = None,
        start: StartQuery = None,
        end: EndQuery = None,
        order: OrderQuery = "newest",
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> JSONResponse:
        number = known_account(state, one_account(key, account)).account
        span, page, moved = span_of(start, end), page_of(limit, cursor, order, _MOVEMENTS), cash_movements.c
        async with past.connection() as connection:
            query = select(cash_movements).where(moved.account == number, *span.conditions(moved.time_ns))
            query = query.where(*page.after(moved.seq), *await seq_conditions(connection, span, moved.seq))
            found = (await connection.execute(query.order_by(page.order(moved.seq)).limit(limit))).mappings().all()
        next_cursor = _MOVEMENTS.text(found[-1]["seq"]) if len(found) == limit else None
        movements = [_movement_json(row) for row in found]
        return JSONResponse({"account": number, "cash_movements": movements, "next_cursor": next_cursor})

    return router


def _line_json(line: SourceLine, balances: LedgerBalances, state: VenueState, oldest_first: bool) -> dict[str, Any]:
    """`LedgerLine` as a dict. Moves the balances past the line, in the order of reading."""
    if oldest_first:
        balances.apply(line)
    held = (None, None) if line.instrument is None else balances.goods.get(line.instrument, (0, 0))
    balance = {
        "cash": yuan_text(balances.cash_fen),
        "reserved": yuan_text(balances.reserved_fen),
        "quantity": held[0],
        "reserved_quantity": held[1],
    }
    if not oldest_first:
        balances.apply(line, -1)
    return {
        "seq": line.seq,
        "time": time_text(line.time_ns),
        "cause": line.cause,
        "symbol": None if line.instrument is None else state.instruments[line.instrument].symbol,
        "order_id": None if line.order_id is None else str(line.order_id),
        "trade_id": None if line.trade_id is None else str(line.trade_id),
        "cash": yuan_text(line.cash_fen),
        "fee": yuan_text(line.fee_fen),
        "reserved": yuan_text(line.reserved_fen),
        "quantity": line.lots,
        "reserved_quantity": line.reserved_lots,
        "balance": balance,
    }


def _movement_json(row: Any) -> dict[str, Any]:
    """`CashMovement` as a dict."""
    return {
        "seq": row["seq"],
        "time": time_text(row["time_ns"]),
        "trading_date": date_text(row["trading_date"]),
        "cause": "deposit" if row["amount_fen"] > 0 else "withdrawal",
        "amount": yuan_text(row["amount_fen"]),
    }


def _cursor_of(account: int, oldest_first: bool, line: SourceLine, balances: LedgerBalances) -> str:
    goods = {instrument: held for instrument, held in balances.goods.items() if any(held)}
    place = _Place(account, oldest_first, line.key, balances.cash_fen, balances.reserved_fen, goods)
    return base64.urlsafe_b64encode(msgspec.msgpack.encode(place)).decode().rstrip("=")


def _place_of(cursor: str, account: int, oldest_first: bool) -> _Place:
    """The place in a cursor; raises a 422 problem for a text that is no cursor of this ledger."""
    try:
        place = _decode_place(base64.b64decode(cursor + "=" * (-len(cursor) % 4), b"-_", validate=True))
    except (ValueError, msgspec.MsgspecError):
        raise InvalidCursor from None
    if (place.account, place.oldest_first) != (account, oldest_first) or not all(
        0 <= part < 2**63 for part in place.key
    ):
        raise field_problem("invalid_cursor", "cursor", "is of another account or of the other order")
    return place
