"""Candles of an instrument over HTTP."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse
from pydantic import Field
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.data.instruments import Symbol
from services.gateway.cursors import EndQuery, StartQuery, span_of
from services.gateway.http.caller import needs
from services.gateway.http.venue import known_instrument
from services.gateway.order_entry.history import Past
from services.gateway.schemas import Reply
from services.read_model.candle_reading import DAY, INTERVALS_S, Places, StoredCandle, read_candles
from services.read_model.flat_candles import read_flat_candles
from services.read_model.spans import Span
from services.read_model.tables import position, trading_days
from services.values.cursors import LAST_ID, Cursors, InvalidCursor
from services.values.decimals import yuan_text
from services.values.page_parameters import Cursor
from services.values.times import date_text, time_text
from services.venue_state.instruments import VenueInstrument
from services.venue_state.state import VenueState

_S = 10**9
_AFTER_ALL_DAYS = 99_999_999

Limit = Annotated[int, Query(ge=1, le=1_000, description="Number of candles.")]


IntervalName = Literal["1m", "5m", "15m", "1h", "1d"]


class Candle(Reply):
    """The trades of an interval, without busted ones. Prices are in yuan per unit."""

    start: str = Field(description="Beginning of the interval. Of `1d`: when the trading day began.")
    trading_date: str | None = Field(description="Of `1d`: the trading day (Asia/Shanghai). Null for other intervals.")
    open: str
    high: str
    low: str
    close: str
    quantity: int = Field(description="Lots traded. 0: a flat candle, at the close of the one before.")
    amount: str = Field(description="Yuan traded, single-sided.")
    trades: int
    closed: bool = Field(description="Whether the interval has ended. A bust may change a candle of the day even then.")


class CandlesPage(Reply):
    """Candles of one instrument, oldest first."""

    symbol: str
    interval: IntervalName
    seq: int = Field(description="The candles are exact as of this journal sequence number.")
    candles: list[Candle]
    next_cursor: str | None = Field(
        description="Opaque; pass it as `cursor`, and all else as before, for the next page: later candles with `start`, "
        "earlier ones without. Null: this is the last."
    )


def routes(state: VenueState, past: Past) -> APIRouter:
    """/v1/market/{symbol}/candles"""
    router = APIRouter(prefix="/v1/market", tags=["market data"], dependencies=[needs("read")])

    @router.get("/{symbol}/candles", response_model=CandlesPage, summary="Read candles, oldest first")
    async def list_candles(
        symbol: Symbol,
        interval: Annotated[
            IntervalName, Query(description="`1d` is a trading day, the others are of the clock.")
        ] = "1m",
        start: StartQuery = None,
        end: EndQuery = None,
        gaps: Annotated[
            Literal["skip", "flat"],
            Query(description="An interval without a trade: no candle, or a flat one at the close of the one before."),
        ] = "skip",
        limit: Limit = 200,
        cursor: Cursor = None,
    ) -> JSONResponse:
        instrument, span, forward = known_instrument(state, symbol), span_of(start, end), start is not None
        at = None if cursor is None else _place_of(cursor, interval)
        read = read_flat_candles if gaps == "flat" else read_candles
        async with past.connection() as connection:
            places = _beyond(await _places(connection, interval, span), at, forward)
            page = await read(connection, instrument.number, interval, places, limit, forward=forward)
            described = await _described(connection, instrument, interval, page.candles)
        next_place = None
        if page.candles and not page.is_last:
            last = page.candles[-1].place + INTERVALS_S.get(interval, 1)
            next_place = _cursors(interval).text(last if forward else page.candles[0].place)
        return JSONResponse({"symbol": symbol, "interval": interval, **described, "next_cursor": next_place})

    return router


def _cursors(interval: str) -> Cursors:
    return Cursors(f"candles {interval}")


def _place_of(cursor: str, interval: str) -> int:
    """The place in a cursor; raises a 422 problem for one that no candle can have: a database could not compare with it."""
    place = _cursors(interval).id_of(cursor)
    if place > (_AFTER_ALL_DAYS if interval == DAY else LAST_ID // _S):
        raise InvalidCursor
    return place


async def _places(connection: AsyncConnection, interval: str, span: Span) -> Places:
    """The candles that begin within the span."""
    if interval == DAY:
        return Places(*[await _first_day_from(connection, time_ns) for time_ns in span])
    length_ns = INTERVALS_S[interval] * _S
    return Places(*(None if time_ns is None else -(-time_ns // length_ns) * length_ns // _S for time_ns in span))


async def _first_day_from(connection: AsyncConnection, time_ns: int | None) -> int | None:
    if time_ns is None:
        return None
    first = select(func.min(trading_days.c.trading_date)).where(trading_days.c.began_ns >= time_ns)
    return await connection.scalar(first) or _AFTER_ALL_DAYS


def _beyond(places: Places, at: int | None, forward: bool) -> Places:
    """The rest of the places, from a cursor on."""
    if at is None:
        return places
    if forward:
        return places._replace(since=max(at, places.since or 0))
    return places._replace(before=at if places.before is None else min(at, places.before))


async def _described(
    connection: AsyncConnection, instrument: VenueInstrument, interval: str, found: list[StoredCandle]
) -> dict[str, Any]:
    """`CandlesPage` in part: the candles, and the position of the database."""
    now = (await connection.execute(select(position.c.seq, position.c.time_ns, position.c.trading_date))).one()
    if interval == DAY:
        days = trading_days.c
        query = select(days.trading_date, days.began_ns).where(days.trading_date.in_([one.place for one in found]))
        began_ns: dict[int, int] = dict(iter(await connection.execute(query)))
        told = [
            _candle_json(
                instrument, one, began_ns.get(one.place, 0), date_text(one.place), one.place < now.trading_date
            )
            for one in found
        ]
    else:
        length_s = INTERVALS_S[interval]
        told = [
            _candle_json(instrument, one, one.place * _S, None, (one.place + length_s) * _S <= now.time_ns)
            for one in found
        ]
    return {"seq": now.seq, "candles": told}


def _candle_json(
    instrument: VenueInstrument, candle: StoredCandle, start_ns: int, trading_date: str | None, closed: bool
) -> dict[str, Any]:
    """`Candle` as a dict."""
    return {
        "start": time_text(start_ns),
        "trading_date": trading_date,
        "open": instrument.price_text(candle.open_ticks),
        "high": instrument.price_text(candle.high_ticks),
        "low": instrument.price_text(candle.low_ticks),
        "close": instrument.price_text(candle.close_ticks),
        "quantity": candle.quantity_lots,
        "amount": yuan_text(candle.amount_fen),
        "trades": candle.trades,
        "closed": closed,
    }
