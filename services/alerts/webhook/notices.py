"""What the webhook sends: a message for each command that raised, acknowledged or cleared an alert, in the journal's order.

Of a change that the venue makes while the webhook runs it is made from the alert in memory; of one before, from its row in the
read database.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import msgspec
from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.gateway.replies.alert_json import alert_json
from services.read_model.tables import alerts, position
from services.values.times import time_text
from services.venue_state.alerts import VenueAlert


class Notice(NamedTuple):
    """One message. The same command always makes the same id and body."""

    seq: int
    message_id: str
    body: bytes


class Beginning(NamedTuple):
    """Where a receiver begins that has no position yet."""

    journal_id: bytes
    last_seq: int
    """The read database's position."""
    after_seq: int
    """Before the oldest open alert; without one, last_seq: what was over before the start is not sent."""


async def read_beginning(connection: AsyncConnection) -> Beginning | None:
    """The beginning at the read database's position; None before its first transaction."""
    oldest = select(func.min(alerts.c.seq)).where(alerts.c.cleared_seq.is_(None)).scalar_subquery()
    found = (await connection.execute(select(position.c.journal_id, position.c.seq, oldest))).first()
    if found is None:
        return None
    journal_id, last_seq, first_open = found
    return Beginning(journal_id, last_seq, last_seq if first_open is None else first_open - 1)


async def read_notices(connection: AsyncConnection, journal_id: bytes, after_seq: int) -> list[Notice]:
    """The messages of the commands after after_seq, oldest first."""
    changed = (alerts.c.seq, alerts.c.cleared_seq, alerts.c.acknowledged_seq)
    query = select(alerts).where(or_(*(column > after_seq for column in changed)))
    rows = (await connection.execute(query)).mappings().all()
    notices = [notice for row in rows for notice in _notices(VenueAlert.from_columns(row), journal_id)]
    return sorted(notice for notice in notices if notice.seq > after_seq)


def notice_of(alert: VenueAlert, seq: int, journal_id: bytes) -> Notice:
    """The message of the command `seq`, which has just changed the alert: the same as that of its row."""
    (notice,) = (notice for notice in _notices(alert, journal_id) if notice.seq == seq)
    return notice


def _notices(alert: VenueAlert, journal_id: bytes) -> Iterator[Notice]:
    yield _notice("alert.raised", alert, alert.seq, alert.time_ns, journal_id)
    for kind, seq, time_ns in (
        ("alert.acknowledged", alert.acknowledged_seq, alert.acknowledged_ns),
        ("alert.cleared", alert.cleared_seq, alert.cleared_ns),
    ):
        if seq is not None and time_ns is not None:
            yield _notice(kind, alert, seq, time_ns, journal_id)


def _notice(kind: str, alert: VenueAlert, seq: int, time_ns: int, journal_id: bytes) -> Notice:
    data = alert_json(_as_of(alert, seq))
    body = msgspec.json.encode({"type": kind, "timestamp": time_text(time_ns), "data": data})
    return Notice(seq, f"{journal_id.hex()[:12]}-{seq}", body)


def _as_of(alert: VenueAlert, seq: int) -> VenueAlert:
    """The alert as it stood after the command."""
    if (alert.cleared_seq or 0) > seq:
        alert = replace(alert, cleared_seq=None, cleared_ns=None)
    if (alert.acknowledged_seq or 0) > seq:
        alert = replace(alert, acknowledged_seq=None, acknowledged_ns=None, actor=None, name=None, note=None)
    return alert
