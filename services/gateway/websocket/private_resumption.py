"""A private stream that is resumed: pages of what was missed, then the pushes that the stream held back."""

from __future__ import annotations

from services.gateway.resume.missed import Missed, MissedReader
from services.gateway.websocket.private_models import BustedFill, FillsData, PrivateChannel, PrivateData, orders_data
from services.gateway.websocket.private_streams import PrivateStreams
from services.gateway.websocket.subscriber import Subscriber


class PrivateResumption:
    """From its making on the stream holds back the client's pushes; `upto_seq` is the stream's seq at that moment."""

    reads_database = True

    def __init__(
        self, client: Subscriber, streams: PrivateStreams, channel: PrivateChannel, account: int, missed: MissedReader
    ) -> None:
        self._client, self._streams, self._channel, self._account = client, streams, channel, account
        self._missed = missed
        self._stream = streams.stream(channel, account)
        self._held = self._stream.hold(client)
        self.upto_seq = self._held.after_seq
        self._nothing = _data(channel, Missed(self.upto_seq, [], [], []))
        if channel == "balances":
            self._nothing = streams.balances(account)

    def drop(self) -> None:
        """Ends the subscription, unless the client has begun another one."""
        if self._is_in_force():
            self._streams.unsubscribe(self._client, self._channel, self._account)

    async def tell(self, after_seq: int) -> None:
        """Sends what was missed after this seq, then what was held back, then a snapshot if one was asked for."""
        if self._channel == "balances" or after_seq >= self.upto_seq:
            self._put(after_seq, self.upto_seq, self._nothing)
        else:
            await self._tell_pages(after_seq)
        if self._is_in_force():
            self._stream.release(self._client, self._held)
            if self._held.snapshot:
                self._streams.subscribe(self._client, self._channel, self._account)

    async def _tell_pages(self, after_seq: int) -> None:
        with_orders = self._channel != "fills"
        async for page in self._missed.pages(self._account, after_seq, self.upto_seq, with_orders=with_orders):
            if not self._is_in_force():
                return
            if any(page[1:]) or page.seq == self.upto_seq:
                self._put(after_seq, page.seq, _data(self._channel, page))
                after_seq = page.seq
                await self._client.queue.room()

    def _put(self, prev_seq: int, seq: int, data: PrivateData) -> None:
        self._client.queue.put(self._stream.text("resumed", seq, prev_seq, data))

    def _is_in_force(self) -> bool:
        return self._stream.is_held(self._client, self._held)


def _data(channel: PrivateChannel, page: Missed) -> PrivateData:
    busts = [BustedFill(**bust) for bust in page.busts]
    if channel == "fills":
        return FillsData(page.fills, busts)
    return orders_data(channel, page.orders, page.fills, busts)
