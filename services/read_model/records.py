"""The recorded decisions that change no other table, as they were recorded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.commands.attachments import Recorded, read_decision
from services.read_model.tables import records


class Record(NamedTuple):
    """A decision, and its command."""

    seq: int
    time_ns: int
    actor: int
    """The key_id of the operator."""
    decision: Recorded


async def read_records(connection: AsyncConnection, types: Sequence[str]) -> list[Record]:
    """The records of these types, oldest first."""
    query = select(records).where(records.c.type.in_(types)).order_by(records.c.seq)
    return [
        Record(row.seq, row.time_ns, row.actor, read_decision(row.text.encode()))
        for row in await connection.execute(query)
    ]
