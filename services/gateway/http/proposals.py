"""Proposals over HTTP: acts that need a second person, confirmed or rejected by another one, withdrawn by who made them.

Scopes: `operate` or `admin`; who confirms or rejects is logged in and has the one that the act needs.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, Response
from sqlalchemy import select, true
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.types import Message

from services.commands.attachments import ProposalEnded
from services.gateway.http.access_middleware import KEY
from services.gateway.http.act_schemas import EndingReply, EndingRequest, ProposalsPage
from services.gateway.http.caller import Caller, needs
from services.gateway.ids import id_number
from services.gateway.order_entry.four_eyes import CONFIRMED, Confirmed, Proposed
from services.gateway.order_entry.history import Past
from services.gateway.order_entry.order_entry import OrderEntry
from services.gateway.problems import ProblemError
from services.gateway.request_ids import REQUEST_ID
from services.gateway.schemas import IdText
from services.gateway.strict_json import JSON
from services.people.roles import caller
from services.read_model.proposals import Proposal, ProposalState, in_state, read_page, read_proposal
from services.read_model.second_person import may_have_made, newer_stop, password_of_another
from services.read_model.tables import position, proposals
from services.values.cursors import Cursors
from services.values.page_parameters import Cursor, Limit
from services.values.times import time_text
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


_OF_THE_CONNECTION = (
    "type", "asgi", "http_version", "scheme", "server", "client", "root_path", "state", "app",
    "starlette.exception_handlers", "fastapi_middleware_astack", REQUEST_ID, KEY,
)  # fmt: skip
"""What the inner request has of the outer one: not its route, its path and its headers."""


async def send_again(outer: Request, method: str, path: str, body: bytes) -> Response:
    """The answer of the route at this path. The caller is that of the outer request; the access middleware has counted it."""
    scope: dict[str, Any] = {name: outer.scope[name] for name in _OF_THE_CONNECTION if name in outer.scope}
    headers = [(b"content-type", JSON), (b"content-length", str(len(body)).encode())] if body else []
    scope |= {"method": method, "path": path, "raw_path": path.encode(), "query_string": b"", "headers": headers}
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    await outer.app.router(scope, receive, send)
    answer = Response(b"".join(message.get("body", b"") for message in sent[1:]), sent[0]["status"])
    answer.raw_headers = [*sent[0]["headers"]]
    return answer


_CURSORS = Cursors("proposals")

StateOrAll = ProposalState | Literal["all"]
StateQuery = Annotated[StateOrAll, Query(description="Only those in this state.")]


class Proposals:
    """The table `proposals` as the API shows it."""

    def __init__(self, state: VenueState, past: Past, clock: Callable[[], int]) -> None:
        """`clock` is the venue's wall clock, in nanoseconds: a venue without commands must not keep a proposal alive."""
        self._state = state
        self._past = past
        self._clock = clock

    async def page(
        self, key: ApiKey, state: StateOrAll, before_seq: int, limit: int
    ) -> tuple[list[dict[str, Any]], bool]:
        """Up to `limit` proposals with numbers below `before_seq`, newest first, and whether there may be more."""
        async with self._past.connection() as connection:
            now_ns = await self._now_ns(connection)
            chosen = true() if state == "all" else in_state(state, now_ns)
            found, is_more = await read_page(connection, chosen & (proposals.c.seq < before_seq), limit)
        return [self._json(proposal, key, now_ns) for proposal in found], is_more

    async def for_ending(self, text: str, key: ApiKey, outcome: ProposalState) -> tuple[Proposal, int | None]:
        """The proposal that this person wants to end, and the seq with which they have ended it so before; None: it waits.

        Raises problems: 404; 403 `scope_missing` or `wrong_person`; 409 `proposal_ended`.
        """
        seq = id_number(text)
        if seq is None:
            raise ProblemError(404, "not_found", f"No proposal has the number {text[:40]!r}.")
        async with self._past.connection() as connection:
            now_ns = await self._now_ns(connection)
            proposal = await read_proposal(connection, seq)
        if proposal is None:
            raise ProblemError(404, "not_found", f"No proposal has the number {seq}.")
        row = proposal.row
        key.require(row["scope"])
        check_person(self._state, row, key, outcome)
        state = proposal.state(now_ns)
        if (state, row["ended_by"]) == (outcome, key.key_id):
            return proposal, row["ended_seq"]
        if state != "waiting":
            raise ProblemError(409, "proposal_ended", self._how_it_ended(proposal, state))
        if outcome == "confirmed":
            async with self._past.connection() as connection:
                await check_confirmation(connection, self._state, row, key, now_ns)
        return proposal, None

    async def _now_ns(self, connection: AsyncConnection) -> int:
        return max(await connection.scalar(select(position.c.time_ns)) or 0, self._clock())

    def _how_it_ended(self, proposal: Proposal, state: ProposalState) -> str:
        row = proposal.row
        if state == "expired":
            return f"The proposal {row['seq']} expired at {time_text(proposal.expires_ns)}: propose the act again."
        by = self._who(row["ended_by"], proposal.ended_by_name)["name"] or row["ended_by"]
        return f"The proposal {row['seq']} was {state} by {by} with command {row['ended_seq']}."

    def _who(self, key_id: int, key_name: str | None) -> dict[str, Any]:
        return {"key_id": str(key_id), "name": self._state.name_of(key_id, key_name)}

    def _json(self, proposal: Proposal, key: ApiKey, now_ns: int) -> dict[str, Any]:
        row = proposal.row
        ended_by = None if row["ended_by"] is None else self._who(row["ended_by"], proposal.ended_by_name)
        return {
            "proposal": row["seq"],
            "state": proposal.state(now_ns),
            "act": row["act"],
            "scope": row["scope"],
            "method": row["method"],
            "path": row["path"],
            "body": json.loads(row["body"]) if row["body"] else None,
            "why": row["why"] or None,
            "proposed_at": time_text(row["time_ns"]),
            "proposed_by": self._who(row["actor"], proposal.key_name),
            "expires_at": time_text(proposal.expires_ns),
            "is_own": row["actor"] == key.key_id,
            "ended_at": None if row["ended_ns"] is None else time_text(row["ended_ns"]),
            "ended_by": ended_by,
            "ended_seq": row["ended_seq"],
            "reason": row["reason"] or None,
        }


def routes(known: Proposals, order_entry: OrderEntry) -> APIRouter:
    """/v1/admin/proposals."""
    router = APIRouter(prefix="/v1/admin/proposals", tags=["operate"], dependencies=[needs("operate", "admin")])

    @router.get("", response_model=ProposalsPage, summary="List acts that need a second person, newest first")
    async def list_proposals(
        key: Caller, state: StateQuery = "waiting", limit: Limit = 100, cursor: Cursor = None
    ) -> JSONResponse:
        page, is_more = await known.page(key, state, _CURSORS.id_of(cursor), limit)
        following = _CURSORS.text(page[-1]["proposal"]) if is_more else None
        acts = sorted(order_entry.acts_of_two)
        return JSONResponse({"acts": acts, "proposals": page, "next_cursor": following})

    @router.post(
        "/{seq}/confirm", response_model=EndingReply, summary="Confirm another person's act: it is carried out now"
    )
    async def confirm(request: Request, key: Caller, seq: IdText) -> Response:
        proposal, done_seq = await known.for_ending(seq, key, "confirmed")
        if done_seq is not None:
            return _reply(proposal, "confirmed", done_seq, None)
        row = proposal.row
        confirming = CONFIRMED.set(Confirmed(row["seq"], row["act"]))
        try:
            answer = await send_again(request, row["method"], row["path"], (row["body"] or "").encode())
        finally:
            CONFIRMED.reset(confirming)
        if answer.status_code >= 400:
            return answer
        carried_out = json.loads(bytes(answer.body))
        return _reply(proposal, "confirmed", carried_out["seq"], carried_out)

    @router.post("/{seq}/reject", response_model=EndingReply, summary="Reject another person's act")
    async def reject(key: Caller, seq: IdText, body: EndingRequest) -> Response:
        return await end(key, seq, "rejected", body.reason)

    @router.post("/{seq}/withdraw", response_model=EndingReply, summary="Withdraw an act that you have proposed")
    async def withdraw(key: Caller, seq: IdText, body: EndingRequest) -> Response:
        return await end(key, seq, "withdrawn", body.reason)

    async def end(key: ApiKey, text: str, outcome: Literal["rejected", "withdrawn"], reason: str) -> Response:
        proposal, seq = await known.for_ending(text, key, outcome)
        if seq is None:
            ended = ProposalEnded(proposal=proposal.row["seq"], outcome=outcome, reason=reason)
            seq = (await order_entry.end_proposal(key, ended)).seq
        return _reply(proposal, outcome, seq, None)

    return router


async def answer_proposed(_request: Request, proposed: Exception) -> Response:
    """The answer to a request for an act that waits for a second person."""
    assert isinstance(proposed, Proposed)
    seq = proposed.seq
    following = (
        f"Nothing is carried out yet. Within 24 hours another person confirms it (POST /v1/admin/proposals/{seq}/confirm) or "
        "rejects it; you may withdraw it."
    )
    return JSONResponse({"proposal": seq, "act": proposed.act, "next": following}, 202)


def _reply(proposal: Proposal, state: ProposalState, seq: int, answer: dict[str, Any] | None) -> JSONResponse:
    return JSONResponse({"proposal": proposal.row["seq"], "state": state, "seq": seq, "answer": answer})
