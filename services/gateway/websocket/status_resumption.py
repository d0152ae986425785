"""The venue's status that is resumed: every phase that was set meanwhile, in order; the other fields as they stand."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from services.gateway.resume.missed import MissedReader, pages_of
from services.gateway.resume.phases import PhaseChange
from services.gateway.websocket.channels import Channels
from services.gateway.websocket.client_queue import VENUE_WIDE, Stream
from services.gateway.websocket.market_models import StatusData
from services.gateway.websocket.market_streams import Wanted
from services.gateway.websocket.push_messages import push_text
from services.gateway.websocket.shared_streams import status_of
from services.gateway.websocket.subscriber import Subscriber
from services.venue_state.state import VenueState

PAGE_ENTRIES = 500
"""How many instruments a message holds; what one command changed is never divided."""

STATUS = Stream("status", VENUE_WIDE)


class StatusResumption:
    """From its making on the client's queue holds back the stream's pushes; `upto_seq` is the stream's seq at that moment."""

    reads_database = False

    def __init__(self, client: Subscriber, channels: Channels, state: VenueState, missed: MissedReader) -> None:
        self._client, self._channels, self._state, self._missed = client, channels, state, missed
        self.upto_seq, self._hold = channels.market.hold(client, STATUS)
        self._stands: StatusData = channels.market.shared(STATUS).shown()

    def drop(self) -> None:
        """Ends the subscription, unless the client has begun another one."""
        if self._is_in_force():
            self._channels.market.unsubscribe(self._client, Wanted("status"), (VENUE_WIDE,))

    async def tell(self, after_seq: int) -> None:
        """Sends what was missed after this seq, then what was held back. A snapshot where this gateway's last push is older:
        then nothing was missed."""
        queue = self._client.queue
        if after_seq > self.upto_seq:
            if self._is_in_force():
                queue.need_snapshot(STATUS)
            return
        changes = await self._missed.phases(after_seq, self.upto_seq, len(self._stands.instruments))
        for page, page_seq in pages_of(changes, self.upto_seq, PAGE_ENTRIES):
            if not self._is_in_force():
                return
            queue.put_resumed(STATUS, self._text(page, page_seq, after_seq))
            after_seq = page_seq
            await queue.room()
        queue.release(STATUS, self._hold)

    def _is_in_force(self) -> bool:
        return self._client.queue.is_held(STATUS, self._hold)

    def _text(self, page: Sequence[PhaseChange], seq: int, prev_seq: int) -> str:
        listed = self._state.instruments
        told = [status_of(listed[each.instrument].symbol, each.phase, each.auction_ends_ns) for each in page]
        data = msgspec.structs.replace(self._stands, instruments=told)
        return push_text("status", "resumed", None, seq, prev_seq, self._state.incarnation, data)
