"""The attachments of commands in a journal batch: names, key hashes, targets, which the engine never reads.

UTF-8 JSON, one model per kind of command:

OPEN_ACCOUNT     AccountText
LIST_INSTRUMENT  InstrumentText
BUST_TRADE       BustText
RECORD           one of `Recorded`, distinguished by `type`
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, field_validator, model_validator

from services.commands.texts import storable

Scope = Literal["read", "trade", "operate", "admin"]
"""What an API key may do; docs/api.md, "Keys and scopes", says what each allows. The one declaration of their names."""

Metric = Literal["net_traded", "changed_hands", "delivered", "tonnes"]
"""What a target is about: net turnover, changes of ownership, deliveries (these three in fen), net tonnage (in kilograms)."""

VENUE_SCOPE, CATEGORY_SCOPE, PRODUCT_SCOPE = "venue", "category:", "product:"
"""The forms of a target's scope: the whole venue; a category or a product, whose name follows."""

TradesDecision = Literal["exclude", "include"]
"""`exclude`: the trades no longer count; `include`: they count again."""

AlertKind = Literal[
    "pace", "wash_finding", "settlement_influence", "abnormal_trading", "proof_failed", "projector_lag", "journal_quiet",
    "calendar_missing",
]  # fmt: skip
"""What an alert is about; docs/operators.md, "Alerts", says when each is raised."""

Severity = Literal["warning", "critical"]
"""`critical`: the venue's health shows it until it clears."""


Measure = Literal["warning", "watch_list", "opening_ban"]
"""The ladder of measures against abnormal trading. An opening ban is a kill switch on the accounts: only cancels are taken."""


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
    """A target of a year or a month. The newest one of a scope, metric, year and month is in force.

    Older journals hold only `year`, `name` and `amount_fen`: the whole venue's net turnover of a year.
    """

    type: Literal["target_set"] = "target_set"
    scope: str = VENUE_SCOPE
    """`venue`, `category:NAME` or `product:SYMBOL`."""
    metric: Metric = "net_traded"
    year: int
    month: int = 0
    """1 to 12; 0: the whole year."""
    amount: int
    """In fen; of the metric `tonnes` in kilograms."""
    pro_rata: bool = False
    """Whether the amount is that of a whole year, of which the venue's first year owes the share of its trading days."""
    name: str
    why: str = ""
    replaces: int = 0
    """The seq of the target that was in force until now; 0: none."""

    @model_validator(mode="before")
    @classmethod
    def _named_amount_fen(cls, values: Any) -> Any:
        if isinstance(values, dict) and "amount_fen" in values:
            values = {("amount" if name == "amount_fen" else name): value for name, value in values.items()}
        return values


class TradesDecided(_Text):
    """A person's decision that trades do not count in the turnover, or that they count again.

    Readers apply it to each of the trades that was made before, is not busted, and changes by it; it changes no other.
    """

    type: Literal["trades_decided"] = "trades_decided"
    decision: TradesDecision
    trade_ids: tuple[int, ...]
    finding: str = ""
    """The id of the finding that it answers, in any form; may be empty."""
    reason: str
    name: str
    """The person who decides."""


class AlertRaised(_Text):
    """A condition that an operator must know of has begun. The alert's number is the command's seq.

    Readers take it as no new alert while one with the same key is open.
    """

    type: Literal["alert_raised"] = "alert_raised"
    kind: AlertKind
    key: str
    """Names the condition: one alert of a key is open at a time."""
    subject: str
    """What it is about, for programs: a year, a finding, a member."""
    severity: Severity
    sentence: str
    sentence_zh: str


class AlertCleared(_Text):
    """The condition of an alert has ended. Of an alert that is not open it changes nothing."""

    type: Literal["alert_cleared"] = "alert_cleared"
    alert: int
    """The seq of its AlertRaised."""


class AlertAcknowledged(_Text):
    """A person has seen an alert, open or cleared. The first acknowledgement of an alert holds."""

    type: Literal["alert_acknowledged"] = "alert_acknowledged"
    alert: int
    name: str
    """The person."""
    note: str = ""


class DayClosed(_Text):
    """A trading day has ended, or a decision has changed one that had: what its bulletin says from now on.

    Readers keep the first one of a date and revision.
    """

    type: Literal["day_closed"] = "day_closed"
    date: int
    """The trading day, yyyymmdd."""
    revision: int
    """1 when the day is closed; each correction adds 1."""
    at_seq: int
    """The bulletin was made after this command, the last one of its batch."""
    row_hash: str
    """The hash of that batch, in hex."""
    sha256: str
    """Of the bulletin's numbers (services/reporting/exports/day_seal.py), in hex."""


class ControlDeclared(_Text):
    """From this command on the venue knows these accounts to be under one control: what they trade with each other is certain
    to be wash trading, and abnormal trading counts them together."""

    type: Literal["control_declared"] = "control_declared"
    accounts: tuple[int, ...]
    reason: str
    name: str
    """The person who declares it."""


class ControlEnded(_Text):
    """A declared control ends."""

    type: Literal["control_ended"] = "control_ended"
    declared_seq: int
    reason: str
    name: str


class MeasureImposed(_Text):
    """A person imposes a measure on accounts, for what they did on a trading day."""

    type: Literal["measure_imposed"] = "measure_imposed"
    accounts: tuple[int, ...]
    measure: Measure
    trading_date: int
    """yyyymmdd."""
    reason: str
    name: str
    switched: tuple[int, ...] = ()
    """Of an opening ban: the accounts whose kill switches it turned on. Those of the others were on before."""


class MeasureLifted(_Text):
    """A measure ends."""

    type: Literal["measure_lifted"] = "measure_lifted"
    imposed_seq: int
    reason: str
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


class ContextStated(_Text):
    """A figure about the world outside the venue, and its source. It is shown beside the report and counted in nothing.

    The newest one of a year and figure holds.
    """

    type: Literal["context_stated"] = "context_stated"
    year: int
    """The calendar year that it is about."""
    figure: str
    """What it says: `output value of the city's rare-earth industry`."""
    value: str
    """An exact decimal; empty: the figure is withdrawn."""
    unit: str
    source: str
    """Where it was published."""
    name: str
    """The person who entered it."""


Kept = ControlDeclared | ControlEnded | MeasureImposed | MeasureLifted | ContextStated
"""What the read database keeps as it was recorded (its table `records`): there is little of it, and readers interpret it."""

Alerted = AlertRaised | AlertCleared | AlertAcknowledged

Recorded = KeyIssued | KeyRevoked | TargetSet | TradesDecided | Alerted | DayClosed | Kept | Upgraded
Decision = Annotated[Recorded, Field(discriminator="type")]
"""The decision in a RECORD command's attachment."""

_DECISION: TypeAdapter[Recorded] = TypeAdapter(Decision)


def read_decision(attachment: bytes) -> Recorded:
    """The decision in a RECORD command's attachment."""
    return _DECISION.validate_json(attachment)
