"""Who may end a proposal, and whether it can still be confirmed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from services.gateway.problems import ProblemError
from services.people.roles import caller
from services.read_model.proposals import ProposalState
from services.read_model.second_person import may_have_made, newer_stop, password_of_another
from services.venue_state.keys import ApiKey
from services.venue_state.state import VenueState

Row = Mapping[Any, Any]


def check_person(state: VenueState, row: Row, key: ApiKey, outcome: ProposalState) -> None:
    """Raises 403 `wrong_person`: who proposes withdraws, and another user, who is logged in, confirms or rejects.

    Nobody knows who holds a key. So a key ends only its own proposals.
    """
    seq, is_own = row["seq"], row["actor"] == key.key_id
    if outcome == "withdrawn":
        if not is_own:
            raise _wrong_person(f"Another person has made the proposal {seq}: reject it.")
        return
    if is_own:
        raise _wrong_person(
            f"You have made the proposal {seq}: another person confirms or rejects it; you may withdraw it."
        )
    if key.key_id not in state.users.by_id:
        raise _wrong_person(
            f"A key confirms and rejects nothing: another person, who is logged in, ends the proposal {seq}."
        )


async def check_confirmation(
    connection: AsyncConnection, state: VenueState, row: Row, key: ApiKey, now_ns: int
) -> None:
    """Raises a problem unless a proposal that waits can be confirmed now, by this user."""
    seq = row["seq"]
    if not _may_still(state, row, now_ns):
        detail = (
            f"Who made the proposal {seq} was removed, or may not do that any more. Reject it, or propose the act anew."
        )
        raise ProblemError(409, "proposal_ended", detail)
    stop = await newer_stop(connection, seq, row["path"])
    if stop is not None:
        detail = f"The proposal {seq} is older than command {stop}, which stopped the same: if it is to go on, propose it anew."
        raise ProblemError(409, "proposal_ended", detail)
    password = await password_of_another(connection, key.key_id, now_ns)
    if password is not None:
        raise _wrong_person(
            f"Another person has set your password, or made the link to it, by command {password}: 24 hours later you "
            "may confirm."
        )
    if key.key_id in await may_have_made(connection, seq, row["time_ns"], row["actor"]):
        raise _wrong_person(
            f"You may have made the proposal {seq} yourself: you have issued the key that made it, or within 24 hours before "
            "it you set the password of who made it, or made the link to it. Another person confirms it; you may reject it."
        )


def _may_still(state: VenueState, row: Row, now_ns: int) -> bool:
    """Whether who made the proposal is still known, and still has the scope of the act."""
    user = state.users.by_id.get(row["actor"])
    proposer = state.key(row["actor"]) if user is None else caller(user)
    return proposer is not None and row["scope"] in proposer.scopes and not proposer.has_expired(now_ns)


def _wrong_person(detail: str) -> ProblemError:
    return ProblemError(403, "wrong_person", detail)
