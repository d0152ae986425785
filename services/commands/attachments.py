"""Texts of a journal row that the engine never reads: names, key hashes, targets. UTF-8 JSON, one model per kind of command.

OPEN_ACCOUNT     AccountText        LIST_INSTRUMENT  InstrumentText        BUST_TRADE  BustText
RECORD           KeyIssued | KeyRevoked | TargetSet | Upgraded, told apart by `type`
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

Scope = Literal["read", "trade", "operate", "admin"]
"""What an API key may do; docs/api.md, "Keys and scopes", says what each allows. The one declaration of their names."""


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
    scopes: tuple[Scope, ...]


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


class Upgraded(_Text):
    """From this command on a newer engine version makes the events; what was found when the older rows were re-executed by it.

    The first command of a version, and alone in its row.
    """

    type: Literal["upgraded"] = "upgraded"
    from_version: int
    to_version: int
    last_seq: int
    """Where the older version's rows end."""
    last_hash: str
    """Of the row that ends there, in hex."""
    state_hash: str
    """Of the newer engine's state after last_seq."""
    re_executed_after: int
    """The newer rules make the very events of all rows after this sequence number; 0: of the whole journal. Where it isn't 0,
    the row that follows holds the state at it as its second attachment."""
    differences: tuple[str, ...]
    """What the two versions told otherwise, in sentences; none where the rules that made the rows are unchanged."""


Recorded = KeyIssued | KeyRevoked | TargetSet | Upgraded
Decision = Annotated[Recorded, Field(discriminator="type")]
"""What a RECORD command records."""

_DECISION: TypeAdapter[Recorded] = TypeAdapter(Decision)


def read_decision(attachment: bytes) -> Recorded:
    """The decision in a RECORD command's attachment."""
    return _DECISION.validate_json(attachment)
