"""The attachments of commands in a journal batch: names, key hashes, targets, which the engine never reads.

UTF-8 JSON, one model per kind of command:

OPEN_ACCOUNT     AccountText
LIST_INSTRUMENT  InstrumentText
BUST_TRADE       BustText
RECORD           KeyIssued | KeyRevoked | TargetSet | Upgraded, distinguished by `type`
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, field_validator

from services.commands.texts import storable

Scope = Literal["read", "trade", "operate", "admin"]
"""What an API key may do; docs/api.md, "Keys and scopes", says what each allows. The one declaration of their names."""


class _Text(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    @field_validator("*")
    @classmethod
    def _is_storable(cls, value: object) -> object:
        return storable(value) if isinstance(value, str) else value

    def to_bytes(self) -> bytes:
        """The attachment's bytes."""
        return self.model_dump_json().encode()


class AccountText(_Text):
    """The name of an account."""

    name: str


class InstrumentText(_Text):
    """The descriptive fields of an instrument. Its tick value, reference price and limits are in the command."""

    symbol: str
    name_en: str
    name_zh: str
    category: Literal["magnetic_material", "deep_processed"]
    family: str
    unit: Literal["kg", "t"]
    lot_size: int
    """Units (kg or t) in a lot."""
    tick_size: str
    """Yuan per unit, as an exact decimal."""
    reference_price_source: Literal["sourced", "assumed"]
    spec: str
    note: str


class BustText(_Text):
    """The reason an operator gives for busting a trade."""

    reason: str


class KeyIssued(_Text):
    """An API key is valid from this command on. Its id is the command's seq. The journal does not hold the secret."""

    type: Literal["key_issued"] = "key_issued"
    key_hash: str
    """SHA-256 of the secret, in hex."""
    account: int
    """The account that the key acts for; 0: none (operators)."""
    name: str
    scopes: tuple[Scope, ...]


class KeyRevoked(_Text):
    """An API key is refused from this command on."""

    type: Literal["key_revoked"] = "key_revoked"
    key_id: int


class TargetSet(_Text):
    """The target of a year's turnover."""

    type: Literal["target_set"] = "target_set"
    year: int
    amount_fen: int
    name: str


class Upgraded(_Text):
    """From this command on, a newer engine version makes the events. It holds what `rex upgrade` found when the newer version
    re-executed the older batches.

    It is the first command of an engine version, and the only one in its batch.
    """

    type: Literal["upgraded"] = "upgraded"
    from_version: int
    to_version: int
    last_seq: int
    """The last sequence number of the older version."""
    last_hash: str
    """The hash of the batch that ends at last_seq, in hex."""
    state_hash: str
    """The hash of the newer engine's state after last_seq."""
    re_executed_after: int
    """The newer version makes the same events for all batches after this sequence number; 0: for the whole journal. If it is
    not 0, this batch's second attachment is the state at that sequence number (a sealed state)."""
    differences: tuple[str, ...]
    """The differences between the two versions' events, as sentences; empty if the rules are unchanged."""


Recorded = KeyIssued | KeyRevoked | TargetSet | Upgraded
Decision = Annotated[Recorded, Field(discriminator="type")]
"""The decision in a RECORD command's attachment."""

_DECISION: TypeAdapter[Recorded] = TypeAdapter(Decision)


def read_decision(attachment: bytes) -> Recorded:
    """The decision in a RECORD command's attachment."""
    return _DECISION.validate_json(attachment)
