"""All WebSocket subscriptions, and the messages each journal batch produces for them.

Market channels are in market_streams.py, the streams of accounts in private_streams.py, heartbeats in liveness.py. That of
alerts is here, with one push per journal batch that changed an alert.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Literal

from services.data.trading_hours import TradingHours
from services.gateway.replies.alert_json import alert_json
from services.gateway.websocket.client_queue import Stream
from services.gateway.websocket.liveness import HEARTBEAT, Liveness
from services.gateway.websocket.market_models import Push, text_of
from services.gateway.websocket.market_streams import MarketStreams
from services.gateway.websocket.private_models import PART_ROWS, AlertsData, more_if
from services.gateway.websocket.private_streams import PrivateStreams
from services.gateway.websocket.shared_streams import Sources, Timer
from services.gateway.websocket.subscriber import Subscriber, may_receive
from services.market_data import Market, MarketChanges
from services.market_data.reading import MarketReads
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
        """Subscribes to a snapshot of the open alerts, in parts where they are many, then to their changes and to new ones."""
        self._subscribers[client] = None
        alerts = [alert_json(alert) for alert in self._state.alerts.open.values()]
        first, *others = [alerts[at : at + PART_ROWS] for at in range(0, len(alerts), PART_ROWS)] or [[]]
        client.queue.put(self._text("snapshot", self._seq, None, AlertsData(first, more_if(bool(others)))))
        for number, part in enumerate(others, start=1):
            data = AlertsData(part, more_if(number < len(others)))
            client.queue.put(self._text("update", self._seq, self._seq, data))

    def leave(self, client: Subscriber) -> None:
        """Ends the pushes to the client."""
        self._subscribers.pop(client, None)

    def publish(self) -> None:
        """Pushes the alerts that the batch changed, as they stand after it; a cleared one for the last time."""
        if not self._changed:
            return
        data = AlertsData(list(self._changed.values()))
        text = self._text("update", self._changed_seq, self._seq, data)
        self._seq, self._changed = self._changed_seq, {}
        for client in self._subscribers:
            if may_receive(client, self._state):
                client.queue.put(text)

    def _text(self, kind: Literal["snapshot", "update"], seq: int, prev_seq: int | None, data: AlertsData) -> str:
        return text_of(Push("alerts", kind, None, seq, prev_seq, self._state.incarnation, data))

    def _on_change(self, alert: VenueAlert, seq: int) -> None:
        self._changed[alert.seq] = alert_json(alert)
        self._changed_seq = seq


class Channels:
    """All subscriptions of this gateway. The gateway's reader calls `publish` for each batch; it neither waits nor raises."""

    def __init__(
        self,
        state: VenueState,
        market: Market,
        *,
        reads: MarketReads,
        hours: TradingHours,
        clock: Callable[[], int],
        timer: Timer | None = None,
    ) -> None:
        """Within a running event loop, which is the `timer` where none is given."""
        timer = timer or asyncio.get_running_loop()
        self.market = MarketStreams(Sources(state, market, reads, hours, clock, timer))
        self.liveness = Liveness(state, clock, timer)
        self.private = PrivateStreams(state)
        self.alerts = AlertStream(state)

    def snapshot(self, stream: Stream) -> str:
        """The snapshot of a market stream, which a `ClientQueue` requests when it has room."""
        return self.liveness.text() if stream == HEARTBEAT else self.market.snapshot(stream)

    def leave(self, client: Subscriber) -> None:
        """Removes every subscription of a client that has disconnected."""
        self.market.leave(client)
        self.private.leave(client)
        self.alerts.leave(client)
        self.liveness.leave(client)

    def publish(self, changes: MarketChanges) -> None:
        """Pushes the changes of a batch; state and market have applied it."""
        self.private.publish()
        self.alerts.publish()
        self.market.publish(changes)
