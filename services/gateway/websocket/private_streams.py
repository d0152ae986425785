"""The private channels: `orders`, `fills` and `balances` of an account, and `drop_copy` of all accounts.

Each has a stream per account over all instruments, with one push per command that changed something. A stream exists while it
has subscribers; what nobody subscribes to costs nothing.
"""

from __future__ import annotations

from typing import Literal, TypeGuard, get_args

from matching_engine.records import Event, EventKind
from services.gateway.replies.execution_report import order_json
from services.gateway.websocket.account_changes import AccountChanges, Balances
from services.gateway.websocket.client_queue import CLOSE_TOO_SLOW
from services.gateway.websocket.market_models import Push
from services.gateway.websocket.private_models import (
    FillsData,
    PrivateChannel,
    PrivateData,
    orders_data,
    private_push_text,
)
from services.gateway.websocket.subscriber import Subscriber, may_receive
from services.venue_state.keys import ApiKey
from services.venue_state.orders import VenueOrder
from services.venue_state.state import EVERY_ACCOUNT, VenueState

HELD_PUSHES = 8_192
"""How many live pushes may wait for one client while it is told what it missed; one more closes with 4008."""


class Held:
    """The live pushes of a client that is being told what it missed, in order."""

    __slots__ = ("after_seq", "snapshot", "texts")

    def __init__(self, after_seq: int) -> None:
        self.after_seq = after_seq
        """Of the stream when it began: what is held is later."""
        self.texts: list[str] = []
        self.snapshot = False
        """Whether the client has asked for a snapshot meanwhile."""


class PrivateStream:
    """One channel of one account. `seq` is that of the last push; before the first, of the venue when the stream began."""

    def __init__(self, channel: PrivateChannel, state: VenueState) -> None:
        self.channel = channel
        self.seq = state.last_seq
        self._state = state
        self._subscribers: dict[Subscriber, Held | None] = {}

    def __len__(self) -> int:
        return len(self._subscribers)

    def subscribe(self, client: Subscriber, data: PrivateData) -> None:
        """Subscribes to a snapshot and then every push. For a client whose pushes are held back, `release` asks again."""
        held = self._subscribers.setdefault(client, None)
        if held is not None:
            held.snapshot = True
            return
        client.queue.put(self.text("snapshot", self.seq, None, data))

    def leave(self, client: Subscriber) -> None:
        """Ends the pushes to the client."""
        self._subscribers.pop(client, None)

    def push(self, seq: int, data: PrivateData) -> None:
        """Pushes the changes of the command `seq` to every subscriber."""
        text = self.text("update", seq, self.seq, data)
        self.seq = seq
        for client, held in self._subscribers.items():
            if not may_receive(client, self._state):
                continue
            if held is None:
                client.queue.put(text)
            elif len(held.texts) < HELD_PUSHES:
                held.texts.append(text)
            else:
                client.queue.close(CLOSE_TOO_SLOW, f"{HELD_PUSHES} pushes came while older ones were being sent")

    def hold(self, client: Subscriber) -> Held:
        """Subscribes the client and holds back its pushes from now on; takes the place of an earlier hold."""
        held = self._subscribers[client] = Held(self.seq)
        return held

    def is_held(self, client: Subscriber, held: Held) -> bool:
        """Whether this hold is in force: the client has neither unsubscribed nor begun another one."""
        return self._subscribers.get(client) is held

    def release(self, client: Subscriber, held: Held) -> None:
        """Sends what was held back; from now on pushes go to the client at once."""
        self._subscribers[client] = None
        for text in held.texts:
            client.queue.put(text)

    def text(
        self, kind: Literal["snapshot", "update", "resumed"], seq: int, prev_seq: int | None, data: PrivateData
    ) -> str:
        """A push of this stream as JSON."""
        return private_push_text(Push(self.channel, kind, None, seq, prev_seq, self._state.incarnation, data))


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
        """The data of a snapshot. Fills and the drop copy are events: they begin with none."""
        if channel == "balances":
            return Balances.of(self._state.accounts[self.account]).data(self.account, self._state, with_empty=False)
        if channel == "fills":
            return FillsData([], [])
        if channel == "drop_copy":
            return orders_data(channel, [], [], [])
        is_open = [order for order in self._state.orders.open.values() if order.account == self.account]
        return orders_data(channel, [order_json(order, self._state.instruments) for order in is_open], [], [])

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

    def subscribe(self, client: Subscriber, channel: PrivateChannel, account: int) -> None:
        """Subscribes to a snapshot, and then to the changes."""
        streams = self._listen(account)
        streams.stream(channel).subscribe(client, streams.snapshot(channel))

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
