"""Which completed days are to be closed: those that have no closing, and those whose bulletin says something else since.

Looked at are the year of the last completed day and the year before it: decisions about older trades change no closing.
"""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncConnection

from services.commands.attachments import DayClosed
from services.reporting.exports.daily_bulletin import daily_bulletins
from services.reporting.exports.day_seal import day_sha256
from services.reporting.exports.reading import Market, read_market


async def read_closed_days(connection: AsyncConnection, last: int) -> Market | None:
    """The days up to the completed day `last`, yyyymmdd, with their closings; None before the projector's first transaction."""
    return await read_market(connection, (last // 10_000 - 1) * 10_000, last)


def closings_due(market: Market | None) -> list[DayClosed]:
    """The closings that are missing, oldest day first."""
    if market is None:
        return []
    due, position = [], market.position
    for bulletin in daily_bulletins(market):
        date, digest = int(bulletin.date.replace("-", "")), day_sha256(bulletin)
        before = market.closings[date][-1] if date in market.closings else None
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
