"""An alert as JSON: in replies, in the pushes of the channel `alerts`, and in the messages of the webhook."""

from __future__ import annotations

from typing import Any

from services.values.times import time_text
from services.venue_state.alerts import VenueAlert


def alert_json(alert: VenueAlert) -> dict[str, Any]:
    """`http.alerts.Alert` as a dict."""
    return {
        "alert_id": str(alert.seq),
        "kind": alert.kind,
        "subject": alert.subject,
        "severity": alert.severity,
        "state": "open" if alert.cleared_seq is None else "cleared",
        "sentence": alert.sentence,
        "sentence_zh": alert.sentence_zh,
        "raised_at": time_text(alert.time_ns),
        "cleared_at": None if alert.cleared_ns is None else time_text(alert.cleared_ns),
        "acknowledged": _acknowledgement(alert),
        "seq": alert.last_seq,
    }


def _acknowledgement(alert: VenueAlert) -> dict[str, Any] | None:
    if alert.acknowledged_ns is None:
        return None
    at = time_text(alert.acknowledged_ns)
    return {"name": alert.name, "note": alert.note, "key_id": str(alert.actor), "at": at, "seq": alert.acknowledged_seq}
