"""Models of the requests and replies of /v1/alerts."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StringConstraints

from services.commands.attachments import AlertKind, Severity
from services.gateway.http.admin_schemas import Name
from services.gateway.schemas import Reply, Request, WithoutControl


class Acknowledgement(Reply):
    """Who has seen an alert."""

    name: str
    note: str
    key_id: str = Field(description="The key that the operator used.")
    at: str
    seq: int


class Alert(Reply):
    """A condition that an operator must know of."""

    alert_id: str
    kind: AlertKind
    subject: str = Field(description="What it is about, for programs: a year, a finding, a member and a product.")
    severity: Severity = Field(description="`critical`: /healthz shows it until it clears.")
    state: Literal["open", "cleared"]
    sentence: str
    sentence_zh: str
    raised_at: str
    cleared_at: str | None = Field(description="When the condition had ended; null: it has not.")
    acknowledged: Acknowledgement | None = Field(description="Null: by nobody.")
    seq: int = Field(description="Journal sequence number of the command that last changed it.")


class AlertsPage(Reply):
    """One page of alerts, newest first."""

    alerts: list[Alert]
    next_cursor: str | None = Field(
        description="Opaque; pass it as `cursor` for the next page. Null: this is the last."
    )


class AcknowledgeRequest(Request):
    """A person has seen the alert."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"name": "Li Na, surveillance", "note": "the members are asked for their orders"}}
    )

    name: Name = Field(description="Who has seen it. Recorded in the journal beside the key.")
    note: Annotated[str, StringConstraints(max_length=500), WithoutControl] = Field(
        default="", description="What is done about it. Recorded in the journal."
    )
