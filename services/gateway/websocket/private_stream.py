"""One private channel of one account: its subscribers, its pushes, and those that are held back for a client."""

from __future__ import annotations

from typing import Literal

from services.gateway.websocket.client_queue import CLOSE_TOO_SLOW
from services.gateway.websocket.market_models import Push
from services.gateway.websocket.private_models import PrivateChannel, PrivateData, private_push_text
from services.gateway.websocket.subscriber import Subscriber, may_receive
from services.venue_state.state import VenueState

HELD_PUSHES = 8_192
"""How many live pushes may wait for one client while it is told what came before them; one more closes with 4008."""


class Held:
    """The live pushes of a client that is being told what came before them, in order."""

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
        """Subscribes to a snapshot and then every push."""
        self._subscribers.setdefault(client, None)
        client.queue.put(self.text("snapshot", self.seq, None, data))

    def ask_again(self, client: Subscriber) -> bool:
        """Notes that a client whose pushes are held back wants another snapshot: who holds them subscribes it, after `release`.
        Returns whether they are."""
        held = self._subscribers.get(client)
        if held is None:
            return False
        held.snapshot = True
        return True

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
        """Whether this hold is in force: the client has neither left nor unsubscribed nor begun another one."""
        return client.queue.closing is None and self._subscribers.get(client) is held

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
