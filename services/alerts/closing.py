"""Which completed days are to be closed: those that have no closing, and those whose bulletin says something else since.

Looked at are the year of the last completed day and the year before it: decisions about older trades change no closing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from services.commands.attachments import DayClosed
from services.reporting.exports.daily_bulletin import daily_bulletins
from services.reporting.exports.day_seal import day_sha256
from services.reporting.exports.reading import Closing, Market, read_market


@dataclass(frozen=True)
class ClosedDays:
    """The days of a span with their closings, all of one position."""

    market: Market

    @property
    def latest(self) -> Mapping[int, Closing]:
        """The last closing of each day that has one."""
        return {date: found[-1] for date, found in self.market.closings.items()}


async def read_closed_days(connection: AsyncConnection, last: int) -> ClosedDays | None:
    """The days up to the completed day `last`, yyyymmdd; None before the projector's first transaction."""
    market = await read_market(connection, (last // 10_000 - 1) * 10_000, last)
    return None if market is None else ClosedDays(market)


async def closings_due(found: ClosedDays) -> list[DayClosed]:
    """The closings that are missing, oldest day first; computed in a thread."""
    return await asyncio.to_thread(_due, found)


def _due(found: ClosedDays) -> list[DayClosed]:
    due, latest, position = [], found.latest, found.market.position
    for bulletin in daily_bulletins(found.market):
        date, digest = int(bulletin.date.replace("-", "")), day_sha256(bulletin)
        before = latest.get(date)
        if bulletin.complete and (before is None or before.sha256 != digest):
            due.append(
                DayClosed(
                    date=date,
                    revision=1 if before is None else before.revision + 1,
                    at_seq=position["seq"],
                    row_hash=position["row_hash"].hex(),
                    sha256=digest,
                )
            )
    return due
