"""Figures about the world outside, such as the output value of a city's industry, entered by operators with a source.

They stand beside the report so that its figure can be compared. No turnover, share or forecast is computed with them.
"""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncConnection

from services.commands.attachments import ContextStated
from services.read_model.records import Record, read_records
from services.reporting.breakdown.documents import Sealed
from services.reporting.documents import Document, Time, seal
from services.reporting.queries import read_position

NOTICE = "Entered by operators from the sources that they name. Not of this venue, not verified by it, and counted in nothing."


class ContextFigure(Document):
    """A figure about the world outside."""

    figure: str
    value: str
    unit: str
    source: str
    name: str = Field(description="The person who entered it.")
    seq: int = Field(description="The command that recorded it.")
    time_ns: Time


class ContextReport(Sealed):
    """The figures of a year that hold: of each the newest, unless it was withdrawn."""

    notice: str
    figures: tuple[ContextFigure, ...] = Field(description="One for each name, by the time of its first entry.")


async def read_context(connection: AsyncConnection, year: int) -> ContextReport | None:
    """The context of a year; None before the projector's first transaction."""
    position = await read_position(connection)
    if position is None:
        return None
    figures = figures_of(await read_records(connection, ("context_stated",)), year)
    return ContextReport(year=year, **seal(position), notice=NOTICE, figures=figures)


def figures_of(found: Iterable[Record], year: int) -> tuple[ContextFigure, ...]:
    """The figures of the year that hold after these records, which are ordered by seq; by the time of their first entry."""
    newest: dict[str, tuple[Record, ContextStated]] = {}
    for record in found:
        if isinstance(record.decision, ContextStated) and record.decision.year == year:
            newest[record.decision.figure] = record, record.decision
    return tuple(
        ContextFigure(
            **{name: getattr(text, name) for name in ("figure", "value", "unit", "source", "name")},
            seq=record.seq,
            time_ns=record.time_ns,
        )
        for record, text in newest.values()
        if text.value
    )
