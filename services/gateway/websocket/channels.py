"""All WebSocket subscriptions, and the messages each journal batch produces for them.

Market channels are in market_streams.py, the streams of accounts in private_streams.py, those of alerts in alert_stream.py,
heartbeats in liveness.py.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from services.data.trading_hours import TradingHours
from services.gateway.websocket.alert_stream import AlertStream
from services.gateway.websocket.client_queue import Stream
from services.gateway.websocket.liveness import HEARTBEAT, Liveness
from services.gateway.websocket.market_streams import MarketStreams
from services.gateway.websocket.private_streams import PrivateStreams
from services.gateway.websocket.shared_streams import Sources, Timer
from services.gateway.websocket.subscriber import Subscriber
from services.market_data import Market, MarketChanges
from services.market_data.reading import MarketReads
from services.venue_state.state import VenueState


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
