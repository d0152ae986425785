"""Reads trading days from the journal, each with what stands when it begins.

Orders of earlier days may rest in the books, so the beginning of a day follows from all rows before it. They are read once:
what each day begins with is remembered, 40 bytes for each price level that stands overnight.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any

import numpy as np

from matching_engine.records import COMMAND, EVENT, EventKind
from services.journal.batch import JournalBatch
from services.market_statistics.contracts import DAY_EVENT, KINDS, Events, MarketDay, Opening
from services.market_statistics.opening import Openings
from services.messaging.tail import Readable

MOST_EVENTS = 4_000_000
"""A day with more events of the KINDS is not read: it would take about half a gigabyte. It is 100 simulated days."""

_BLOCK_BYTES = 4 * 2**20
"""Rows are taken together up to about this size, so that small rows cost little."""


class DayTooLarge(ValueError):
    """A trading day has more than MOST_EVENTS events."""


class TradingDays:
    """The trading days of a journal. Reading and computing run in threads; one day is read at a time."""

    def __init__(self, journal: Readable) -> None:
        self._journal = journal
        self._openings = Openings()
        self._one = asyncio.Lock()

    async def read(self, trading_date: int, to_seq: int) -> MarketDay | None:
        """The day yyyymmdd with its commands up to to_seq; None where it has not begun by then, or was no trading day. Date 0
        has the commands before the first day.

        Raises DayTooLarge, and the journal's errors.
        """
        async with self._one:
            openings = self._openings
            if openings.latest_date < trading_date:
                async with aclosing(_blocks(self._journal, openings.seq, to_seq)) as blocks:
                    async for block in blocks:
                        await asyncio.to_thread(openings.take, *block)
                        if openings.latest_date >= trading_date:
                            break
        opening = openings.of(trading_date)
        if opening is None or opening.first_seq > to_seq:
            return None
        return await self._day(opening, to_seq)

    async def _day(self, opening: Opening, to_seq: int) -> MarketDay:
        day = _Collected(opening)
        async with aclosing(_blocks(self._journal, opening.first_seq - 1, to_seq)) as blocks:
            async for block in blocks:
                await asyncio.to_thread(day.take, *block)
                if day.complete:
                    break
        return day.day()


async def _blocks(journal: Readable, after_seq: int, to_seq: int) -> AsyncGenerator[tuple[Any, Events]]:
    """The commands and events after after_seq up to to_seq, in parts of about _BLOCK_BYTES, each of whole commands."""
    rows: list[JournalBatch] = []
    size = 0
    async for row in journal.read(after_seq):
        if row.first_seq > to_seq:
            break
        rows.append(row)
        size += len(row.commands) + len(row.events)
        if size >= _BLOCK_BYTES:
            yield await asyncio.to_thread(_joined, rows, after_seq, to_seq)
            rows, size = [], 0
    if rows:
        yield await asyncio.to_thread(_joined, rows, after_seq, to_seq)


def _joined(rows: Sequence[JournalBatch], after_seq: int, to_seq: int) -> tuple[Any, Events]:
    commands = np.frombuffer(b"".join(row.commands for row in rows), COMMAND)
    events = np.frombuffer(b"".join(row.events for row in rows), EVENT)
    bounds = np.array((after_seq + 1, to_seq + 1), np.uint64)
    first, last = np.searchsorted(commands["seq"], bounds)
    begin, end = np.searchsorted(events["seq"], bounds)
    return commands[first:last], events[begin:end]


class _Collected:
    """A day, as its blocks are taken."""

    def __init__(self, opening: Opening) -> None:
        self._opening = opening
        self._events: list[Events] = []
        self._times_ns: list[Any] = []
        self._count = 0
        self._ended_ns = opening.began_ns
        self._last_seq = opening.first_seq
        self.complete = False

    def take(self, commands: Any, events: Events) -> None:
        """Takes the next commands and their events, up to the DAY_ROLL that ends the day."""
        times_ns = np.maximum.accumulate(np.maximum(commands["time_ns"], self._ended_ns))
        rolls = events["seq"][(events["kind"] == EventKind.DAY_ROLLED) & (events["seq"] > self._opening.first_seq)]
        end = int(rolls[0] - commands["seq"][0]) if len(rolls) else len(commands) - 1
        self._ended_ns, self.complete = int(times_ns[end]), bool(len(rolls))
        self._last_seq = int(commands["seq"][end]) - self.complete
        chosen = events[np.isin(events["kind"], KINDS) & (events["seq"] <= self._last_seq)]
        self._count += len(chosen)
        if self._count > MOST_EVENTS:
            raise DayTooLarge(f"the day has more than {MOST_EVENTS:,} quotes and trades")
        part = np.empty(len(chosen), DAY_EVENT)
        for name in DAY_EVENT.names or ():
            part[name] = chosen[name]
        self._events.append(part)
        self._times_ns.append(times_ns[(chosen["seq"] - commands["seq"][0]).astype(np.intp)])

    def day(self) -> MarketDay:
        """The day as far as it was taken."""
        return MarketDay(
            opening=self._opening,
            events=np.concatenate(self._events),
            times_ns=np.concatenate(self._times_ns),
            ended_ns=self._ended_ns,
            last_seq=self._last_seq,
            complete=self.complete,
        )
