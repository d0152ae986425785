"""The public trades of an instrument that are resumed. Market data may be conflated: then a snapshot comes instead."""

from __future__ import annotations

from services.gateway.resume.missed import MissedReader, MissedTrades
from services.gateway.websocket.channels import Channels
from services.gateway.websocket.client_queue import Stream
from services.gateway.websocket.market_models import TradesData
from services.gateway.websocket.market_streams import Wanted
from services.gateway.websocket.push_messages import push_text
from services.gateway.websocket.subscriber import Subscriber
from services.venue_state.state import VenueState


class TradesResumption:
    """From its making on the client's queue holds back the stream's pushes; `upto_seq` is the stream's seq at that moment."""

    reads_database = True

    def __init__(
        self, client: Subscriber, channels: Channels, stream: Stream, state: VenueState, missed: MissedReader
    ) -> None:
        self._client, self._channels, self._state, self._missed = client, channels, state, missed
        self._stream = stream
        self.upto_seq, self._hold = channels.market.hold(client, stream)

    def drop(self) -> None:
        """Ends the subscription, unless the client has begun another one."""
        if self._client.queue.is_held(self._stream, self._hold):
            self._channels.market.unsubscribe(self._client, Wanted("trades"), (self._stream.instrument,))

    async def tell(self, after_seq: int) -> None:
        """Sends what was missed after this seq, then what was held back."""
        queue = self._client.queue
        if after_seq >= self.upto_seq:
            self._put(after_seq, MissedTrades(self.upto_seq, [], []))
        else:
            async for page in self._missed.trades(self._stream.instrument, after_seq, self.upto_seq):
                if not queue.is_held(self._stream, self._hold):
                    return
                if any(page[1:]) or page.seq == self.upto_seq:
                    self._put(after_seq, page)
                    after_seq = page.seq
                    await queue.room()
        queue.release(self._stream, self._hold)

    def _put(self, prev_seq: int, page: MissedTrades) -> None:
        symbol = self._state.instruments[self._stream.instrument].symbol
        data = TradesData(page.trades, page.busted)
        text = push_text("trades", "resumed", symbol, page.seq, prev_seq, self._state.incarnation, data)
        self._client.queue.put_resumed(self._stream, text)
