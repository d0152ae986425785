"""Defects of a venue that a resume rig must catch. A process makes one to itself before it runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from itertools import count

from sqlalchemy.ext.asyncio import AsyncConnection

from matching_engine.records import Side
from services.gateway.http import ledger
from services.gateway.resume.missed import Missed, MissedReader, MissedTrades
from services.gateway.websocket.orders_snapshot import OrdersSnapshot
from services.gateway.websocket.private_models import PrivateData
from services.gateway.websocket.private_stream import Held, PrivateStream
from services.gateway.websocket.push_messages import MarketPushes
from services.gateway.websocket.subscriber import Subscriber
from services.market_data import CHECKSUM_LEVELS, MarketChanges
from services.read_model import statements
from services.read_model.ledger import LedgerBalances, LedgerWindow, balances_at, read_lines
from services.read_model.ledger_sources import SourceLine
from services.read_model.write_batch import WriteBatch

SOME = 20
"""A defect that is not always there spoils one in so many."""
SEEN_LEVELS = CHECKSUM_LEVELS + 2
"""Of each side, where deeper ones are lost."""


def forgetful_resume() -> None:
    """Resumes a stream at its present seq, not at the client's: what was missed stays missed."""

    async def nothing(
        _reader: MissedReader, _account: int, _after_seq: int, upto_seq: int, *, with_orders: bool
    ) -> AsyncIterator[Missed]:
        yield Missed(upto_seq, [], [], [])

    MissedReader.pages = nothing  # type: ignore[assignment, method-assign]


def unheld_resume() -> None:
    """Lets live pushes pass while older ones are being read."""
    hold = PrivateStream.hold

    def hold_nothing(stream: PrivateStream, client: Subscriber) -> Held:
        held = hold(stream, client)
        stream.release(client, held)
        return held

    PrivateStream.hold = hold_nothing  # type: ignore[assignment, method-assign]
    PrivateStream.is_held = lambda _stream, _client, _held: True  # type: ignore[assignment, method-assign]


def hasty_resume() -> None:
    """Tells what was missed up to the seq of the venue when it has been read, and not when live pushes began to be held."""
    pages = MissedReader.pages

    async def too_many(
        reader: MissedReader, account: int, after_seq: int, upto_seq: int, *, with_orders: bool
    ) -> AsyncIterator[Missed]:
        await asyncio.sleep(0.05)
        upto_seq = reader._state.last_seq
        await reader.projected(upto_seq)
        async for page in pages(reader, account, after_seq, upto_seq, with_orders=with_orders):
            yield page

    MissedReader.pages = too_many  # type: ignore[assignment, method-assign]


def forgetful_trades() -> None:
    """Resumes public trades at their present seq: what was missed stays missed."""

    async def nothing(
        _reader: MissedReader, _instrument: int, _after_seq: int, upto_seq: int
    ) -> AsyncIterator[MissedTrades]:
        yield MissedTrades(upto_seq, [], [])

    MissedReader.trades = nothing  # type: ignore[assignment, method-assign]


def repeated_trades() -> None:
    """Tells public trades again that the client had before its connection was lost."""
    trades = MissedReader.trades

    async def too_many(
        reader: MissedReader, instrument: int, after_seq: int, upto_seq: int
    ) -> AsyncIterator[MissedTrades]:
        async for page in trades(reader, instrument, max(0, after_seq - SOME), upto_seq):
            yield page

    MissedReader.trades = too_many  # type: ignore[assignment, method-assign]


def shallow_depth() -> None:
    """An update of the depth says nothing of levels far beyond those that the checksum covers."""
    depth_update = MarketPushes.depth_update

    def of_the_best(pushes: MarketPushes, number: int, changes: MarketChanges) -> str:
        bids, asks = pushes._market.depth(number, SEEN_LEVELS)
        for side, price in list(changes.levels[number]):
            best, sign = (bids, 1) if side == Side.BUY else (asks, -1)
            if len(best) == SEEN_LEVELS and sign * price < sign * best[-1].price_ticks:
                del changes.levels[number][side, price]
        return depth_update(pushes, number, changes)

    MarketPushes.depth_update = of_the_best  # type: ignore[assignment, method-assign]


def lost_depth() -> None:
    """Some updates of the depth have lost their levels; their seqs follow each other as always."""
    depth_update, numbers = MarketPushes.depth_update, count(1)

    def without_some(pushes: MarketPushes, number: int, changes: MarketChanges) -> str:
        if next(numbers) % SOME == 0:
            changes.levels[number].clear()
        return depth_update(pushes, number, changes)

    MarketPushes.depth_update = without_some  # type: ignore[assignment, method-assign]


def empty_snapshot() -> None:
    """The snapshot of one's orders does not have the open ones."""
    begin = OrdersSnapshot._begin

    def without_orders(snapshot: OrdersSnapshot) -> None:
        snapshot._account = 0
        begin(snapshot)

    OrdersSnapshot._begin = without_orders  # type: ignore[assignment, method-assign]


def stale_balances() -> None:
    """Some pushes of the balances say what the push before them said; the next one is right again."""
    push, last, numbers = PrivateStream.push, dict[PrivateStream, PrivateData](), count(1)

    def push_the_last(stream: PrivateStream, seq: int, data: PrivateData) -> None:
        if stream.channel == "balances":
            data, last[stream] = (last.get(stream, data) if next(numbers) % SOME == 0 else data), data
        push(stream, seq, data)

    PrivateStream.push = push_the_last  # type: ignore[assignment, method-assign]


def lost_ledger_rows() -> None:
    """The projector loses some of the rows that say how an order's reserve changed."""
    rows, numbers = statements.reserve_rows, count(1)

    def without_some(changes: WriteBatch) -> list[tuple[int, ...]]:
        return [row for row in rows(changes) if next(numbers) % SOME]

    vars(statements)["reserve_rows"] = without_some


def skipping_cursor() -> None:
    """A page of the ledger after the first one lacks its first line."""

    async def read_too_few(
        connection: AsyncConnection, account: int, window: LedgerWindow, limit: int, *, oldest_first: bool
    ) -> list[SourceLine]:
        lines = await read_lines(connection, account, window, limit + 1, oldest_first=oldest_first)
        return lines[:limit] if window.beyond is None else lines[1:]

    vars(ledger)["read_lines"] = read_too_few


def timeless_balances() -> None:
    """A page of the ledger that begins at a time begins with the present balances."""

    async def at_present(connection: AsyncConnection, account: int, _time_ns: int | None) -> LedgerBalances:
        return await balances_at(connection, account, None)

    vars(ledger)["balances_at"] = at_present
