"""The private channels: `orders`, `fills` and `balances` of an account, and `drop_copy` of all accounts.

Each has a stream per account over all instruments, with one push per command that changed something. A stream exists while it
has subscribers; what nobody subscribes to costs nothing.
"""

from __future__ import annotations

from typing import TypeGuard, get_args

from matching_engine.records import Event, EventKind
from services.gateway.websocket.account_changes import AccountChanges, Balances
from services.gateway.websocket.orders_snapshot import OrdersSnapshot
from services.gateway.websocket.private_models import (
    FillsData,
    PrivateChannel,
    PrivateData,
    orders_data,
)
from services.gateway.websocket.private_stream import PrivateStream
from services.gateway.websocket.subscriber import Subscriber
from services.venue_state.keys import ApiKey
from services.venue_state.orders import VenueOrder
from services.venue_state.state import EVERY_ACCOUNT, VenueState

PRIVATE_CHANNELS: frozenset[str] = frozenset(get_args(PrivateChannel))


def is_private(channel: str) -> TypeGuard[PrivateChannel]:
    """Whether the channel is one of this module."""
    return channel in PRIVATE_CHANNELS


def account_of(channel: PrivateChannel, key: ApiKey) -> int:
    """The account whose stream a key gets; raises NotAllowed for a key that is bound to none."""
    return EVERY_ACCOUNT if channel == "drop_copy" else key.own_account()


class AccountStreams:
    """The streams of one account, or of EVERY_ACCOUNT, and the command whose changes are being collected."""

    def __init__(self, account: int, state: VenueState) -> None:
        self.account = account
        self.streams: dict[PrivateChannel, PrivateStream] = {}
        self.seq = 0
        self.changes = AccountChanges(state)
        self._state = state
        self._balances = Balances(0, 0, {})
        """As they were pushed last."""

    def stream(self, channel: PrivateChannel) -> PrivateStream:
        """The stream of the channel, which begins now where there is none."""
        if channel not in self.streams:
            self.streams[channel] = PrivateStream(channel, self._state)
            if channel == "balances":
                self._balances = Balances.of(self._state.accounts[self.account])
        return self.streams[channel]

    def snapshot(self, channel: PrivateChannel) -> PrivateData:
        """The data of a snapshot, but that of `orders`. Fills and the drop copy are events: they begin with none."""
        if channel == "balances":
            return Balances.of(self._state.accounts[self.account]).data(self.account, self._state, with_empty=False)
        return FillsData([], []) if channel == "fills" else orders_data(channel, [], [], [])

    def flush(self) -> None:
        """Pushes the changes of the command, if there are any."""
        changes, self.changes = self.changes, AccountChanges(self._state)
        for channel, stream in self.streams.items():
            if channel == "balances":
                self._push_balances(stream, changes)
            elif channel == "fills":
                if changes.fills or changes.busts:
                    stream.push(self.seq, FillsData(changes.fills, changes.busts))
            elif changes.orders or changes.busts:
                orders = list(changes.orders.values())
                stream.push(self.seq, orders_data(channel, orders, changes.fills, changes.busts))

    def _push_balances(self, stream: PrivateStream, changes: AccountChanges) -> None:
        new, last = changes.balances, self._balances
        if new is None:
            return
        changed = {n: lots for n, lots in new.holdings.items() if lots != last.holdings.get(n, (0, 0))}
        if changed or new[:2] != last[:2]:
            self._balances = new._replace(holdings=last.holdings | changed)
            stream.push(self.seq, new._replace(holdings=changed).data(self.account, self._state, with_empty=True))


class PrivateStreams:
    """The subscriptions to private channels. `publish` is called for each batch; it neither waits nor raises."""

    def __init__(self, state: VenueState) -> None:
        self._state = state
        self._accounts: dict[int, AccountStreams] = {}
        self._touched: dict[int, AccountStreams] = {}

    def stream(self, channel: PrivateChannel, account: int) -> PrivateStream:
        """The stream of the channel and account; begins to listen to the account where nobody did."""
        return self._listen(account).stream(channel)

    def balances(self, account: int) -> PrivateData:
        """All balances of the account, those that are 0 included: a client may remember another value."""
        return Balances.of(self._state.accounts[account]).data(account, self._state, with_empty=True)

    def subscribe(self, client: Subscriber, channel: PrivateChannel, account: int) -> OrdersSnapshot | None:
        """Subscribes to a snapshot, and then to the changes. Returns a snapshot whose other parts are to be told."""
        streams = self._listen(account)
        stream = streams.stream(channel)
        if stream.ask_again(client):
            return None
        if channel == "orders":
            snapshot = OrdersSnapshot(client, stream, account, self._state)
            return None if snapshot.is_whole else snapshot
        stream.subscribe(client, streams.snapshot(channel))
        return None

    def unsubscribe(self, client: Subscriber, channel: PrivateChannel, account: int) -> None:
        """Ends the pushes of this channel to the client."""
        streams = self._accounts.get(account)
        if streams is None or channel not in streams.streams:
            return
        stream = streams.streams[channel]
        stream.leave(client)
        if not stream:
            del streams.streams[channel]
        if not streams.streams:
            del self._accounts[account]
            for listeners in (self._state.order_listeners, self._state.bust_listeners, self._state.balance_listeners):
                listeners.pop(account, None)

    def leave(self, client: Subscriber) -> None:
        """Ends every push to the client."""
        for account, streams in list(self._accounts.items()):
            for channel in list(streams.streams):
                self.unsubscribe(client, channel, account)

    def publish(self) -> None:
        """Pushes the changes of a batch; the state has applied it."""
        for streams in self._touched.values():
            streams.flush()
        self._touched.clear()

    def _listen(self, account: int) -> AccountStreams:
        streams = self._accounts.get(account)
        if streams is None:
            streams = self._accounts[account] = AccountStreams(account, self._state)
            if account == EVERY_ACCOUNT:
                self._state.order_listeners[account] = self._any_order_changed
                self._state.bust_listeners[account] = self._any_trade_busted
            else:
                self._state.order_listeners[account] = self._order_changed
                self._state.bust_listeners[account] = self._trade_busted
                self._state.balance_listeners[account] = self._balance_changed
        return streams

    def _order_changed(self, order: VenueOrder, event: Event) -> None:
        streams = self._collecting(order.account, event.seq)
        streams.changes.order(order, event)
        if "balances" in streams.streams:
            streams.changes.balance(order.account, event)

    def _any_order_changed(self, order: VenueOrder, event: Event) -> None:
        changes = self._collecting(EVERY_ACCOUNT, event.seq).changes
        changes.order(order, event)
        if event.kind == EventKind.TRADE:
            changes.fills[-1]["account"] = order.account

    def _trade_busted(self, account: int, event: Event) -> None:
        self._collecting(account, event.seq).changes.bust(account, event)

    def _any_trade_busted(self, account: int, event: Event) -> None:
        changes = self._collecting(EVERY_ACCOUNT, event.seq).changes
        changes.bust(account, event)
        changes.busts[-1].account = account

    def _balance_changed(self, account: int, event: Event) -> None:
        self._collecting(account, event.seq).changes.balance(account, event)

    def _collecting(self, account: int, seq: int) -> AccountStreams:
        """The streams of the account, which collect the changes of the command `seq`; those of the one before are pushed."""
        streams = self._accounts[account]
        if streams.seq != seq:
            streams.flush()
            streams.seq = seq
            self._touched[account] = streams
        return streams
