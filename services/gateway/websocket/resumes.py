"""Resuming streams: what a client missed since a seq, and then the live pushes, without a gap or a double.

The stream holds back the client's pushes from the moment of the request on. Up to the seq of that moment the client is told
what it missed, in `resumed` messages; then come the pushes that were held back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec
import structlog

from services.gateway.problems import ProblemError, field_problem
from services.gateway.resume.journal_rows import PhaseChange
from services.gateway.resume.missed import Missed, MissedReader, MissedTrades, pages_of
from services.gateway.websocket.channels import Channels
from services.gateway.websocket.client_queue import VENUE_WIDE, Stream
from services.gateway.websocket.market_models import Push, StatusData, TradesData, text_of
from services.gateway.websocket.market_streams import Wanted
from services.gateway.websocket.private_models import (
    BustedFill,
    FillsData,
    PrivateChannel,
    PrivateData,
    ResumePoint,
    orders_data,
)
from services.gateway.websocket.private_streams import PrivateStreams
from services.gateway.websocket.shared_streams import status_of
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
        text = text_of(Push("trades", "resumed", symbol, page.seq, prev_seq, self._state.incarnation, data))
        self._client.queue.put_resumed(self._stream, text)


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
        return text_of(Push("status", "resumed", None, seq, prev_seq, self._state.incarnation, data))


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
                snapshot = self._streams.subscribe(self._client, self._channel, self._account)
                if snapshot is not None:
                    await snapshot.tell()

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


RESUME_COMMANDS = 1_000_000
"""How many commands of the venue a client may have missed."""
AHEAD_SECONDS = 5.0
"""How long this gateway may be behind the one that the client comes from."""
CLOSE_NOT_RESUMED = 4009
"""Close code: what was missed could not be read."""
LOOK_SECONDS = 0.02
"""The pause between two looks while a gateway is behind."""


log = structlog.get_logger("rex.websocket")


class Resumption(Protocol):
    """One stream that is resumed; its live pushes are held back."""

    @property
    def reads_database(self) -> bool:
        """Whether it tells out of the read database; else out of the journal alone."""

    @property
    def upto_seq(self) -> int:
        """The stream's seq when they began to be held back."""

    def drop(self) -> None:
        """Ends the subscription."""

    async def tell(self, after_seq: int) -> None:
        """Sends what was missed after this seq, then what was held back."""


class Resumes:
    """Resumes streams of clients: `check` refuses at once, `resume` is the work of a task."""

    def __init__(self, state: VenueState, channels: Channels, missed: MissedReader) -> None:
        self._state = state
        self._channels = channels
        self._missed = missed

    def check(self, point: ResumePoint) -> None:
        """Raises a 409 problem for another incarnation, and for a point that is too old."""
        incarnation, oldest = self._state.incarnation, self._state.last_seq - RESUME_COMMANDS
        if point.incarnation != incarnation:
            message = f"this venue's journal is {incarnation}"
            raise field_problem("other_incarnation", "resume.incarnation", message, status=409)
        if point.seq < oldest:
            message = f"the oldest is {oldest}, {RESUME_COMMANDS} commands before the present one"
            raise field_problem("resume_too_old", "resume.seq", message, status=409)

    async def resume(
        self,
        client: Subscriber,
        point: ResumePoint,
        private: Sequence[tuple[PrivateChannel, int]],
        trades: Sequence[Stream],
        reply: Callable[[Exception | None], None],
        *,
        status: bool = False,
    ) -> None:
        """Subscribes the client to private channels (each with its account), streams of trades and the venue's status,
        from the point on.

        `reply` is called before anything else is sent: with None, or with an error: 409 `resume_ahead`, or 503.
        """
        try:
            await self._reached(point.seq)
            resumptions = self._begin(client, private, trades, status=status)
        except ProblemError as problem:
            reply(problem)
            return
        try:
            if any(one.reads_database and one.upto_seq > point.seq for one in resumptions):
                await self._missed.projected(self._state.last_seq)
        except Exception as error:
            for one in resumptions:
                one.drop()
            reply(error)
            return
        reply(None)
        try:
            for one in resumptions:
                await one.tell(point.seq)
        except Exception as error:
            log.warning("a stream could not be resumed", exc_info=error)
            client.queue.close(CLOSE_NOT_RESUMED, "what was missed could not be read; connect again and resume")

    def _begin(
        self,
        client: Subscriber,
        private: Sequence[tuple[PrivateChannel, int]],
        trades: Sequence[Stream],
        *,
        status: bool,
    ) -> list[Resumption]:
        streams = self._channels.private
        return [
            *(PrivateResumption(client, streams, channel, account, self._missed) for channel, account in private),
            *(TradesResumption(client, self._channels, stream, self._state, self._missed) for stream in trades),
            *([StatusResumption(client, self._channels, self._state, self._missed)] if status else []),
        ]

    async def _reached(self, seq: int) -> None:
        """Waits until this gateway is where the client was: it may come from another one, which was ahead."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + AHEAD_SECONDS
        while self._state.last_seq < seq:
            if loop.time() > deadline:
                message = f"the venue stands at {self._state.last_seq}"
                raise field_problem("resume_ahead", "resume.seq", message, status=409)
            await asyncio.sleep(LOOK_SECONDS)
