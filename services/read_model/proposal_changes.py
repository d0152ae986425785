"""The rows of `proposals`: acts that need a second person, and how each proposal ended.

The projector writes them, and the audit compares them, by the same columns.
"""

from __future__ import annotations

from typing import Any

from services.commands.attachments import ActProposed, ProposalConfirmed, ProposalEnded
from services.journal.batch import Applied
from services.read_model.tables import insert_into, proposals

ENDING = ("outcome", "ended_seq", "last_seq", "ended_ns", "ended_by", "reason")
"""The columns that are NULL until a proposal ends."""

Columns = dict[str, int | str | None]


def proposed(applied: Applied, act: ActProposed) -> tuple[str, tuple[Any, ...]]:
    """The statement that adds a proposal."""
    values = {"seq": applied.event.seq, **columns_of(applied, act)}
    return insert_into(proposals, tuple(values)), tuple(values.values())


def ended(applied: Applied, ending: ProposalConfirmed | ProposalEnded) -> tuple[str, tuple[Any, ...]]:
    """The statement that ends a proposal; the first ending holds."""
    values = ending_of(applied, ending)
    changes = ", ".join(f"{name} = ?" for name in values)
    return f"UPDATE proposals SET {changes} WHERE seq = ? AND outcome IS NULL", (*values.values(), ending.proposal)


def columns_of(applied: Applied, act: ActProposed) -> Columns:
    """The columns of a new proposal, without its seq and its end."""
    by = {"time_ns": applied.command.time_ns, "actor": applied.command.actor}
    return {**by, **act.model_dump(exclude={"type"})}


def ending_of(applied: Applied, ending: ProposalConfirmed | ProposalEnded) -> Columns:
    """The columns ENDING of a proposal. A confirmation stands behind the commands of its act."""
    seq, time_ns = applied.event.seq, applied.command.time_ns
    values: tuple[int | str | None, ...]
    if isinstance(ending, ProposalEnded):
        values = ending.outcome, seq, seq, time_ns, applied.command.actor, ending.reason
    else:
        values = "confirmed", seq - ending.commands, seq - 1, time_ns, ending.actor, None
    return dict(zip(ENDING, values, strict=True))
