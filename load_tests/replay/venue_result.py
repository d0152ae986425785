"""What the venue says after a replay (and before it): orders, fills, balances, the turnover report."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, NamedTuple

from load_tests.replay.verdict import AccountRecord, TurnoverMove, fen
from services.client import RexClient, RexError

PAGE = 500

Json = dict[str, Any]


class TurnoverAt(NamedTuple):
    """The report's figure, and the sequence number it is exact at."""

    year: int
    seq: int
    net_fen: int


async def read_turnover(operator: RexClient) -> TurnoverAt:
    """The net turnover of the year under way, with everything counted that has happened up to now."""
    venue = await operator.venue()
    report = await operator.turnover(int(venue["trading_date"][:4]), at_least_seq=venue["seq"])
    return TurnoverAt(report["year"], report["seq"], fen(report["net"]))


async def turnover_move(operator: RexClient, before: TurnoverAt, after: TurnoverAt) -> TurnoverMove:
    """How the report moved, with the sum over the range of sequence numbers beside it."""
    between = await operator.turnover_of_range(before.year, after_seq=before.seq, to_seq=after.seq)
    return TurnoverMove(before.seq, after.seq, before.net_fen, after.net_fen, fen(between["net"]), between["trades"])


async def read_back(client: RexClient, record: AccountRecord) -> None:
    """Fills the record with the account's orders, fills and balances.

    Open and closed orders are asked for apart: an order that is in both or in neither does not have exactly one state.
    """
    for state in ("open", "closed"):
        record.orders += [order async for order in _pages("orders", _orders(client, state))]
    record.fills = [fill async for fill in _pages("fills", _fills(client))]
    record.after = await client.account()


async def leave_nothing_open(client: RexClient, record: AccountRecord) -> None:
    """Cancels what the account still has in the books, so that the next replay meets its own orders only."""
    replies = [await client.submit_cancel(order_id=order["order_id"]) for order in record.orders if order["leaves_qty"]]
    # An order that has expired meanwhile is as good as canceled.
    for outcome in await asyncio.gather(*replies, return_exceptions=True):
        if isinstance(outcome, BaseException) and not isinstance(outcome, RexError):
            raise outcome


def _orders(client: RexClient, state: str) -> Callable[[str | None], Awaitable[Json]]:
    return lambda cursor: client.orders(state, limit=PAGE, cursor=cursor)


def _fills(client: RexClient) -> Callable[[str | None], Awaitable[Json]]:
    return lambda cursor: client.fills(limit=PAGE, cursor=cursor)


async def _pages(name: str, page: Callable[[str | None], Awaitable[Json]]) -> AsyncIterator[Mapping[str, Any]]:
    cursor: str | None = None
    while True:
        answer = await page(cursor)
        for entry in answer[name]:
            yield entry
        cursor = answer["next_cursor"]
        if cursor is None:
            return
