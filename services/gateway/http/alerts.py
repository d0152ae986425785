"""Alerts over HTTP: the open ones from memory, all of them from the read database, and their acknowledgement.

Scope: `operate`. Open alerts need no read database: one of them may be that it is behind.
"""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse
from pydantic import Field, StringConstraints
from sqlalchemy import select

from services.commands.attachments import AlertAcknowledged, AlertKind, Severity
from services.gateway.http.act_schemas import Name
from services.gateway.http.caller import Caller, needs
from services.gateway.ids import ALERT_IDS
from services.gateway.order_entry.history import Past
from services.gateway.order_entry.order_entry import OrderEntry
from services.gateway.problems import ProblemError
from services.gateway.replies.alert_json import alert_json
from services.gateway.schemas import IdText, NextCursor, Reply, Request, WithoutControl, example
from services.read_model.tables import alerts
from services.values.cursors import Cursors
from services.values.page_parameters import Cursor, Limit
from services.venue_state.alerts import VenueAlert
from services.venue_state.state import VenueState


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
    next_cursor: NextCursor


class AcknowledgeRequest(Request):
    """A person has seen the alert."""

    model_config = example(name="Li Na, surveillance", note="the members are asked for their orders")

    name: Name = Field(description="Who has seen it. Recorded in the journal beside the key.")
    note: Annotated[str, StringConstraints(max_length=500), WithoutControl] = Field(
        default="", description="What is done about it. Recorded in the journal."
    )


_CURSORS = Cursors("alerts")

StateQuery = Annotated[Literal["open", "all"], Query(description="`open`: those whose condition has not ended.")]


class AlertHistory:
    """Alerts of the venue's state and of the read database."""

    def __init__(self, state: VenueState, past: Past) -> None:
        self._state = state
        self._past = past

    async def page(self, *, is_open: bool, before_seq: int, limit: int) -> list[VenueAlert]:
        """Up to `limit` alerts with numbers below `before_seq`, newest first."""
        if is_open:
            found = [alert for alert in self._state.alerts.open.values() if alert.seq < before_seq]
            return sorted(found, key=lambda alert: -alert.seq)[:limit]
        query = select(alerts).where(alerts.c.seq < before_seq).order_by(alerts.c.seq.desc()).limit(limit)
        async with self._past.connection() as connection:
            return [VenueAlert.from_columns(row) for row in (await connection.execute(query)).mappings()]

    async def alert(self, seq: int) -> VenueAlert:
        """The alert with this number, as it stands after the last command of the state. Raises a 404 problem."""
        if (found := self._state.alerts.find(seq)) is not None:
            return found
        page = await self.page(is_open=False, before_seq=seq + 1, limit=1)
        if not page or page[0].seq != seq:
            raise ALERT_IDS.unknown()
        return page[0]


def routes(order_entry: OrderEntry, history: AlertHistory) -> APIRouter:
    """/v1/alerts."""
    router = APIRouter(tags=["operate"], dependencies=[needs("operate")])

    @router.get("/v1/alerts", response_model=AlertsPage, summary="List alerts, newest first")
    async def list_alerts(state: StateQuery = "open", cursor: Cursor = None, limit: Limit = 50) -> JSONResponse:
        found = await history.page(is_open=state == "open", before_seq=_CURSORS.id_of(cursor), limit=limit)
        following = _CURSORS.text(found[-1].seq) if len(found) == limit else None
        return JSONResponse({"alerts": [alert_json(alert) for alert in found], "next_cursor": following})

    @router.post(
        "/v1/alerts/{alert_id}/acknowledge", response_model=Alert, summary="Acknowledge an alert, with name and note"
    )
    async def acknowledge(key: Caller, alert_id: IdText, body: AcknowledgeRequest) -> JSONResponse:
        seq = ALERT_IDS.number(alert_id)
        _refuse_second(await history.alert(seq))
        seen = AlertAcknowledged(alert=seq, name=body.name, note=body.note)
        event = await order_entry.record(key, seen)
        alert = await history.alert(seq)
        if alert.acknowledged_seq != event.seq:  # Another gateway, or another request, was faster.
            _refuse_second(alert)
        return JSONResponse(alert_json(alert))

    return router


def _refuse_second(alert: VenueAlert) -> None:
    if alert.acknowledged_seq is not None:
        raise ProblemError(409, "already_acknowledged", f"{alert.name} acknowledged the alert {alert.seq} already.")
