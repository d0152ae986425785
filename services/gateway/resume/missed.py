"""Pages of what a client missed: fills and busts exactly, and the orders that changed, as they stand.

An order that has changed again since belongs to a later range: it comes with that one, or live.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from operator import attrgetter
from typing import Any, Literal, NamedTuple, Protocol, TypeVar

from sqlalchemy import ColumnElement, Select, or_, select, true
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from matching_engine.records import Side
from services.gateway.order_entry.history import Projected, past_order
from services.gateway.problems import ProblemError
from services.gateway.replies.execution_report import order_json
from services.gateway.replies.fills import past_bust_json, past_fill_json
from services.gateway.replies.market_json import past_trade, trade_json
from services.gateway.resume.journal_rows import PhaseChange, PhaseReader, touched_orders
from services.journal.batch import JournalBatch
from services.messaging.tail import Readable
from services.read_model.tables import orders, trades
from services.venue_state.state import EVERY_ACCOUNT, VenueState

TRADE_NUMBER_BITS = 20
"""A trade's id is seq << 20 | number: trades of a range are a range of the primary key and of the indexes by account."""
WINDOW_COMMANDS = 10_000
"""How many commands are read at a time; a row of the journal is never divided."""
PAGE_ENTRIES = 500
"""How many entries a page holds; what one command changed is never divided."""
ORDERS_A_QUERY = 500
LOOK_BACK_COMMANDS = 20_000
"""So many commands before the point are read for the state at the point: a volatility auction may have begun there."""
READS_AT_ONCE = 4
"""How many windows of all clients are read at the same time."""


class Missed(NamedTuple):
    """What changed after the page before, up to `seq`: objects of the API, in order."""

    seq: int
    orders: list[dict[str, Any]]
    fills: list[dict[str, Any]]
    busts: list[dict[str, Any]]


class MissedTrades(NamedTuple):
    """What changed of an instrument's public trades: the new ones, oldest first, and the ids of those that were taken back."""

    seq: int
    trades: list[dict[str, Any]]
    busted: list[str]


class _Entry(NamedTuple):
    seq: int
    of: Literal["order", "fill", "bust"]
    row: Mapping[Any, Any]


class _HasSeq(Protocol):
    @property
    def seq(self) -> int: ...


Numbered = TypeVar("Numbered", bound=_HasSeq)
_seq = attrgetter("seq")
_AsJson = Callable[[Mapping[Any, Any], int, VenueState], dict[str, Any]]


class MissedReader:
    """Reads what was missed. Waits for the read database and the journal, never on the event loop."""

    def __init__(self, state: VenueState, read_database: AsyncEngine, journal: Readable, projected: Projected) -> None:
        self._state = state
        self._read_database = read_database
        self._journal = journal
        self._turns = asyncio.Semaphore(READS_AT_ONCE)
        self.projected = projected
        """Waits until the read database has reached a sequence number; raises where it will not."""

    async def pages(self, account: int, after_seq: int, upto_seq: int, *, with_orders: bool) -> AsyncIterator[Missed]:
        """The pages of (after_seq, upto_seq] of an account, or EVERY_ACCOUNT; the last has the seq `upto_seq`.

        Raises a 503 problem where read database or journal are away or behind.
        """
        while after_seq < upto_seq:
            async with self._turns:
                end_seq, order_ids = min(after_seq + WINDOW_COMMANDS, upto_seq), list[int]()
                if with_orders:
                    end_seq, order_ids = await self._touched(account, after_seq, upto_seq)
                entries = await self._entries(account, order_ids, after_seq, end_seq)
            for page, page_seq in pages_of(entries, end_seq, PAGE_ENTRIES):
                yield self._rendered(page, page_seq, account)
                await asyncio.sleep(0)  # Rendering a page takes some milliseconds.
            after_seq = end_seq

    async def trades(self, instrument: int, after_seq: int, upto_seq: int) -> AsyncIterator[MissedTrades]:
        """The pages of (after_seq, upto_seq] of an instrument's public trades; the last has the seq `upto_seq`."""
        listed = self._state.instruments[instrument]
        while after_seq < upto_seq:
            end_seq = min(after_seq + WINDOW_COMMANDS, upto_seq)
            async with self._turns:
                await self.projected(end_seq)
                async with self._read_database.connect() as connection:
                    is_of = trades.c.instrument == instrument
                    entries = await _trade_entries(connection, select(trades), is_of, after_seq, end_seq)
            for page, page_seq in pages_of(entries, end_seq, PAGE_ENTRIES):
                # A bust that came later is told on its own.
                traded = [
                    trade_json(listed, past_trade(entry.row, is_busted=False)) for entry in page if entry.of == "fill"
                ]
                busted = [str(entry.row["trade_id"]) for entry in page if entry.of == "bust"]
                yield MissedTrades(page_seq, traded, busted)
                await asyncio.sleep(0)
            after_seq = end_seq

    async def phases(self, after_seq: int, upto_seq: int, instruments: int) -> list[PhaseChange]:
        """The phases that the commands (after_seq, upto_seq] set, in order; at upto_seq there were so many instruments."""
        reader, read_seq = PhaseReader(instruments), max(0, after_seq - LOOK_BACK_COMMANDS)
        while read_seq < upto_seq:
            async with self._turns:
                end_seq, batches = await self._window(read_seq, upto_seq)
                await asyncio.to_thread(reader.read, batches, upto_seq)
            read_seq = end_seq
        return reader.changes(after_seq)

    async def _touched(self, account: int, after_seq: int, upto_seq: int) -> tuple[int, list[int]]:
        """The end of the next window, and the orders that the journal names in it."""
        end_seq, batches = await self._window(after_seq, upto_seq)
        return end_seq, await asyncio.to_thread(touched_orders, batches, account)

    async def _window(self, after_seq: int, upto_seq: int) -> tuple[int, list[JournalBatch]]:
        """The end of the next window, and the rows of the journal that hold it."""
        batches: list[JournalBatch] = []
        async for batch in self._journal.read(after_seq):
            batches.append(batch)
            end_seq = min(batch.last_seq, upto_seq)
            if end_seq == upto_seq or end_seq - after_seq >= WINDOW_COMMANDS:
                return end_seq, batches
        raise ProblemError(503, "not_ready", "This gateway's copy of the journal is behind the venue.")

    async def _entries(self, account: int, order_ids: list[int], after_seq: int, end_seq: int) -> list[_Entry]:
        """Everything that changed in the window, in order."""
        await self.projected(end_seq)
        entries: list[_Entry] = []
        async with self._read_database.connect() as connection:
            for begin in range(0, len(order_ids), ORDERS_A_QUERY):
                some = order_ids[begin : begin + ORDERS_A_QUERY]
                is_in_range = after_seq < orders.c.updated_seq, orders.c.updated_seq <= end_seq
                changed = select(orders).where(orders.c.order_id.in_(some), *is_in_range)
                found = (await connection.execute(changed)).mappings()
                entries += [_Entry(row["updated_seq"], "order", row) for row in found]
            entries += await _trade_entries(connection, _WITH_CLIENT_IDS, _is_of(account), after_seq, end_seq)
        return sorted(entries, key=_seq)

    def _rendered(self, page: Sequence[_Entry], seq: int, account: int) -> Missed:
        missed = Missed(seq, [], [], [])
        for entry in page:
            if entry.of == "order":
                missed.orders.append(order_json(past_order(entry.row, self._state), self._state.instruments))
            elif entry.of == "fill":
                # A bust that came later is told on its own.
                fills = self._as_each(past_fill_json, entry.row, account, ("taker", "maker"))
                missed.fills.extend(fill | {"busted": False} for fill in fills)
            else:
                buyer_first = ("taker", "maker") if entry.row["taker_side"] == Side.BUY else ("maker", "taker")
                missed.busts.extend(self._as_each(past_bust_json, entry.row, account, buyer_first))
        return missed

    def _as_each(
        self, as_json: _AsJson, row: Mapping[Any, Any], account: int, roles: tuple[str, str]
    ) -> Iterator[dict[str, Any]]:
        """A trade as the account sees it, or for EVERY_ACCOUNT as both do, each with its number."""
        if account != EVERY_ACCOUNT:
            yield as_json(row, account, self._state)
            return
        for role in roles:
            one = row[f"{role}_account"]
            yield as_json(row, one, self._state) | {"account": one}


_maker, _taker = orders.alias("maker"), orders.alias("taker")
_WITH_CLIENT_IDS = (
    select(
        trades,
        _maker.c.client_order_id.label("maker_client_order_id"),
        _taker.c.client_order_id.label("taker_client_order_id"),
    )
    .join(_maker, _maker.c.order_id == trades.c.maker_order_id)
    .join(_taker, _taker.c.order_id == trades.c.taker_order_id)
)


async def _trade_entries(
    connection: AsyncConnection, query: Select[Any], of: ColumnElement[bool], after_seq: int, upto_seq: int
) -> list[_Entry]:
    """The trades of (after_seq, upto_seq], as `query` shows them, and those that were busted in it, in order."""
    trade = trades.c
    first, end = (after_seq + 1) << TRADE_NUMBER_BITS, (upto_seq + 1) << TRADE_NUMBER_BITS
    traded = query.where(first <= trade.trade_id, trade.trade_id < end, of).order_by(trade.trade_id)
    is_in_range = after_seq < trade.busted_seq, trade.busted_seq <= upto_seq
    busted = select(trades).where(*is_in_range, of).order_by(trade.busted_seq, trade.trade_id)
    entries = [_Entry(row["seq"], "fill", row) for row in (await connection.execute(traded)).mappings()]
    entries += [_Entry(row["busted_seq"], "bust", row) for row in (await connection.execute(busted)).mappings()]
    return sorted(entries, key=_seq)


def _is_of(account: int) -> ColumnElement[bool]:
    if account == EVERY_ACCOUNT:
        return true()
    return or_(trades.c.taker_account == account, trades.c.maker_account == account)


def pages_of(entries: Sequence[Numbered], end_seq: int, most: int) -> Iterator[tuple[Sequence[Numbered], int]]:
    """Pages of about `most` entries, each with the seq up to which it is complete; the last with `end_seq`, also if empty."""
    begin = 0
    for end in range(1, len(entries)):
        if end - begin >= most and entries[end].seq != entries[end - 1].seq:
            yield entries[begin:end], entries[end - 1].seq
            begin = end
    yield entries[begin:], end_seq
