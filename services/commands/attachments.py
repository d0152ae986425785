"""The attachments of commands in a journal batch: names, key hashes, targets, which the engine never reads.

UTF-8 JSON, one model per kind of command:

OPEN_ACCOUNT     AccountText
LIST_INSTRUMENT  ListingText
BUST_TRADE       BustText
HALT             HaltText, or none
CHANGE_INSTRUMENT ChangeText
DELIST_INSTRUMENT DelistText
RECORD           one of `Recorded`, distinguished by `type`
"""

from __future__ import annotations

import re
from decimal import Decimal
from functools import lru_cache
from ipaddress import ip_network
from typing import Annotated, Any, Literal, NamedTuple

import structlog
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, field_validator

from services.commands.texts import storable_value

log = structlog.get_logger("rex.commands")

Scope = Literal["read", "trade", "operate", "admin", "audit"]
"""What an API key may do; docs/api.md, "Keys and scopes", says what each allows. The one declaration of their names."""

Role = Literal["visitor", "trader", "operator", "auditor", "admin"]
"""What a person may do; services/people/roles.py has the scopes of each."""

Metric = Literal["net_traded", "changed_hands", "delivered", "tonnes"]
"""What a target is about: net turnover, changes of ownership, deliveries (these three in fen), net tonnage (in kilograms)."""

VENUE_SCOPE, CATEGORY_SCOPE, PRODUCT_SCOPE = "venue", "category:", "product:"
"""The forms of a target's scope: the whole venue; a category or a product, whose name follows."""

TradesDecision = Literal["exclude", "include"]
"""`exclude`: the trades no longer count; `include`: they count again."""

AlertKind = Literal[
    "pace", "wash_finding", "settlement_influence", "abnormal_trading", "proof_failed", "proof_late", "projector_lag",
    "journal_quiet", "calendar_missing",
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
        return storable_value(value)

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

    @field_validator("tick_size")
    @classmethod
    def _is_a_tick_size(cls, tick_size: str) -> str:
        if not re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,8})?", tick_size) or not Decimal(tick_size):
            raise ValueError("is no exact decimal above 0")
        return tick_size


class ListingText(InstrumentText):
    """What is said when an instrument is listed: its descriptive fields, and why and by whom it is listed. The first start of
    a venue says neither."""

    reason: str = ""
    name: str = ""
    """The person, where a key lists it; may be empty."""

    @property
    def facts(self) -> dict[str, Any]:
        """The fields of `InstrumentText`."""
        return self.model_dump(include=set(InstrumentText.model_fields))


class ChangeText(_Text):
    """The texts of an instrument that change, and why and by whom it is changed. A text that is None stays. The terms are in
    the command."""

    name_en: str | None = None
    name_zh: str | None = None
    spec: str | None = None
    note: str | None = None
    reason: str
    name: str = ""
    """The person, where a key changes it; may be empty."""

    @property
    def facts(self) -> dict[str, str]:
        """The texts that change, by the names of `InstrumentText`."""
        return self.model_dump(exclude={"reason", "name"}, exclude_none=True)

    def to_bytes(self) -> bytes:
        """The attachment's bytes, without the texts that stay."""
        return self.model_dump_json(exclude_none=True).encode()


class DelistText(_Text):
    """Why and by whom an instrument is delisted."""

    reason: str
    name: str = ""
    """The person, where a key delists it; may be empty."""


class BustText(_Text):
    """The reason an operator gives for busting a trade."""

    reason: str


class HaltText(_Text):
    """What an operator says about a halt."""

    reason: str
    name: str
    """The person, where a key halts; may be empty, as the reason may."""


class RateLimit(_Text):
    """How many requests of a class a key may send: `burst` at once, and `per_s` more in each second."""

    per_s: int = Field(ge=0, le=1_000_000)
    """0: no limit, whatever the burst."""
    burst: int = Field(ge=1, le=1_000_000)


class KeyLimits(_Text):
    """The rate limits of a key, by class of requests (docs/limits.md). None: the venue's default."""

    orders: RateLimit | None = None
    cancels: RateLimit | None = None
    reads: RateLimit | None = None


class KeyIssued(_Text):
    """An API key is valid from this command on. Its id is the command's seq. The journal does not hold the secret."""

    type: Literal["key_issued"] = "key_issued"
    key_hash: str = Field(pattern="^[0-9a-f]{64}$")
    """SHA-256 of the secret, in hex."""
    account: int
    """The account that the key acts for; 0: none (operators)."""
    name: str
    scopes: tuple[Scope, ...]
    expires_ns: int = 0
    """From this time on the key is refused; 0: never."""
    addresses: tuple[str, ...] = ()
    """The networks (CIDR) from which the key may be used; empty: any."""
    limits: KeyLimits | None = None
    """None: the venue's defaults."""

    @field_validator("addresses")
    @classmethod
    def _are_networks(cls, addresses: tuple[str, ...]) -> tuple[str, ...]:
        for address in addresses:
            ip_network(address)  # Its ValueError says what is wrong.
        return addresses


class KeyLimitsSet(_Text):
    """From this command on a key has these rate limits. They replace all that it had."""

    type: Literal["key_limits_set"] = "key_limits_set"
    key_id: int
    limits: KeyLimits
    reason: str = ""


class KeyRevoked(_Text):
    """An API key is refused from this command on."""

    type: Literal["key_revoked"] = "key_revoked"
    key_id: int


class UserAdded(_Text):
    """A person may log in from this command on. The user's id is the command's seq, as that of a key is.

    Readers take it as no new user while one with the same name exists (services/venue_state/users.py: `login_name`).
    """

    type: Literal["user_added"] = "user_added"
    name: str
    role: Role
    account: int = 0
    """The account that a trader acts for; 0: none."""
    password_hash: str = ""
    """Argon2id in its usual text form, with parameters and salt. Empty: no password is accepted until one is set."""


class UserPasswordChanged(_Text):
    """A user has another password from this command on. Their sessions end."""

    type: Literal["user_password_changed"] = "user_password_changed"
    user_id: int
    password_hash: str


class UserLinkMade(_Text):
    """Somebody has a one-time link with which this user's password can be set. It changes nothing; the link is not in it."""

    type: Literal["user_link_made"] = "user_link_made"
    user_id: int


class UserRoleChanged(_Text):
    """A user has another role or account from this command on. Their sessions end."""

    type: Literal["user_role_changed"] = "user_role_changed"
    user_id: int
    role: Role
    account: int = 0


class UserRemoved(_Text):
    """A user may not log in from this command on. Their sessions end, and their name is free."""

    type: Literal["user_removed"] = "user_removed"
    user_id: int


class TargetSet(_Text):
    """A target of a year or a month. The newest one of a scope, metric, year and month is in force."""

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


class ProofAgreed(_Text):
    """A proof of a year's turnover agreed: its computations are equal to the fen, and the read database has no differences."""

    type: Literal["proof_agreed"] = "proof_agreed"
    year: int
    proven_seq: int
    """The command at which the figure was proven."""


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


class ActProposed(_Text):
    """A request for an act that needs a second person. It changes nothing: another person confirms it, and then the act is a
    command of its own. The proposal's number is the command's seq."""

    type: Literal["act_proposed"] = "act_proposed"
    act: str
    """What the act is called (services/commands/acts.py)."""
    scope: Scope
    """The scope that the act needs, of who proposes it and of who ends the proposal."""
    method: str
    path: str
    body: str | None = None
    """The body of the request, the JSON as it was sent; None: it had none."""
    why: str = ""


class ProposalConfirmed(_Text):
    """The commands before it in its submission carry out what was proposed. It counts unless one of them was refused."""

    type: Literal["proposal_confirmed"] = "proposal_confirmed"
    proposal: int
    actor: int
    """The key or user that confirms. The record's command has none: the action is the act."""
    commands: int
    """How many commands carry the act out."""


class ProposalEnded(_Text):
    """A proposal is over, and its act is not carried out."""

    type: Literal["proposal_ended"] = "proposal_ended"
    proposal: int
    outcome: Literal["rejected", "withdrawn"]
    """`withdrawn`: by who made it."""
    reason: str = ""


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


class RequestKeyed(_Text):
    """The commands before it in its submission carried an idempotency key. It is the last command of the submission.

    Readers remember it, unless those commands were refused: a repeat of the request is answered, and not carried out.
    """

    type: Literal["request_keyed"] = "request_keyed"
    actor: int
    """The key or user that sent the request; 0: whoever sent it, for what may happen once only."""
    key: str
    digest: str
    """SHA-256 of the request's method, path and body, in hex."""
    commands: int
    """How many commands it is about."""


class ReasonGiven(_Text):
    """Why the commands before it in its submission are carried out, where their texts have no field for it."""

    type: Literal["reason_given"] = "reason_given"
    why: str
    commands: int
    """How many commands it is about."""


class RequestRepeated(_Text):
    """A request with this idempotency key came twice, by two gateways: this is the second, which changes nothing."""

    type: Literal["request_repeated"] = "request_repeated"
    actor: int
    """The key or user that sent the request."""
    key: str


class CommandSkipped(_Text):
    """A command of this request trips an assertion of the engine: an administrator has taken the request out of the venue.

    It is recorded while nothing leads the venue. A venue that is started within the next 100,000 commands refuses the request,
    and every request with the same content, key and reason included (services/sequencer/skips.py).
    """

    type: Literal["command_skipped"] = "command_skipped"
    gateway_id: int
    incarnation: int
    request_id: int
    digest: str
    """BLAKE2b-128 of the request's commands, without what depends on the sender, and of its attachments, in hex."""
    reason: str
    name: str
    """The person who decides."""


class RequestSkipped(_Text):
    """In place of a command of a request that was skipped, or of an equal one: it changes nothing."""

    type: Literal["request_skipped"] = "request_skipped"
    skip: int
    """The seq of the CommandSkipped."""


class UnknownRecord(NamedTuple):
    """A record of a kind that this version of REX does not have: a newer one made it. Readers pass over it."""

    type: str


UserChange = UserAdded | UserPasswordChanged | UserRoleChanged | UserRemoved

Measures = ControlDeclared | ControlEnded | MeasureImposed | MeasureLifted

Kept = Measures | ContextStated | RequestKeyed | CommandSkipped | UserChange | UserLinkMade
"""What the read database keeps as it was recorded (its table `records`): there is little of it, and readers interpret it."""

Alerted = AlertRaised | AlertCleared | AlertAcknowledged

Proposing = ActProposed | ProposalConfirmed | ProposalEnded

Recordable = (
    KeyIssued
    | KeyLimitsSet
    | KeyRevoked
    | TargetSet
    | TradesDecided
    | Alerted
    | Proposing
    | DayClosed
    | ProofAgreed
    | Kept
    | ReasonGiven
    | RequestRepeated
    | RequestSkipped
)
"""What this version of REX records."""

Decision = Annotated[Recordable, Field(discriminator="type")]
"""The decision in a RECORD command's attachment."""

Recorded = Recordable | UnknownRecord
"""What a reader finds there."""

MAX_KIND = 40
"""So many characters of the name of a kind that nobody knows are told."""

_DECISION: TypeAdapter[Recordable] = TypeAdapter(Decision)


def read_decision(attachment: bytes) -> Recorded:
    """The decision in a RECORD command's attachment. Raises ValueError for bytes that are none."""
    try:
        return _DECISION.validate_json(attachment)
    except ValidationError as error:
        wrong = error.errors()[0]
        if wrong["type"] != "union_tag_invalid":
            raise
        return _unknown(wrong["ctx"]["tag"][:MAX_KIND])


@lru_cache
def _unknown(kind: str) -> UnknownRecord:
    """Warns of a kind once, while few are met."""
    log.warning("this version of REX has no record of this kind", kind=kind)
    return UnknownRecord(kind)
