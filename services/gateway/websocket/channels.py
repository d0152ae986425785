"""WebSocket subscriptions, and the messages each journal batch produces for them.

A market channel has one stream per instrument; a message is encoded only if the stream has subscribers. The orders channel has
one stream per account, over all instruments, with one push per command that changed an order of the account. The alerts channel
is one stream, with one push per batch that changed an alert.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol

from matching_engine.records import Event, EventKind
from services.gateway.replies.alert_json import alert_json
from services.gateway.replies.execution_report import order_json
from services.gateway.replies.fills import bust_json, fill_json
from services.gateway.websocket.client_queue import ClientQueue, Stream
from services.gateway.websocket.push_messages import MarketPushes, push_text
from services.market_data import Market, MarketChanges
from services.venue_state.alerts import VenueAlert
from services.venue_state.keys import ApiKey
from services.venue_state.orders import VenueOrder
from services.venue_state.state import VenueState

MARKET_CHANNELS = ("depth", "trades", "ticker")
CLOSE_KEY_REVOKED = 4001
"""The key of the connection was revoked."""


class Subscriber(Protocol):
    """A client: its key, and the queue of messages to it."""

    key: ApiKey | None
    queue: ClientQueue


class AccountStream:
    """The stream of one account's orders: its subscribers, and the push that is being collected."""

    def __init__(self, seq: int) -> None:
        self.seq = seq
        """The seq of the last push; before the first push, the seq of the first snapshot."""
        self.subscribers: dict[Subscriber, None] = {}
        self.pending_seq = 0
        self.orders: dict[int, dict[str, Any]] = {}
        self.fills: list[dict[str, Any]] = []
        self.busts: list[dict[str, Any]] = []


class AlertStream:
    """The stream of the venue's alerts: its subscribers, and the push that is being collected."""

    def __init__(self, state: VenueState, may_receive: Callable[[Subscriber], bool]) -> None:
        self._state = state
        self._may_receive = may_receive
        self._seq = state.last_seq
        self._changed_seq = 0
        self._changed: dict[int, dict[str, Any]] = {}
        self._subscribers: dict[Subscriber, None] = {}
        state.alerts.listeners.append(self._on_change)

    def subscribe(self, client: Subscriber) -> None:
        """Subscribes to a snapshot of the open alerts, then to their changes and to new ones."""
        self._subscribers[client] = None
        data = {"alerts": [alert_json(alert) for alert in self._state.alerts.open.values()]}
        client.queue.put(push_text("alerts", "snapshot", None, self._seq, None, self._state.incarnation, data))

    def leave(self, client: Subscriber) -> None:
        """Ends the pushes to the client."""
        self._subscribers.pop(client, None)

    def publish(self) -> None:
        """Pushes the alerts that the batch changed, as they stand after it; a cleared one for the last time."""
        if not self._changed:
            return
        data = {"alerts": list(self._changed.values())}
        text = push_text("alerts", "update", None, self._changed_seq, self._seq, self._state.incarnation, data)
        self._seq, self._changed = self._changed_seq, {}
        for client in self._subscribers:
            if self._may_receive(client):
                client.queue.put(text)

    def _on_change(self, alert: VenueAlert, seq: int) -> None:
        self._changed[alert.seq] = alert_json(alert)
        self._changed_seq = seq


class Channels:
    """All subscriptions of this gateway. The gateway's reader calls `publish` for each batch; it neither waits nor raises."""

    def __init__(self, state: VenueState, market: Market) -> None:
        self._state = state
        self._market = market
        self._pushes = MarketPushes(state, market)
        self._streams: dict[Stream, dict[Subscriber, None]] = {}
        self._every_symbol: dict[str, dict[Subscriber, None]] = {channel: {} for channel in MARKET_CHANNELS}
        self._accounts: dict[int, AccountStream] = {}
        self._touched: dict[int, AccountStream] = {}
        self.alerts = AlertStream(state, self._may_receive)

    def snapshot(self, stream: Stream) -> str:
        """The snapshot of a market stream, which a `ClientQueue` requests when it has room."""
        return self._pushes.snapshot(stream)

    # ------------------------------------------------------------------ subscriptions

    def subscribe(self, client: Subscriber, channel: str, instruments: Iterable[int] | None) -> None:
        """Subscribes to a snapshot and then the updates of each instrument. None: every instrument, also those listed later."""
        if instruments is None:
            self._every_symbol[channel][client] = None
            instruments = range(len(self._market.quotations))
        for instrument in instruments:
            stream = Stream(channel, instrument)
            self._streams.setdefault(stream, {})[client] = None
            client.queue.need_snapshot(stream)

    def unsubscribe(self, client: Subscriber, channel: str, instruments: Iterable[int] | None) -> None:
        """Undoes `subscribe`; instruments without a subscription are no error."""
        if instruments is None:
            self._every_symbol[channel].pop(client, None)
            instruments = range(len(self._market.quotations))
        for instrument in instruments:
            stream = Stream(channel, instrument)
            self._leave_stream(client, stream)
            client.queue.forget(stream)

    def subscribe_orders(self, client: Subscriber, account: int) -> None:
        """Subscribes to a snapshot of the account's open orders, then to the changes of its orders, its fills and its busts."""
        stream = self._accounts.get(account)
        if stream is None:
            stream = self._accounts[account] = AccountStream(self._state.last_seq)
            self._state.order_listeners[account] = self._order_changed
            self._state.bust_listeners[account] = self._trade_busted
        stream.subscribers[client] = None
        instruments = self._state.instruments
        is_open = [order for order in self._state.orders.open.values() if order.account == account]
        data = {"orders": [order_json(order, instruments) for order in is_open], "fills": [], "busts": []}
        client.queue.put(push_text("orders", "snapshot", None, stream.seq, None, self._state.incarnation, data))

    def unsubscribe_orders(self, client: Subscriber, account: int) -> None:
        """Ends the pushes of this account to the client."""
        stream = self._accounts.get(account)
        if stream is not None:
            stream.subscribers.pop(client, None)
            if not stream.subscribers:
                del self._accounts[account]
                del self._state.order_listeners[account], self._state.bust_listeners[account]

    def leave(self, client: Subscriber) -> None:
        """Removes every subscription of a client that has disconnected."""
        for subscribers in self._every_symbol.values():
            subscribers.pop(client, None)
        for stream in [stream for stream, subscribers in self._streams.items() if client in subscribers]:
            self._leave_stream(client, stream)
        for account in list(self._accounts):
            self.unsubscribe_orders(client, account)
        self.alerts.leave(client)

    def _leave_stream(self, client: Subscriber, stream: Stream) -> None:
        subscribers = self._streams.get(stream)
        if subscribers is not None:
            subscribers.pop(client, None)
            if not subscribers:
                del self._streams[stream]

    # ------------------------------------------------------------------ pushes of a batch

    def publish(self, changes: MarketChanges) -> None:
        """Pushes the changes of a batch; state and market have applied it."""
        for stream in self._touched.values():
            self._flush(stream)
        self._touched.clear()
        self.alerts.publish()
        for instrument in changes.listed:
            for channel, clients in self._every_symbol.items():
                for client in clients:
                    self.subscribe(client, channel, (instrument,))
        if self._streams:
            pushes = self._pushes
            self._publish_market("depth", changes.depth, changes, pushes.depth_update)
            self._publish_market("trades", changes.trades, changes, pushes.trades_update)
            self._publish_market("ticker", changes.ticker, changes, pushes.ticker_update)

    def _publish_market(
        self, channel: str, changed: dict[int, int], changes: MarketChanges, update: Callable[[int, MarketChanges], str]
    ) -> None:
        for instrument in changed:
            stream = Stream(channel, instrument)
            subscribers = self._streams.get(stream)
            if subscribers:
                text = update(instrument, changes)
                for client in subscribers:
                    if self._may_receive(client):
                        client.queue.put_market(stream, text)

    def _order_changed(self, order: VenueOrder, event: Event) -> None:
        stream = self._pending(order.account, event.seq)
        stream.orders[order.order_id] = order_json(order, self._state.instruments)
        if event.kind == EventKind.TRADE:
            stream.fills.append(fill_json(order, event, self._state))

    def _trade_busted(self, account: int, event: Event) -> None:
        self._pending(account, event.seq).busts.append(bust_json(account, event, self._state))

    def _pending(self, account: int, seq: int) -> AccountStream:
        """The account's stream, collecting the changes of the command `seq`."""
        stream = self._accounts[account]
        if stream.pending_seq != seq:
            self._flush(stream)
            stream.pending_seq = seq
            self._touched[account] = stream
        return stream

    def _flush(self, stream: AccountStream) -> None:
        if not stream.orders and not stream.busts:
            return
        data = {"orders": list(stream.orders.values()), "fills": stream.fills, "busts": stream.busts}
        seq, prev_seq = stream.pending_seq, stream.seq
        text = push_text("orders", "update", None, seq, prev_seq, self._state.incarnation, data)
        stream.seq, stream.orders, stream.fills, stream.busts = seq, {}, [], []
        for client in stream.subscribers:
            if self._may_receive(client):
                client.queue.put(text)

    def _may_receive(self, client: Subscriber) -> bool:
        key = client.key
        if key is not None and key.key_id in self._state.key_hashes:
            return True
        client.queue.close(CLOSE_KEY_REVOKED, "the key was revoked")
        return False
