"""The venue's net turnover of day and year, out of the read database, after a stated command, at most once a second."""

from __future__ import annotations

import asyncio
from typing import Any

import structlog

from services.gateway.websocket.client_queue import Stream
from services.gateway.websocket.market_models import TurnoverData
from services.gateway.websocket.shared_streams import SharedStream, Sources
from services.gateway.websocket.subscriber import Subscriber
from services.values.decimals import yuan_text
from services.values.times import date_text

PACE_S = 1.0
log = structlog.get_logger("rex.websocket")


class TurnoverStream(SharedStream):
    """Reads while it has subscribers. A failed read is tried again with the next batch."""

    def __init__(self, stream: Stream, sources: Sources) -> None:
        super().__init__(stream, sources, PACE_S)
        self._reading: asyncio.Task[None] | None = None
        self._read_seq = -1

    def present_seq(self) -> int:
        """See SharedStream."""
        return self.sources.state.last_seq

    def subscribe(self, client: Subscriber) -> None:
        """The snapshot comes once the figure was read."""
        self.subscribers[client] = None
        if self._shown is not None:
            client.queue.need_snapshot(self.stream)
        self.touch()

    def flush(self) -> None:
        """Reads the figure in a task, unless it is being read or nothing has happened since."""
        is_reading = self._reading is not None and not self._reading.done()
        if not is_reading and self._read_seq < self.sources.state.last_seq:
            self._reading = asyncio.ensure_future(self._read())

    def update(self) -> Any:
        """Updates are pushed when a read has ended."""
        return None

    def close(self) -> None:
        """See SharedStream."""
        super().close()
        if self._reading is not None:
            self._reading.cancel()

    async def _read(self) -> None:
        self._not_before = self.sources.timer.time() + PACE_S
        try:
            net = await self.sources.reads.net_turnover(self.sources.state.last_seq)
        except Exception as error:  # The read database is behind or away: the next batch tries again.
            log.warning("turnover was not read", error=str(error))
            return
        self._read_seq = net.seq
        data = TurnoverData(date_text(net.trading_date), yuan_text(net.day_fen), yuan_text(net.year_fen))
        if self._shown is None:
            self._shown, self.seq = data, net.seq
            for client in self.subscribers:
                client.queue.need_snapshot(self.stream)
        elif data != self._shown:
            self._shown = data
            self.push(data, net.seq)
        if net.seq < self.sources.state.last_seq:
            self.touch()
