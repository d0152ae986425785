"""The stream of the venue's alerts, with one push per journal batch that changed an alert."""

from __future__ import annotations

from typing import Any

from services.gateway.replies.alert_json import alert_json
from services.gateway.websocket.private_models import AlertsData
from services.gateway.websocket.push_messages import push_text
from services.gateway.websocket.subscriber import Subscriber, may_receive
from services.venue_state.alerts import VenueAlert
from services.venue_state.state import VenueState


class AlertStream:
    """The stream of the venue's alerts: its subscribers, and the push that is being collected."""

    def __init__(self, state: VenueState) -> None:
        self._state = state
        self._seq = state.last_seq
        self._changed_seq = 0
        self._changed: dict[int, dict[str, Any]] = {}
        self._subscribers: dict[Subscriber, None] = {}
        state.alerts.listeners.append(self._on_change)

    def subscribe(self, client: Subscriber) -> None:
        """Subscribes to a snapshot of the open alerts, then to their changes and to new ones."""
        self._subscribers[client] = None
        data = AlertsData([alert_json(alert) for alert in self._state.alerts.open.values()])
        client.queue.put(push_text("alerts", "snapshot", None, self._seq, None, self._state.incarnation, data))

    def leave(self, client: Subscriber) -> None:
        """Ends the pushes to the client."""
        self._subscribers.pop(client, None)

    def publish(self) -> None:
        """Pushes the alerts that the batch changed, as they stand after it; a cleared one for the last time."""
        if not self._changed:
            return
        data = AlertsData(list(self._changed.values()))
        text = push_text("alerts", "update", None, self._changed_seq, self._seq, self._state.incarnation, data)
        self._seq, self._changed = self._changed_seq, {}
        for client in self._subscribers:
            if may_receive(client, self._state):
                client.queue.put(text)

    def _on_change(self, alert: VenueAlert, seq: int) -> None:
        self._changed[alert.seq] = alert_json(alert)
        self._changed_seq = seq
