"""Models of acts: who acts and why, the answer to an act, and the proposals that those become which need a second person."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, StringConstraints

from matching_engine.records import Event
from services.gateway.schemas import NotBlank, Reply, Request, WithoutControl, example
from services.read_model.proposals import ProposalState

Name = Annotated[str, StringConstraints(min_length=1, max_length=80), WithoutControl]
PersonName = Annotated[str, StringConstraints(max_length=80), WithoutControl]
"""Of a person who acts with a key; may be empty."""
Reason = Annotated[str, StringConstraints(min_length=1, max_length=500), NotBlank, WithoutControl]
AccountNumber = Annotated[int, Field(ge=0, json_schema_extra={"maximum": 2**32 - 1})]


class Applied(Reply):
    """The administrative command has been applied."""

    seq: int = Field(description="Journal sequence number of the command.")

    @classmethod
    def by(cls, event: Event) -> Applied:
        """The answer to the command that made the event."""
        return cls(seq=event.seq)


class ProposalReply(Reply):
    """The act was not carried out: it waits for a second person."""

    proposal: int = Field(description="The proposal's number: the seq of its command.")
    act: str = Field(description="The act, as the log names it.")
    next: str = Field(description="What happens next, as a sentence.")


PROPOSED: dict[int | str, dict[str, Any]] = {
    202: {
        "model": ProposalReply,
        "description": "Nothing is carried out: this act needs a second person here (`REX_FOUR_EYES`).",
    }
}
"""For the decorators of routes of which the act may need a second person."""


class KeyOrUser(Reply):
    """A key or a user."""

    key_id: str = Field(description="The id of the key, or of the user who was logged in.")
    name: str | None = Field(description="Also of a user who was removed.")


class Proposal(Reply):
    """An act that was proposed, as its request asked for it."""

    proposal: int = Field(description="Its number: the seq of its command.")
    state: ProposalState = Field(description="`expired`: nobody ended it within 24 hours.")
    act: str = Field(description="The act, as the log names it.")
    scope: str = Field(description="The scope of who may confirm or reject it.")
    method: str
    path: str
    body: dict[str, Any] | None = Field(description="null: the request had none.")
    why: str | None = Field(description="What the request gives as its reason.")
    proposed_at: str
    proposed_by: KeyOrUser
    expires_at: str
    is_own: bool = Field(description="Whether the caller has proposed it.")
    ended_at: str | None
    ended_by: KeyOrUser | None
    ended_seq: int | None = Field(description="Of a confirmed one the act's first command.")
    reason: str | None = Field(description="Why it was rejected or withdrawn.")


class ProposalsPage(Reply):
    """A page of proposals."""

    acts: list[str] = Field(description="The acts that need a second person here (`REX_FOUR_EYES`).")
    proposals: list[Proposal]
    next_cursor: str | None


class EndingRequest(Request):
    """Why a proposal is rejected or withdrawn."""

    model_config = example(reason="the amount is that of another member")

    reason: Reason = Field(description="Recorded in the journal.")


class EndingReply(Reply):
    """How a proposal ended."""

    proposal: int
    state: ProposalState
    seq: int = Field(description="Of the record that ended it; of a confirmed one the act's first command.")
    answer: dict[str, Any] | None = Field(
        default=None,
        description="What the act itself answers; null where its answer was given before, or there is none.",
    )
