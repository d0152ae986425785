"""Texts of a journal row that the engine never reads: names, key hashes, targets. UTF-8 JSON, one model per kind of command.

OPEN_ACCOUNT     AccountText        LIST_INSTRUMENT  InstrumentText        BUST_TRADE  BustText
RECORD           KeyIssued | KeyRevoked | TargetSet, told apart by `type`
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter


class _Text(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    def to_bytes(self) -> bytes:
        """The attachment as it stands in the row."""
        return self.model_dump_json().encode()


class AccountText(_Text):
    """Who an account belongs to."""

    name: str


class InstrumentText(_Text):
    """What an instrument is, in words. Its numbers stand in the command."""

    symbol: str
    name_en: str
    name_zh: str
    category: Literal["magnetic_material", "deep_processed"]
    family: str
    unit: Literal["kg", "t"]
    lot_size: int
    """Units (kg or t) in a lot."""
    tick_size: str
    """Yuan per unit, an exact decimal."""
    reference_price_source: Literal["sourced", "assumed"]
    spec: str
    note: str


class BustText(_Text):
    """Why an operator takes a trade back."""

    reason: str


class KeyIssued(_Text):
    """An API key exists from this command on; its id is the command's seq. The secret itself is nowhere."""

    type: Literal["key_issued"] = "key_issued"
    key_hash: str
    """SHA-256 of the secret, in hex."""
    account: int
    """The account it is bound to; 0: none (operators)."""
    name: str
    scopes: tuple[Literal["read", "trade", "operate", "admin"], ...]


class KeyRevoked(_Text):
    """A key is refused from this command on."""

    type: Literal["key_revoked"] = "key_revoked"
    key_id: int


class TargetSet(_Text):
    """What a year's turnover is measured against."""

    type: Literal["target_set"] = "target_set"
    year: int
    amount_fen: int
    name: str


Decision = Annotated[KeyIssued | KeyRevoked | TargetSet, Field(discriminator="type")]
"""What a RECORD command records."""

_DECISION: TypeAdapter[KeyIssued | KeyRevoked | TargetSet] = TypeAdapter(Decision)


def read_decision(attachment: bytes) -> KeyIssued | KeyRevoked | TargetSet:
    """The decision in a RECORD command's attachment."""
    return _DECISION.validate_json(attachment)
