"""Reads the venue's records before and after a replay: orders, fills, balances, the turnover report."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, NamedTuple

from rex_client import RexClient

from load_tests.flows.flow_message import Flow, FlowError
from load_tests.replay.verdict import AccountRecord, TurnoverMove, fen

PAGE = 500

Json = dict[str, Any]


class TurnoverAt(NamedTuple):
    """The report's net turnover, and the sequence number at which it is exact."""

    year: int
    seq: int
    net_fen: int


async def check_no_others(operator: RexClient, flow: Flow) -> None:
    """Raises FlowError if the book of an instrument of the flow holds orders: they would trade with the flow, and the verdict,
    which accounts for every trade, could not be green. The venue of `rex demo` holds many."""
    needed = {message.symbol for message in flow.messages}
    quoted = [entry["symbol"] for entry in await operator.tickers() if entry["best_bid"] or entry["best_ask"]]
    others = sorted(needed.intersection(quoted))
    if others:
        where = others[0] if len(others) == 1 else f"{len(others)} of its instruments, such as {others[0]}"
        raise FlowError(
            flow.name,
            f"there are orders in {where} that would trade with the flow, and no verdict could be given; replay it through a "
            "venue without traders, such as one of `rex serve --new`",
        )


async def read_turnover(operator: RexClient) -> TurnoverAt:
    """The net turnover of the current trading year, with all trades up to now."""
    venue = await operator.venue()
    report = await operator.turnover(int(venue["trading_date"][:4]), at_least_seq=venue["seq"])
    return TurnoverAt(report["year"], report["seq"], fen(report["net"]))


async def turnover_move(operator: RexClient, before: TurnoverAt, after: TurnoverAt) -> TurnoverMove:
    """The change of the report's net turnover, and the report's sum over the range of sequence numbers between."""
    between = await operator.turnover_of_range(before.year, after_seq=before.seq, to_seq=after.seq)
    return TurnoverMove(before.seq, after.seq, before.net_fen, after.net_fen, fen(between["net"]), between["trades"])


async def read_back(client: RexClient, record: AccountRecord) -> None:
    """Reads the account's orders, fills and balances into `record`.

    It reads open and closed orders apart: an order in both lists, or in neither, does not have exactly one state.
    """
    for state in ("open", "closed"):
        record.orders += [order async for order in _pages("orders", _orders(client, state))]
    record.fills = [fill async for fill in _pages("fills", _fills(client))]
    record.after = await client.account()


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
