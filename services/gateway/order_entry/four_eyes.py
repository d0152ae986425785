"""Four eyes: acts that a second person confirms before the venue carries them out.

The request of such an act is checked as always, up to the moment when its commands would be sent. In their place a proposal is
journaled, which changes nothing, and the request is answered 202. To confirm it, another person has the same request checked
and sent again, against the state of then. Its commands travel with an idempotency key that belongs to the proposal and to
nobody (`RequestKey.actor` 0). Whatever else ends the proposal has the same key: so one ending takes effect, also where two
persons decide at the same moment, through two gateways.
"""

from __future__ import annotations

from collections.abc import Collection
from contextvars import ContextVar
from hashlib import sha256
from typing import NamedTuple

import msgspec

from services.commands.acts import names_of
from services.commands.attachments import ActProposed, ProposalConfirmed, ReasonGiven, Scope
from services.gateway.order_entry.idempotency import RequestKey, commands_of, with_record
from services.gateway.problems import ProblemError
from services.messaging import Submission
from services.venue_state.keys import ApiKey

WHY = "Rex-Why"
"""The header in which a request says why; most bodies have no field for it."""

_REASONS = ("reason", "why", "note")
"""The fields of bodies that say why."""


class Asked(NamedTuple):
    """The HTTP request that asks for an act."""

    method: str
    path: str
    body: bytes
    scope: Scope
    """That the route needs."""
    why: str = ""
    """The header WHY. It counts where the body has no reason of its own."""


ASKED: ContextVar[Asked | None] = ContextVar("request for an act", default=None)
"""The HTTP request which this task answers; `http/caller.py` sets it. What the venue does by itself has none."""


class Confirmed(NamedTuple):
    """A proposal that is being confirmed."""

    proposal: int
    act: str
    """What was proposed, as the log calls it."""


CONFIRMED: ContextVar[Confirmed | None] = ContextVar("confirmed proposal", default=None)
"""The proposal which this task confirms."""


class Proposed(Exception):
    """In place of the answer of an act: it waits for a second person. Its route raises it, and the application answers 202."""

    def __init__(self, seq: int, act: str) -> None:
        super().__init__(f"{act} waits for a second person as proposal {seq}")
        self.seq = seq
        self.act = act


def act_that_waits(submission: Submission, acts: Collection[str]) -> str | None:
    """The act of a submission that needs a second person; None: it needs none."""
    return next((name for name in names_of(submission) if name in acts), None) if acts else None


def proposal_of(asked: Asked, act: str) -> ActProposed:
    """The record of a proposal. It has no body but one that the route has read: nobody would have checked it, and the journal
    keeps it for good (`http/caller.py` refuses it)."""
    text, why = asked.body.decode() or None, _own_reason(asked) or asked.why
    return ActProposed(act=act, scope=asked.scope, method=asked.method, path=asked.path, body=text, why=why)


def with_reason(submission: Submission, asked: Asked | None) -> Submission:
    """The submission, and behind it a record of the header WHY, where the body has no reason of its own."""
    if asked is None or not asked.why or _own_reason(asked):
        return submission
    return with_record(submission, ReasonGiven(why=asked.why, commands=commands_of(submission)))


def _own_reason(asked: Asked) -> str | None:
    body = msgspec.json.decode(asked.body) if asked.body else {}
    given = (body.get(name) for name in _REASONS)
    return next((text for text in given if isinstance(text, str) and text), None)


def key_of_request(request: RequestKey | None) -> RequestKey | None:
    """The idempotency key of the proposal that a request becomes. A repeat after the setting has changed must not pass for the
    act itself: it has another digest."""
    return request and request._replace(digest=_digest(f"proposed {request.digest}"))


def key_of_ending(proposal: int, outcome: str, key: ApiKey) -> RequestKey:
    """The idempotency key under which this person ends a proposal, this way."""
    digest = _digest(f"proposal {proposal} {outcome} by {key.key_id}")
    return RequestKey(f"proposal-{proposal}", digest, actor=0)


def check_act(submission: Submission, confirmed: Confirmed) -> None:
    """Raises 409 `proposal_ended` where the request, which is sent again, has become another act meanwhile."""
    if confirmed.act not in names_of(submission):
        detail = (
            f"The proposal {confirmed.proposal} was of {confirmed.act}, and would be another act now: propose it anew."
        )
        raise ProblemError(409, "proposal_ended", detail)


def confirming(submission: Submission, key: ApiKey, proposal: int) -> Submission:
    """The commands of an act, and behind them a record of the same sender: they are what was proposed."""
    confirmed = ProposalConfirmed(proposal=proposal, actor=key.key_id, commands=commands_of(submission))
    return with_record(submission, confirmed)


def proposal_ended(proposal: int) -> ProblemError:
    """A 409 problem: somebody else ends the proposal at the same moment."""
    detail = f"Another decision on the proposal {proposal} came first, or is under way: read how it ended."
    return ProblemError(409, "proposal_ended", detail)


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()
