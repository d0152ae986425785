"""What speaks against a confirmation: a stop that is newer than the proposal, a password of the confirming user that another
person may know, and that the confirming user may have made the proposal."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Sequence
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from matching_engine.records import ALL_INSTRUMENTS
from services.commands.attachments import MeasureImposed, UserAdded, UserLinkMade, read_decision
from services.read_model.records import Record, read_records
from services.read_model.tables import actions, api_keys, instruments, records

OTHERS_PASSWORD_NS = 24 * 3600 * 10**9
"""So long another person may act as a user whose password that one has set, or has made the link to, which was used."""

_LINK_NS = 25 * 3600 * 10**9
"""A link is valid for 24 hours (services/people/links.py), by another clock than the journal's."""

_PASSWORDS = ("user_added", "user_password_changed", "user_link_made")

_RESUME = re.compile(r"/v1/admin(?:/instruments/([^/]+))?/resume")
_SWITCH_OFF = re.compile(r"/v1/admin(?:/accounts/([0-9]+))?/kill_switch/off")
_LIFT = re.compile(r"/v1/admin/measures/([0-9]+)/lift")


class _Stop(NamedTuple):
    """What an act lets go on again: the kind of command that stops it, and its targets; None: any."""

    kind: str
    field: str
    targets: Collection[int | None] | None


async def newer_stop(connection: AsyncConnection, seq: int, path: str) -> int | None:
    """The first command after `seq` that stopped what the request at this path would let go on; None: there is none."""
    stop = await _undone_by(connection, path)
    if stop is None:
        return None
    stops = select(actions).where(actions.c.seq > seq, actions.c.kind == stop.kind).order_by(actions.c.seq)
    for row in await connection.execute(stops):
        if stop.targets is None or json.loads(row.text)[stop.field] in stop.targets:
            return int(row.seq)
    return None


async def _undone_by(connection: AsyncConnection, path: str) -> _Stop | None:
    if found := _RESUME.fullmatch(path):
        if found[1] is None:
            return _Stop("halt", "instrument", None)
        number = await connection.scalar(select(instruments.c.instrument).where(instruments.c.symbol == found[1]))
        return _Stop("halt", "instrument", (number, ALL_INSTRUMENTS))
    if found := _SWITCH_OFF.fullmatch(path):
        return _Stop("kill_switch_on", "account", (int(found[1] or 0),))
    if found := _LIFT.fullmatch(path):
        text = await connection.scalar(select(records.c.text).where(records.c.seq == int(found[1])))
        imposed = read_decision(text.encode()) if text else None
        return _Stop("kill_switch_on", "account", imposed.accounts if isinstance(imposed, MeasureImposed) else ())
    return None


class _Act(NamedTuple):
    """A command by which somebody got the means to act as another: a key that was issued, a password that was set."""

    seq: int
    time_ns: int
    actor: int


async def password_of_another(connection: AsyncConnection, user_id: int, now_ns: int) -> int | None:
    """The command by which the user's password became one that another person may know; None: none of the last 24 hours."""
    seq, acts = _who_may_know(await read_records(connection, _PASSWORDS), user_id, now_ns)
    return seq if acts else None


async def may_have_made(connection: AsyncConnection, proposal: int, proposed_ns: int, actor: int) -> set[int]:
    """The keys and users who may have made a proposal of this key or user.

    They are who issued the key; who may have known the password of the user, by `OTHERS_PASSWORD_NS`; and so on for each of
    these, at the time of then.
    """
    found = await read_records(connection, _PASSWORDS)
    makers: set[int] = set()
    waiting = [_Act(proposal, proposed_ns, actor)]
    while waiting:
        act = waiting.pop()
        if not act.actor or act.actor in makers:
            continue
        makers.add(act.actor)
        issued = select(api_keys.c.key_id, api_keys.c.issued_ns, api_keys.c.issued_by)
        row = (await connection.execute(issued.where(api_keys.c.key_id == act.actor))).first()
        if row is not None:
            waiting.append(_Act(*row))
        else:
            before = [record for record in found if record.seq < act.seq]
            waiting += _who_may_know(before, act.actor, act.time_ns)[1]
    return makers


def _who_may_know(found: Sequence[Record], user_id: int, now_ns: int) -> tuple[int, Collection[_Act]]:
    """The last command by which the user's password became one that another person may know, and the acts of these persons;
    no acts where it is older than 24 hours, or there is none.

    The other person is who adds a user, sets a user's password, or makes a link to a new one that is used. What has no actor
    (the first administrator, by the link of the first start) is done at the machine. Each gateway has links of its own: a newer
    one of another gateway ends none. A password that the user sets changes nothing: whoever knew the one before may have.
    """
    acts: Collection[_Act] = ()
    last_seq = last_ns = 0
    links: dict[int, _Act] = {}
    for record in found:
        decision, act = record.decision, _Act(record.seq, record.time_ns, record.actor)
        if user_id != (record.seq if isinstance(decision, UserAdded) else getattr(decision, "user_id", None)):
            continue
        is_others = act.actor not in (0, user_id)
        if isinstance(decision, UserLinkMade):
            links |= {act.actor: act} if is_others else {}
            continue
        others = [act] if is_others else [one for one in links.values() if act.time_ns - one.time_ns < _LINK_NS]
        if others:
            last_seq, last_ns, acts = act.seq, act.time_ns, others
        links = {}
    return last_seq, acts if last_ns > now_ns - OTHERS_PASSWORD_NS else ()
