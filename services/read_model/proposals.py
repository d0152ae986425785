"""Proposals of acts that need a second person, read from the table `proposals`.

The table knows no clock: whether a proposal has expired depends on the time that the reader gives.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Literal, NamedTuple

from sqlalchemy import ColumnElement, Select, false, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.read_model.page_size import fitting
from services.read_model.tables import api_keys, proposals

EXPIRES_NS = 24 * 3600 * 10**9
"""A proposal that nobody has ended so long after it was made has expired."""

_MOST_COMMANDS = 1_024
"""Of one act: a journal batch has no more."""

ProposalState = Literal["waiting", "confirmed", "rejected", "withdrawn", "expired"]


class Proposal(NamedTuple):
    """A proposal, and the names of the keys that made and ended it; None: it was a user, or nobody has ended it."""

    row: Mapping[Any, Any]
    key_name: str | None
    ended_by_name: str | None

    @property
    def expires_ns(self) -> int:
        """From this time on nobody can confirm it."""
        return int(self.row["time_ns"]) + EXPIRES_NS

    def state(self, now_ns: int) -> ProposalState:
        """What became of it."""
        outcome: ProposalState | None = self.row["outcome"]
        return outcome or ("waiting" if now_ns < self.expires_ns else "expired")


def in_state(state: ProposalState, now_ns: int) -> ColumnElement[bool]:
    """The condition of the proposals in a state."""
    if state not in ("waiting", "expired"):
        return proposals.c.outcome == state
    is_waiting = proposals.c.time_ns > now_ns - EXPIRES_NS
    return proposals.c.outcome.is_(None) & (is_waiting if state == "waiting" else ~is_waiting)


async def read_page(
    connection: AsyncConnection, condition: ColumnElement[bool], limit: int
) -> tuple[list[Proposal], bool]:
    """Up to `limit` of the proposals that fulfil the condition, newest first, and whether there may be more.

    A page has bodies of MOST_CHARACTERS together, or one proposal.
    """
    size = func.coalesce(func.length(proposals.c.body), 0).label("size")
    sizes = select(proposals.c.seq, size).where(condition).order_by(proposals.c.seq.desc()).limit(limit)
    found = (await connection.execute(sizes)).all()
    if not found:
        return [], False
    fit = fitting(row.size for row in found)
    shown = condition & (proposals.c.seq >= found[fit - 1].seq)
    query = _with_names(*proposals.c).where(shown).order_by(proposals.c.seq.desc())
    return await _read(connection, query), fit < len(found) or len(found) == limit


async def read_proposal(connection: AsyncConnection, seq: int) -> Proposal | None:
    """The proposal with this number."""
    found = await _read(connection, _with_names(*proposals.c).where(proposals.c.seq == seq))
    return found[0] if found else None


async def read_confirmed(connection: AsyncConnection, seqs: Collection[int]) -> dict[int, Proposal]:
    """By seq: the proposals of which these commands carry something out, without their bodies."""
    # The index is on the first command of each act. Between the lines of a log that shows one kind there may be years.
    near = or_(false(), *(proposals.c.ended_seq.between(first - _MOST_COMMANDS, last) for first, last in _spans(seqs)))
    columns = (column for column in proposals.c if column.name != "body")
    found = await _read(connection, _with_names(*columns).where(near, proposals.c.outcome == "confirmed"))
    acts = ((range(one.row["ended_seq"], one.row["last_seq"] + 1), one) for one in found)
    return {seq: proposal for commands, proposal in acts for seq in commands if seq in seqs}


def _spans(seqs: Collection[int]) -> list[tuple[int, int]]:
    """First and last of those that are so near to each other that one act may have both."""
    spans: list[tuple[int, int]] = []
    for seq in sorted(seqs):
        if spans and seq - spans[-1][1] <= _MOST_COMMANDS:
            spans[-1] = (spans[-1][0], seq)
        else:
            spans.append((seq, seq))
    return spans


def _with_names(*columns: ColumnElement[Any]) -> Select[Any]:
    proposer, ender = api_keys.alias(), api_keys.alias()
    return (
        select(*columns, proposer.c.name.label("key_name"), ender.c.name.label("ended_by_name"))
        .join(proposer, proposer.c.key_id == proposals.c.actor, isouter=True)
        .join(ender, ender.c.key_id == proposals.c.ended_by, isouter=True)
    )


async def _read(connection: AsyncConnection, query: Select[Any]) -> list[Proposal]:
    rows = (await connection.execute(query)).mappings()
    return [Proposal(row, row["key_name"], row["ended_by_name"]) for row in rows]
